"""Exports: disks that are full at any moment, Ctrl-C at any moment, and names of every sort."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hostile_tries.disks import room
from hostile_tries.forks import Fault, contained
from hostile_tries.trying import REFUSED, WORKED, Try, check_line, command

_FILES = ("net", "net.onnx", "net.tflite", "net.xml")
_SIZES = (0, 4, 40, 150, 250, 300, 600)  # kB; lenet_5 has 240 kB of weights
_MOMENTS = (0.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15)  # seconds after the start
_NAMES = (
    *("a b", "a\nb.onnx", "\x1b[31m.tflite", "ox\u202e.xml", "-net", "--overwrite.onnx"),
    *("é" * 100, "x" * 255, "x" * 250 + ".onnx", "x" * 256, ".onnx", "...", "net.onnx.xml"),
    *("net.ONNX", "net.xml/", "net.onnx/..", "CON", "ｎet.onnx", "net.\udcff"),
)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    model = place / "lenet.keras"
    contained(functools.partial(_save, model))
    for can_mount in (True, False):
        how = "a small disk" if can_mount else "small files"
        for file in _FILES:
            for size in _SIZES:
                trial = functools.partial(_full, place, model, file, size, can_mount)
                yield Try(f"export {file}, {how} of {size} kB", trial)
    for file in _FILES:
        for moment in _MOMENTS:
            trial = functools.partial(_interrupted, place, model, file, moment)
            yield Try(f"export {file}, Ctrl-C after {moment} s", trial)
    for name in _NAMES:
        yield Try(f"export {name!r}", functools.partial(_named, place, model, name))


def _save(path: Path) -> None:
    from keras_convnets import create_model

    create_model("lenet_5").save(path)


def _full(place: Path, model: Path, file: str, size: int, can_mount: bool) -> str:
    here, prepare = room(place, "other", size, can_mount)
    ended = command("export", str(model), file, cwd=here, prepare=prepare)
    return _whole(here, file, ended.code, ended.err, {"other"})


def _interrupted(place: Path, model: Path, file: str, moment: float) -> str:
    """Replace an export, and press Ctrl-C meanwhile: the old one or the new one is there."""
    here = place / "here"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    program = [sys.executable, "-m", "keras_convnets", "export", str(model), file]
    running = subprocess.Popen(
        program, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(moment)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=100)
    if running.returncode not in (0, 130):
        raise Fault(f"exit code {running.returncode}: {error}")
    return _whole(here, file, 2 * (running.returncode != 0), error, set())


def _whole(here: Path, file: str, code: int, error: str, others: set[str]) -> str:
    """Demand a whole export and nothing else, or one line and nothing."""
    left = set(os.listdir(here)) - others
    if code == 2:
        check_line(error)
        if left:
            raise Fault(f"left {left}")
        return REFUSED
    if code:
        raise Fault(f"exit code {code}: {error}")
    beside = {"net.bin"} if file.endswith(".xml") else set()
    if left - {"MODEL.md", f"{Path(file).stem}.MODEL.md"} != {file, *beside}:
        raise Fault(f"left {left}")
    return WORKED


def _named(place: Path, model: Path, name: str) -> str:
    here = place / "here"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    ended = command("export", str(model), "--", os.fsencode(name), cwd=here)
    if ended.code == 2:
        check_line(ended.err)
        if os.listdir(here):
            raise Fault(f"left {os.listdir(here)}")
        return REFUSED
    if ended.code:
        raise Fault(f"exit code {ended.code}: {ended.err}")
    if any(letter in ended.out for letter in "\x1b\u202e"):
        raise Fault(f"printed {ended.out!r}")
    return WORKED
