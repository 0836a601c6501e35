"""The network families: a module or subpackage each, with blocks, tables and a builder class."""
