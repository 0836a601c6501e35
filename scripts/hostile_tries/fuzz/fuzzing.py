"""Reading many mutated files in one forked child, which says what came of each."""

from __future__ import annotations

import collections
import dataclasses
import os
import random
import resource
import shutil
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault, address_space
from hostile_tries.trying import REFUSED, WORKED, Count, check_line

CANARY = "canary"  # what a file writes whose code is executed
_SECONDS = 20  # for one file
_MEMORY = 700 << 20  # what one file may take: most are a few kilobytes, and may inflate to 256 MiB
_ADDRESSES = 6 << 30

Mutation = Callable[[random.Random, bytes], bytes]


@dataclasses.dataclass(frozen=True)
class Fuzz:
    """Mutated files of one kind.

    Attributes:
        name: what they are.
        folder: a folder with the honest file, and what else its reader needs.
        file: the name of the file in it.
        read: reads the folder; its result is what ``right`` judges.
        right: called with what is read from the honest file and from a mutated one; returns whether
            the second may be.
        mutate: makes a mutated file of the honest one.
        count: how many files.
    """

    name: str
    folder: Path
    file: str
    read: Callable[[Path], Any]
    right: Callable[[Any, Any], bool]
    mutate: Mutation
    count: int


def run(fuzz: Fuzz, place: Path) -> Count:
    """Read all mutated files; return how many were refused and read."""
    found: collections.Counter[str] = collections.Counter()
    start, faults = 0, []
    while start < fuzz.count:
        said = _read_some(fuzz, place, start)
        for line in said:
            number, _, what = line.partition(" ")
            if what:
                start = int(number) + 1
                found[what if what in (REFUSED, WORKED) else "faults"] += 1
                faults += [line] if what not in (REFUSED, WORKED) else []
        if len(faults) > 5:
            break
    if (place / CANARY).exists():
        raise Fault("a file was executed")
    if faults:
        raise Fault(f"{len(faults)} of {start:,} files: " + "\n".join(faults))
    note = f"{fuzz.name}: {found[REFUSED]:,} refused, {found[WORKED]:,} read as they should be"
    return {**found, "notes": [note]}


def _read_some(fuzz: Fuzz, place: Path, start: int) -> list[str]:
    """Read files in a child until all are read or it ends; return a line for each."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        try:
            _child(fuzz, place, start, there)
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here) as stream:
        lines = stream.read().splitlines()
    _, status = os.waitpid(child, 0)
    if status:
        how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else status
        lines[-1] += f" ended by {how}"
    return lines


def _child(fuzz: Fuzz, place: Path, start: int, there: int) -> None:
    os.chdir(place)
    limit = address_space() + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    right = fuzz.read(fuzz.folder)
    honest = (fuzz.folder / fuzz.file).read_bytes()
    folder = place / "mutated"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(fuzz.folder, folder)
    for number in range(start, fuzz.count):
        os.write(there, f"{number}".encode())
        mutated = fuzz.mutate(random.Random(f"{fuzz.name} {number}"), honest)
        (folder / fuzz.file).write_bytes(mutated)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.alarm(_SECONDS)
        what = _outcome(fuzz, folder, right)
        signal.alarm(0)
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        if taken > _MEMORY:
            what = f"took {taken >> 20} MiB"
        os.write(there, f" {what}\n".encode())


def _outcome(fuzz: Fuzz, folder: Path, right: Any) -> str:
    try:
        found = fuzz.read(folder)
    except ValueError as error:
        try:
            check_line(str(error))
        except Fault as fault:
            return str(fault)
        return REFUSED
    except BaseException:
        return " | ".join(traceback.format_exc().strip().splitlines()[-6:])
    try:
        return WORKED if fuzz.right(right, found) else "was read, and is wrong"
    except Exception as error:
        return f"was read, and is wrong: {error!r}"
