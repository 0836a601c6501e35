"""Disks that are full at any moment: plots of every kind, and runs."""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Try, check_line, command

_KINDS = ("svg", "png", "pdf", "dot", "html")
_OLD = "before"
_NEWNS, _PRIVATE = 0x00020000, 0x00044000  # of unshare(2) and mount(2)
_PAGE = 4  # kB
_RUN = ("--model", "lenet_5", "--epochs", "1", "--batch-size", "256", "--out", "new/run")


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group: on a small file system if this machine lets us make one.

    Elsewhere, as in a container without privileges, the size of files is limited instead.
    """
    for can_mount in (True, False):
        how = "a small disk" if can_mount else "small files"
        for kind in _KINDS:
            for size in (0, 1, 4, 8):
                trial = functools.partial(_plot, place, f"net.{kind}", size, can_mount)
                yield Try(f"plot {kind}, {how} of {size} kB", trial)
        for size in (0, 4, 40, 300, 700, 1200, 1600):
            yield Try(
                f"train, {how} of {size} kB", functools.partial(_train, place, size, can_mount)
            )


def _plot(place: Path, target: str, size: int, can_mount: bool) -> str:
    here, prepare = room(place, target, size, can_mount)
    ended = command("plot", "lenet_5", target, cwd=here, prepare=prepare)
    written = (here / target).read_bytes()
    if os.listdir(here) != [target]:
        raise Fault(f"left {os.listdir(here)}")
    if ended.code == 2 and written == _OLD.encode():
        check_line(ended.err, "cannot write")
        return REFUSED
    if ended.code or len(written) < 500:
        raise Fault(f"exit code {ended.code}, {len(written)} bytes: {ended.err}")
    return WORKED


def _train(place: Path, size: int, can_mount: bool) -> str:
    """Train where the disk is full before the first checkpoint, later, or not at all."""
    from keras_convnets.training.run import checkpoint

    here, prepare = room(place, "file", size, can_mount)
    ended = command("train", *_RUN, cwd=here, prepare=prepare)
    run = here / "new/run"
    if ended.code == 0:
        return WORKED
    check_line(ended.err)
    if ended.code == 1:  # begun: its checkpoint is intact
        checkpoint.read(run / "checkpoint.npz")
    if ended.code not in (1, 2) or (ended.code == 2 and os.listdir(here) != ["file"]):
        raise Fault(f"exit code {ended.code}, left {sorted(map(str, here.rglob('*')))}")
    if any(path.name.startswith(".") for path in here.rglob("*")):
        raise Fault(f"left {sorted(map(str, here.rglob('*')))}")
    return REFUSED


def room(place: Path, old: str, size: int, can_mount: bool) -> tuple[Path, Callable[[], None]]:
    """Return a folder with an old file and some kB of room, and what limits the command to them."""
    here = place / "here"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    pages = 1 + -(-size // _PAGE)
    if can_mount and _mounted(here, _PAGE * pages):
        (here / old).write_text(_OLD)
        return here, lambda: None
    (here / old).write_text(_OLD)
    return here, functools.partial(_limit, 1024 * max(1, size))


def _mounted(here: Path, size: int) -> bool:
    """Mount a file system of some kB for this process and its children alone."""
    libc = ctypes.CDLL(None)
    return (
        libc.unshare(_NEWNS) == 0
        and libc.mount(None, b"/", None, _PRIVATE, None) == 0
        and libc.mount(b"tmpfs", os.fsencode(here), b"tmpfs", 0, f"size={size}k".encode()) == 0
    )


def _limit(most: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
