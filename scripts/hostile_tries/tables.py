"""Tables of images that contradict themselves, are damaged or are no tables: one line, or data."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hostile_tries.forks import Fault
from hostile_tries.trying import Count, Try, check_line, command

_IMAGES = 8
_WHOLE = b"path,label,split\n" + b"".join(
    b"%d.png,%s,%s\n" % (number, (b"cat", b"dog|cat")[number % 2], (b"train", b"val")[number // 6])
    for number in range(_IMAGES)
)
_PIECES = (
    *(b"", b"\0", b"\xff", b'"', b'""', b"\n", b"\r", b"\r\n\n", b",", b";", b"\t", b"|", b" "),
    *(b"nan", b"inf", b"-1", b"1e999", b"9" * 400, b"\xef\xbb\xbf", b"\xff\xfe", b"../0.png", b"/"),
    *(b"train", b"test", b"label", b"a" * 140_000, "é".encode(), b"=cmd|' /C calc'!A0", b"path"),
    b"n" * 300 + b".png",
)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    yield Try("tables, mutated", lambda: _mutated(_folder(place / "mutated")))
    yield Try("what is no table", lambda: _no_table(_folder(place / "none")))
    yield Try("the command reads a table", lambda: _command(_folder(place / "command")))


def _folder(place: Path) -> Path:
    place.mkdir()
    for number in range(_IMAGES):
        pixels = np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return place


def _load(file: Path) -> Any:
    from keras_convnets.training import load_data

    try:
        return load_data(f"csv:{file}", image_size=8)
    except ValueError as error:
        check_line(str(error))
        return None


def _mutated(place: Path) -> Count:
    """Put pieces into a table, cut it and double it: it is refused, or all that it says is used."""
    drawn, counts = random.Random(0), {"worked": 0, "refused": 0}
    for number in range(150):
        body = bytearray(_WHOLE)
        for _ in range(drawn.choice((1, 1, 2, 5))):
            at = drawn.randrange(len(body))
            body[at : at + drawn.choice((0, 1, 6, 30))] = drawn.choice(_PIECES)
        file = place / ("a.tsv" if number % 9 == 0 else "a.csv")
        file.write_bytes(body)
        data = _load(file)
        counts["refused" if data is None else "worked"] += 1
        if data is not None and len(data.class_names) < 2:
            raise Fault(f"{bytes(body)!r}")
    return counts


def _no_table(place: Path) -> Count:
    (place / "folder").mkdir()
    os.mkfifo(place / "fifo")
    (place / "zero").symlink_to("/dev/zero")
    (place / "round").symlink_to("round")
    (place / "empty").touch()
    (place / "noise").write_bytes(random.Random(0).randbytes(5000))
    (place / "one").write_text("\n" * 10_000)
    (place / "wide").write_text("path,label" + ",x" * 50_000)
    names = ("folder", "fifo", "zero", "round", "empty", "noise", "0.png", "one", "wide", "x")
    for name in names:
        if _load(place / name) is not None:
            raise Fault(name)
    return {"refused": len(names)}


def _command(place: Path) -> Count:
    lines = ["path,label", *(f"{number}.png,{'ab'[number % 2]}" for number in range(_IMAGES))]
    (place / "t.csv").write_text("\n".join(lines))
    arguments = ("train", "--model", "lenet_5", "--data", "csv:t.csv", "--image-size", "32")
    arguments += ("--batch-size", "2", "--epochs", "1", "--out", "out")
    plan = command(*arguments, "--dry-run", cwd=place)
    done = command(*arguments, cwd=place)
    said = "t.csv: paths in 'path', labels in 'label'"
    if done.code or plan.code or said not in done.out or said not in plan.out:
        raise Fault(f"{plan} {done}")
    if "2 classes: 'a', 'b'" not in done.out or "2 classes ('a', 'b')" not in plan.out:
        raise Fault(f"{plan} {done}")
    scored = command("evaluate", "out", "--data", "csv:t.csv", cwd=place)
    if scored.code:
        raise Fault(f"{scored}")
    return {"worked": 3}
