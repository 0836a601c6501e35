"""Damaged files of a run: each file, each kind of damage, each way to read the run.

The run is the one of this version that the repository keeps, which was interrupted. Each try makes
it anew, damages a file, and opens, uses and resumes it: what works must give the numbers that were
kept, and what is refused must leave every file as it was.
"""

from __future__ import annotations

import collections
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault
from hostile_tries.trying import Count, Try, check_line, refused_command

KEPT = Path(__file__).parents[2] / "tests/data/runs"
EXPECTED = "expected.npz"
READ = ("config.json", "checkpoint.npz", "start.keras", "model.keras")
WRITTEN = ("history.csv", "curves.png", "report.html", "model.svg", "logs")
FLIPS = 6  # copies of a file with random bytes changed

Damage = Callable[[Path], Any]


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    for file in READ:
        damages = in_the_way() | contents(file)
        yield Try(file, lambda file=file, damages=damages: damaged(place, file, damages), 300)
    for file in WRITTEN:
        yield Try(file, lambda file=file: damaged(place, file, in_the_way(file)), 300)
    yield Try("config.json, value by value", lambda: values(place), 300)
    for name, text in CONFIGS.items():
        for command in COMMANDS:
            yield Try(
                f"{command[0]} {command[1]}: {name}",
                lambda text=text, command=command: by_command(place, text, command),
            )


CONFIGS = {
    "{}": "{}",
    "a newer format": '{"format": 3}',
}
COMMANDS = (
    ("train", "--resume", "run"),
    ("train", "--continue", "--out", "run"),
    ("train", "--fine-tune", "run", "--out", "tuned"),
    ("evaluate", "run"),
    ("predict", "run", "image.png"),
)


def in_the_way(file: str = "") -> dict[str, Damage]:
    """Return what may have the place of a file."""
    found: dict[str, Damage] = {
        "missing": lambda path: None,
        "a folder": lambda path: path.mkdir(),
        "a pipe": lambda path: os.mkfifo(path),
        "a link to nothing": lambda path: path.symlink_to("nothing"),
        "a link to itself": lambda path: path.symlink_to(path.name),
        "a link to a device": lambda path: path.symlink_to("/dev/zero"),
        "a text": lambda path: path.write_text("text"),
    }
    if file == "logs":
        del found["a folder"]
    return found


