"""What can be wrong around a command: its streams, its limits, its folder, and signals."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile_tries.forks import hold_to_permissions


@dataclasses.dataclass(frozen=True)
class Circumstance:
    """A fault around a command.

    Attributes:
        prepare: called in the process of the command with its working folder, before it starts.
        codes: the exit codes of a command that would otherwise succeed; by default that of one
            without the fault.
        is_silent: whether standard error cannot be read.
        is_of_stdout: whether only standard output is at fault, after files have been written.
        for_slow: whether the commands that take seconds are tried too.
    """

    prepare: Callable[[Path], None]
    codes: frozenset[int] = frozenset()
    is_silent: bool = False
    is_of_stdout: bool = False
    for_slow: bool = False


def _closed(*descriptors: int) -> Callable[[Path], None]:
    def prepare(here: Path) -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return prepare


def _full(*descriptors: int) -> Callable[[Path], None]:
    def prepare(here: Path) -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        for descriptor in descriptors:
            os.dup2(full, descriptor)

    return prepare


def _piped(read: int, *descriptors: int) -> Callable[[Path], None]:
    """Connect streams to a reader that takes some bytes and goes away."""

    def prepare(here: Path) -> None:
        out, to = os.pipe()
        for descriptor in descriptors:
            os.dup2(to, descriptor)
        os.close(to)
        if not read:
            os.close(out)
        elif os.fork() == 0:
            for descriptor in descriptors:
                os.close(descriptor)
            os.read(out, read)
            os._exit(0)
        else:
            os.close(out)

    return prepare


def _limited(what: int, most: int) -> Callable[[Path], None]:
    def prepare(here: Path) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(what, (most, most))

    return prepare


def _files(most: int) -> Callable[[Path], None]:
    """Return what leaves a command so many descriptors, whatever this process has open."""

    def prepare(here: Path) -> None:
        taken = {int(number) for number in os.listdir("/proc/self/fd")}
        free = (number for number in itertools.count() if number not in taken)
        _limited(resource.RLIMIT_NOFILE, next(itertools.islice(free, most, None)))(here)

    return prepare


def _without_folder(here: Path) -> None:
    shutil.rmtree(here)


def _without_permission(here: Path) -> None:
    here.chmod(0o555)
    hold_to_permissions()


def _without_home(here: Path) -> None:
    for name in ("HOME", "PATH", "USER", "LANG", "TERM"):
        os.environ.pop(name, None)
    os.environ["TMPDIR"] = os.environ["XDG_CACHE_HOME"] = "/none"


def _signalled(number: int, after: float) -> Callable[[Path], None]:
    """Send a signal to the command some seconds after it begins to handle it, until it ends to."""

    def prepare(here: Path) -> None:
        install = signal.signal

        def first(which: int, handler: Any) -> Any:
            before = install(which, handler)
            if which == number:
                signal.signal = functools.partial(second, _sender(number, after))
            return before

        def second(sender: int, which: int, handler: Any) -> Any:
            if which != number:
                return install(which, handler)
            signal.signal = install
            signal.pthread_sigmask(signal.SIG_BLOCK, {number})
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
            signal.sigtimedwait({number}, 0)  # one that comes now is nobody's
            before = install(which, handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
            return before

        signal.signal = first

    return prepare


def _sender(number: int, after: float) -> int:
    """Return a process that sends a signal to this one after some seconds."""
    parent = os.getpid()
    sender = os.fork()
    if sender == 0:
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        time.sleep(after)
        if os.getppid() == parent:
            os.kill(parent, number)
        os._exit(0)
    return sender


_ANY, _REFUSED = frozenset({0, 2}), frozenset({2})
_STOPPED = frozenset({0, 1, 2})
_INTERRUPTED = frozenset({0, 130})

FAULTS = {
    "standard output closed": Circumstance(_closed(1), _REFUSED, for_slow=True),
    "standard error closed": Circumstance(_closed(2), is_silent=True),
    "both closed": Circumstance(_closed(1, 2), _REFUSED, is_silent=True),
    "all closed": Circumstance(_closed(0, 1, 2), _REFUSED, is_silent=True),
    "standard input closed": Circumstance(_closed(0)),
    "a full disk under standard output": Circumstance(
        _full(1), _REFUSED, is_of_stdout=True, for_slow=True
    ),
    "a full disk under standard error": Circumstance(_full(2), is_silent=True),
    "a full disk under both": Circumstance(_full(1, 2), _REFUSED, True, True),
    "no reader": Circumstance(_piped(0, 1), _ANY, is_silent=True),
    "no reader of either": Circumstance(_piped(0, 1, 2), _ANY, is_silent=True),
    "a reader of a byte": Circumstance(_piped(1, 1), _ANY, for_slow=True, is_silent=True),
    "no more files to open": Circumstance(_files(1), _ANY, for_slow=True),
    "few files to open": Circumstance(_files(8), _ANY),
    "files of 1 kB": Circumstance(
        _limited(resource.RLIMIT_FSIZE, 1024), _STOPPED, is_of_stdout=False, for_slow=True
    ),
    "no working folder": Circumstance(_without_folder, _ANY, for_slow=True),
    "no permission": Circumstance(_without_permission, _ANY),
    "no home": Circumstance(_without_home),
    "Ctrl-C at once": Circumstance(_signalled(signal.SIGINT, 0.015), _INTERRUPTED, for_slow=True),
    "Ctrl-C soon": Circumstance(_signalled(signal.SIGINT, 0.03), _INTERRUPTED),
    "Ctrl-C later": Circumstance(_signalled(signal.SIGINT, 0.1), _INTERRUPTED),
    "SIGTERM soon": Circumstance(_signalled(signal.SIGTERM, 0.05), _INTERRUPTED, for_slow=True),
}
