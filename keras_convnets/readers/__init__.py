"""Readers of files that anyone may have made: no other module of the package parses such a file.

The rules for every reader, those to come included:

- Nothing in a file is called or executed. What is built has a plain type: numbers, texts, lists,
  dictionaries, and arrays of plain numeric types.
- A size in a file is compared with the bytes that are there before anything of that size is
  allocated; what is compressed may inflate to `damage.allowed` bytes.
- Only regular files are read: a pipe or a device may never end.
- Checksums are verified to the last byte.
- Whatever goes wrong is `DamagedFile`, a ``ValueError`` in one line: a reader runs within
  `damage.damage`.
"""