def contents(file: str) -> dict[str, Damage]:
    """Return what may be wrong with a file that is read."""
    whole = (KEPT / "format_1" / file).read_bytes()
    other = (KEPT / "format_0" / file).read_bytes()
    found: dict[str, Damage] = {
        "empty": lambda path: path.touch(),
        "the half": lambda path: path.write_bytes(whole[: len(whole) // 2]),
        "all but a byte": lambda path: path.write_bytes(whole[:-1]),
        "more": lambda path: path.write_bytes(whole + b"more"),
        "a gigabyte": lambda path: (path.touch(), os.truncate(path, 2**30)),
        "that of another run": lambda path: path.write_bytes(other),
    }
    rng = random.Random(file)
    for number in range(FLIPS):
        flipped = bytearray(whole)
        for _ in range(1 + number % 3):
            flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        found[f"flipped {number}"] = lambda path, flipped=flipped: path.write_bytes(flipped)
    return found


def fresh(place: Path, file: str | None = None, damage: Damage | None = None) -> Path:
    """Make the run anew, with a damaged file."""
    run = place / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(KEPT / "format_1", run, ignore=shutil.ignore_patterns(EXPECTED))
    (run / "logs").mkdir()
    if file is not None and damage is not None:
        path = run / file
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        damage(path)
    return run


def damaged(place: Path, file: str, damages: dict[str, Damage]) -> Count:
    """Open and resume a run with each damage to a file."""
    counts: collections.Counter[str] = collections.Counter()
    for name, damage in damages.items():
        uses = {resumed: "resumed"} | ({opened: "interrupted"} if file in READ else {})
        for use, key in uses.items():
            run = fresh(place, file, damage)
            before = listing(run)
            try:
                found = use(run)
            except Exception as error:
                check_refusal(error, f"{file}, {name}, {use.__name__}")
                if listing(run) != before:
                    raise Fault(f"{file}, {name}, {use.__name__}: files have changed") from error
                counts["refused"] += 1
            else:
                check_numbers(found, key, f"{file}, {name}, {use.__name__}")
                counts["worked"] += 1
    return counts


def check_refusal(error: Exception, what: str) -> None:
    """Demand the error of a refusal, in a line."""
    from keras_convnets.errors import RunStopped

    if not isinstance(error, ValueError | RunStopped):
        raise Fault(f"{what}: {type(error).__name__}: {error}") from error
    try:
        check_line(str(error))
    except Fault as fault:
        raise Fault(f"{what}: {fault}") from error


def check_numbers(found: Any, key: str, what: str) -> None:
    """Demand the predictions that were kept."""
    import numpy as np

    with np.load(KEPT / "format_1" / EXPECTED) as kept:
        difference = float(abs(found - kept[key]).max())
    if not difference < 1e-5:  # another processor sums in another order
        raise Fault(f"{what}: worked, but predictions differ by {difference}")


def listing(run: Path) -> dict[str, tuple[int, int, int]]:
    """Return what the files of a run are, by name."""
    stats = {path.name: path.lstat() for path in run.iterdir()}
    return {name: (stat.st_mode, stat.st_ino, stat.st_size) for name, stat in stats.items()}


def opened(run: Path) -> Any:
    """Open a run to start from, and return its predictions."""
    from keras_convnets.inference.evaluate import evaluate
    from keras_convnets.training.run.pretrained import open_pretrained
    from keras_convnets.training.run.saved_run import open_run

    open_pretrained(run).for_classes([str(digit) for digit in range(10)])
    found = open_run(run)
    evaluation = evaluate(found.model, found.load_data().test, found.preprocessing)
    return evaluation.probabilities[:40]


def resumed(run: Path) -> Any:
    """Resume a run to its end, and return its predictions."""
    from rich.console import Console

    from keras_convnets.training.run import config_file
    from keras_convnets.training.run.run import resume
    from keras_convnets.training.run.run_data import load_run_data

    data = load_run_data(run, config_file.read(run))
    resume(run, data, console=Console(file=io.StringIO()))
    return opened(run)


def values(place: Path) -> Count:
    """Give each value in the configuration other types and sizes, and read it."""
    from keras_convnets.training.run import config_file
    from keras_convnets.training.run.run_data import preprocessing_of

    whole = json.loads((KEPT / "format_1/config.json").read_text())
    run = fresh(place)
    counts: collections.Counter[str] = collections.Counter()
    for text in changed(whole):
        (run / "config.json").write_text(text)
        try:
            preprocessing_of(run, config_file.read(run))
        except Exception as error:
            check_refusal(error, text)
            counts["refused"] += 1
        else:
            counts["worked"] += 1
    return counts


def changed(whole: dict[str, Any]) -> Iterator[str]:
    """Yield configurations with one value that is missing, or another one."""
    others = (None, True, "", "x" * 10_000, -1, 0, 10**25, 1e308, 0.5, [], [[]], {}, {"a": {}})

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield (*path, key)
            if isinstance(inner, dict | list):
                yield from places(inner, (*path, key))

    for path in places(whole):
        for other in (*others, fresh):
            copy = json.loads(json.dumps(whole))
            inner = copy
            for key in path[:-1]:
                inner = inner[key]
            if other is fresh:
                del inner[path[-1]]
            else:
                inner[path[-1]] = other
            yield json.dumps(copy)


def by_command(place: Path, text: str, command: tuple[str, ...]) -> str:
    """Run a command on a run with another configuration."""
    run = fresh(place)
    (run / "config.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    return refused_command(*command, cwd=place, says="config.json")
