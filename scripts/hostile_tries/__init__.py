"""The hostile tries of ``scripts/hostile.py``, a module for each group."""
