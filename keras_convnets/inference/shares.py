"""Numbers of an evaluation that people read with a fixed number of digits."""

from __future__ import annotations


class Share(float):
    """A share from 0 to 1, which is a number to programs and formatted as per cent for people."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.2%}"


class Area(float):
    """An area under a curve, from 0 to 1, formatted with four decimals for people."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.4f}"
