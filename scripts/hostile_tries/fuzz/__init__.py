"""Thousands of mutated files for each reader: refused in a line, or read as they should be.

A file with checksums must come back bit for bit, if it is read at all. Nothing in it may be
executed, no file may take more memory than it has reason to, and none may take for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hostile_tries.forks import contained
from hostile_tries.fuzz import honest
from hostile_tries.fuzz.fuzzing import Fuzz, run
from hostile_tries.fuzz.kinds import kinds
from hostile_tries.trying import Try


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group: one for each kind of file and way to mutate it."""
    contained(lambda: honest.write(place / "honest"))
    for fuzz in kinds(place / "honest"):
        yield _try(fuzz, place)


def _try(fuzz: Fuzz, place: Path) -> Try:
    return Try(f"{fuzz.count:,} {fuzz.name}", lambda: run(fuzz, place), seconds=300)
