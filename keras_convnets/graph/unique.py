"""Unique names by numbering."""

from __future__ import annotations

import itertools
from collections.abc import Iterable


def unique_names(names: Iterable[str]) -> list[str]:
    """Return the names with a number added to repeated ones: ``conv``, ``conv (2)``.

    Examples:
        >>> unique_names(["conv", "conv", "conv (2)"])
        ['conv', 'conv (2)', 'conv (2) (2)']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        candidates = (name if n == 1 else f"{name} ({n})" for n in itertools.count(1))
        unique = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(unique)
        found.append(unique)
    return found
