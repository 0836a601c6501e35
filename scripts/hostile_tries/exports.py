"""Exports: disks that are full at any moment, Ctrl-C at any moment, and names of every sort.

To start TensorFlow and a converter takes longer than an export of a small network, so the tries of
one kind of file share a process. What happens before they are started has tries of its own.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hostile_tries.disks import room
from hostile_tries.forks import Fault, contained
from hostile_tries.trying import REFUSED, WORKED, Count, Ended, Try, check_line, run_here

_FILES = ("net", "net.onnx", "net.tflite", "net.xml")
# kB, the largest first, for a limit of files can only be lowered; lenet_5 has 240 kB of weights.
_SIZES = (600, 250, 150, 4, 0)
_MOMENTS = 7  # of an export
_STARTING = (0.5, 2, 4)  # seconds after the start of the command
_NAMES = (
    *("a b", "a\nb.onnx", "\x1b[31m.tflite", "ox\u202e.xml", "-net", "--overwrite.onnx"),
    *("é" * 100, "x" * 255, "x" * 250 + ".onnx", "x" * 256, ".onnx", "...", "net.onnx.xml"),
    *("net.ONNX", "net.xml/", "net.onnx/..", "CON", "ｎet.onnx", "net.\udcff"),
)
_OTHER = "other"

Case = tuple[str, Callable[[], str]]


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    model = place / "lenet.keras"
    contained(functools.partial(_save, model))
    yield Try("export to names", functools.partial(_names, place, model))
    for file in _FILES:
        yield Try(f"export {file} to full disks", functools.partial(_disks, place, model, file))
        trial = functools.partial(_interruptions, place, model, file)
        yield Try(f"export {file}, Ctrl-C", trial)
    for moment in _STARTING:
        trial = functools.partial(_interrupted_start, place, model, moment)
        yield Try(f"export, Ctrl-C after {moment} s", trial)


def _save(path: Path) -> None:
    from keras_convnets import create_model

    create_model("lenet_5").save(path)


def _all(cases: Iterable[Case]) -> Count:
    """Run cases in this process, and count what came of them; a fault does not end them."""
    counts: collections.Counter[str] = collections.Counter()
    faults = []
    for name, run in cases:
        with contextlib.suppress(OSError):
            print(name, flush=True)  # which a crash or a hang shows
        try:
            counts[run()] += 1
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {error}")
    if faults:
        raise Fault("\n".join(faults))
    return counts


def _disks(place: Path, model: Path, file: str) -> Count:
    # All of them before TensorFlow has threads, which would not see the disks.
    return _all([*_full(place, model, file)])


def _interruptions(place: Path, model: Path, file: str) -> Count:
    return _all(_interrupted(place, model, file))


def _full(place: Path, model: Path, file: str) -> Iterator[Case]:
    """Yield exports to small disks, and within a limit of the size of files."""
    for size in _SIZES:
        for can_mount, how in ((True, "a small disk"), (False, "small files")):
            folder = place / f"{file}, {how} of {size} kB"
            folder.mkdir()
            here, prepare = room(folder, _OTHER, size, can_mount)
            yield folder.name, functools.partial(_tight, here, prepare, model, file)


def _tight(here: Path, prepare: Callable[[], None], model: Path, file: str) -> str:
    prepare()
    ended = run_here("export", str(model), file, cwd=here)
    return _whole(here, file, ended, {_OTHER})


def _interrupted(place: Path, model: Path, file: str) -> Iterator[Case]:
    """Yield exports in the place of another, with Ctrl-C at moments all over an export's time."""
    here = _empty(place)
    asked = ("export", str(model), file, "--overwrite")

    def again() -> str:
        return _whole(here, file, run_here(*asked, cwd=here), set())

    yield "new", again
    started = time.monotonic()
    yield "once more", again
    took = time.monotonic() - started
    for number in range(_MOMENTS):
        moment = took * (number + 0.5) / _MOMENTS
        trial = functools.partial(_interrupted_at, here, asked, file, moment)
        yield f"Ctrl-C after {moment:.2f} of {took:.2f} s", trial
        if not _is_usable():
            return


def _is_usable() -> bool:
    """Whether TensorFlow has been left outside of all graphs; a command's process ends anyway."""
    import tensorflow as tf

    return tf.executing_eagerly()


def _interrupted_at(here: Path, asked: tuple[str, ...], file: str, moment: float) -> str:
    """Demand the old export, or the new one."""
    before = _contents(here)
    key = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    key.start()
    try:
        ended = run_here(*asked, cwd=here)
        key.cancel()
        key.join()
    except KeyboardInterrupt:  # the command had ended
        return WORKED
    if ended.code not in (0, 130):
        raise Fault(f"exit code {ended.code}: {ended.err}")
    after = _contents(here)
    if ended.code and after == before:
        check_line(ended.err, "interrupted")
        return REFUSED
    if after.keys() != before.keys():
        raise Fault(f"left {sorted(after)} of {sorted(before)}")
    from keras_convnets.shipping.engines.metadata import about_of

    if about_of(here / file).proof is None:
        raise Fault("left an export without its proof")
    return WORKED


def _contents(here: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in here.rglob("*") if path.is_file()}


def _interrupted_start(place: Path, model: Path, moment: float) -> str:
    """Press Ctrl-C while the command starts."""
    here = _empty(place)
    program = [sys.executable, "-m", "keras_convnets", "export", str(model), "net.onnx"]
    running = subprocess.Popen(
        program, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(moment)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=100)
    if running.returncode not in (0, 130):
        raise Fault(f"exit code {running.returncode}: {error}")
    code = 2 * (running.returncode != 0)
    return _whole(here, "net.onnx", Ended(code, out, error), set())


def _whole(here: Path, file: str, ended: Ended, others: set[str]) -> str:
    """Demand a whole export and nothing else, or one line and nothing."""
    left = set(os.listdir(here)) - others
    if ended.code == 2:
        check_line(ended.err)
        if left:
            raise Fault(f"left {left}")
        return REFUSED
    if ended.code:
        raise Fault(f"exit code {ended.code}: {ended.err}")
    beside = {"net.bin"} if file.endswith(".xml") else set()
    if left - {"MODEL.md", f"{Path(file).stem}.MODEL.md"} != {file, *beside}:
        raise Fault(f"left {left}")
    return WORKED


def _names(place: Path, model: Path) -> Count:
    return _all((repr(name), functools.partial(_named, place, model, name)) for name in _NAMES)


def _named(place: Path, model: Path, name: str) -> str:
    here = _empty(place)
    ended = run_here("export", str(model), "--", os.fsencode(name), cwd=here)
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


def _empty(place: Path) -> Path:
    here = place / "here"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    return here
