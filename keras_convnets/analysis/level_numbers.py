"""The numbers of requested feature levels: 3 for ``"C3"``."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import Any


def level_numbers(given: Any) -> list[int]:
    """Return level names and numbers as numbers: ``[3, 4]`` for ``("C3", 4)``."""
    levels = None if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    numbers = [_number_of_name(level) for level in levels or ()]
    if not numbers or None in numbers:
        raise ValueError(
            f"levels: received {levels or given!r}; expected a sequence of numbers or names, such "
            "as (3, 4, 5) or ('C3', 'C4', 'C5')."
        )
    return [number for number in numbers if number is not None]


def _number_of_name(level: Any) -> int | None:
    name = re.fullmatch("C([0-9]+)", level) if isinstance(level, str) else None
    if name:
        return int(name[1])
    is_number = not isinstance(level, bool | str) and hasattr(level, "__index__")
    return operator.index(level) if is_number and level >= 0 else None
