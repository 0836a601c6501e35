"""Try to break the package: hostile files, names, options, strangers and faults.

    python scripts/hostile.py [GROUP ...] [--jobs N]

Each group, a module of ``hostile_tries``, counts what was refused with a line and what worked. A
crash, a hang, a traceback, code of a file that was executed, or a wrong result in silence is a
fault: it is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import itertools
import json
import os
import pkgutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile_tries
from hostile_tries.forks import Fault, contained

_HELPERS = {"command_faults", "forks", "kinds", "nasty", "right_values", "strangers", "trying"}
_NAMES = sorted({module.name for module in pkgutil.iter_modules(hostile_tries.__path__)} - _HELPERS)
# The others fill what these leave of the time.
_LONGEST = ("port", "memory", "commands", "calls")
_HOUR = 3600.0
_JOBS = (os.cpu_count() or 1) + 1  # some wait for others, or for the disk
_COLUMNS = ("refused", "worked", "skipped", "faults")


def main() -> int:
    """Run the groups, print what came of them, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(_NAMES)}")
    parser.add_argument(
        "--jobs", type=int, default=_JOBS, help=f"groups at a time (default: {_JOBS})"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.groups) - set(_NAMES):
        parser.error(f"received {', '.join(sorted(unknown))}; expected of {', '.join(_NAMES)}")
    groups = chosen.groups or sorted(_NAMES, key=lambda name: name not in _LONGEST)
    _import_everything(groups)
    started = time.monotonic()
    print(f"{'group':<12}" + "".join(f"{column:>10}" for column in ("tries", *_COLUMNS, "seconds")))
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        faults = _run_all(groups, Path(folder), max(1, chosen.jobs))
    print(f"{len(faults)} faults in {time.monotonic() - started:.0f} s")
    for fault in faults:
        print(f"\n{fault}")
    return 1 if faults else 0


def _import_everything(groups: list[str]) -> None:
    """Import once what every child needs, before the first fork."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("MPLBACKEND", "agg")
    for module in ("keras", "matplotlib.figure", "rich.console", "keras_convnets.cli.inspect"):
        importlib.import_module(module)
    for module in ("training.run.launch", "inference.predict", "inference.evaluate", "zoo"):
        importlib.import_module(f"keras_convnets.{module}")
    for group in groups:
        importlib.import_module(f"hostile_tries.{group}")


def _run_all(groups: list[str], folder: Path, jobs: int) -> list[str]:
    """Run the groups in children, some at a time, and return the faults."""

    def run(group: str) -> list[str]:
        place = folder / group
        place.mkdir()
        started = time.monotonic()
        try:
            found = contained(lambda: _run_group(group, place), seconds=_HOUR)
        except Fault as fault:
            found = {"counts": {"faults": 1}, "faults": [f"{group}: {fault}"]}
        counts = [found["counts"].get(column, 0) for column in _COLUMNS]
        row = "".join(f"{count:>10,}" for count in (sum(counts), *counts))
        print(f"{group:<12}{row}{time.monotonic() - started:>10.0f}", flush=True)
        for note in found.get("notes", ()):
            print(f"  {note}", flush=True)
        return found["faults"]

    with ThreadPoolExecutor(jobs) as pool:
        return list(itertools.chain.from_iterable(pool.map(run, groups)))


def _run_group(group: str, place: Path) -> dict[str, object]:
    counts: collections.Counter[str] = collections.Counter()
    faults: list[str] = []
    notes: list[str] = []
    os.chdir(place)
    for one in importlib.import_module(f"hostile_tries.{group}").tries(place):
        try:
            result = contained(one.run, one.seconds)
        except Fault as fault:
            counts["faults"] += 1
            faults.append(f"{group}: {one.name}: {fault}")
            continue
        found = {result: 1} if isinstance(result, str) else result
        notes += found.pop("notes", ())
        counts.update(found)
    with contextlib.suppress(OSError):
        os.chdir("/")
    return {"counts": json.loads(json.dumps(counts)), "faults": faults, "notes": notes}


if __name__ == "__main__":
    sys.exit(main())
