"""What the groups of hostile tries are written with.

A group is a module of this package with a function ``tries(place)``, which yields one `Try` after
another; ``place`` is an empty folder of the group's own. Each try runs in a forked child, so it may
crash, hang or change whatever it likes. The process that forks them has imported TensorFlow and
Keras but must never compute with them, because TensorFlow's threads do not survive a fork: build
models within tries, or within `forks.contained`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hostile_tries.forks import PATIENCE, SHOWN, Fault, fork, redirect, stream, text

REFUSED, WORKED, SKIPPED = "refused", "worked", "skipped"
_UNFLUSHED = 120  # that of Python
SOFTWARE = 70  # the exit code of a command that fell over its own fault

Count = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Try:
    """One hostile try.

    Attributes:
        name: what is tried.
        run: returns ``"refused"``, ``"worked"`` or ``"skipped"``; for many tries in one, a count of
            each, and perhaps a list of lines to print under ``"notes"``. Any exception is a fault.
        seconds: after how long it counts as hung.
    """

    name: str
    run: Callable[[], str | Count]
    seconds: float = PATIENCE


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code.
        out: what it wrote to standard output.
        err: what it wrote to standard error.
    """

    code: int
    out: str
    err: str


def refused(function: Callable[..., Any], *arguments: Any, says: str = "", **named: Any) -> str:
    """Call a function that must raise `ValueError` or `RunStopped`, with one line of text.

    Args:
        function: the function to call.
        *arguments: its arguments.
        says: words that the line must contain.
        **named: its arguments by name.
    """
    from keras_convnets.errors import RunStopped

    try:
        found = function(*arguments, **named)
    except (ValueError, RunStopped) as error:
        check_line(str(error), says)
        return REFUSED
    raise Fault(f"returned {found!r:.200}; expected an error")


def refused_or_worked(function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """Call a function that may work, or refuse with one line; anything else is a fault."""
    from keras_convnets.errors import RunStopped

    try:
        function(*arguments, **named)
    except (ValueError, RunStopped) as error:
        check_line(str(error))
        return REFUSED
    return WORKED


def check_line(text: str, says: str = "") -> None:
    """Demand one line of text that can be read, and that contains ``says``."""
    if not text.strip() or "\n" in text.strip() or len(text) > SHOWN:
        raise Fault(f"expected one line, received {text!r:.500}")
    if says not in text:
        raise Fault(f"expected {says!r} in {text!r:.500}")


def command(
    *arguments: str | bytes,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    seconds: float = PATIENCE,
    prepare: Callable[[], None] = lambda: None,
    fresh: bool = False,
) -> Ended:
    """Run ``keras-convnets ARGUMENTS`` in a forked child, and return how it ended.

    A death by a signal, a traceback, and the exit code of the command's own faults are faults.

    Args:
        *arguments: the arguments of the command.
        env: variables to set.
        cwd: the folder to run it in.
        stdin: its standard input.
        seconds: after how long it counts as hung.
        prepare: called in the child before the command, such as to close a stream or set a limit.
        fresh: start a new interpreter, which takes seconds. Needed for another backend.
    """
    texts = [os.fsdecode(argument) for argument in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:

        def body() -> int:
            os.environ.update(env or {})
            os.chdir(cwd or os.getcwd())
            redirect(stdin, out.fileno(), err.fileno())
            prepare()
            if fresh:
                os.execv(sys.executable, [sys.executable, "-m", "keras_convnets", *texts])
            return _main(texts)

        code = fork(body, seconds)
        return _ended(code, text(out), text(err))


def run_here(*arguments: str | bytes, cwd: Path) -> Ended:
    """Run ``keras-convnets ARGUMENTS`` in this process, which TensorFlow has been started in.

    What `command` takes for a fault is one here, too.
    """
    texts = [os.fsdecode(argument) for argument in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _streams_kept():
        before = os.getcwd()
        os.chdir(cwd)
        redirect(b"", out.fileno(), err.fileno())
        try:
            code = _main(texts)
        finally:
            os.chdir(before)
        return _ended(code, text(out), text(err))


@contextlib.contextmanager
def _streams_kept() -> Iterator[None]:
    """Give this process its standard streams back at the end."""
    kept = [os.dup(descriptor) for descriptor in (0, 1, 2)]
    streams = sys.stdout, sys.stderr
    try:
        yield
    finally:
        for descriptor, copy in enumerate(kept):
            os.dup2(copy, descriptor)
            os.close(copy)
        sys.stdout, sys.stderr = streams


def _ended(code: int, out: str, err: str) -> Ended:
    """Return how a command ended, if that is no fault."""
    if code < 0:
        raise Fault(f"ended by signal {signal.Signals(-code).name}: {err[-SHOWN:]}")
    if "Traceback (most recent call last)" in out + err or code == SOFTWARE:
        raise Fault(f"exit code {code}: {(out + err)[-SHOWN:]}")
    return Ended(code, out, err)


def refused_command(*arguments: str | bytes, says: str = "", code: int = 2, **how: Any) -> str:
    """Run a command that must end with one line on standard error and the exit code ``code``."""
    ended = command(*arguments, **how)
    if ended.code != code:
        raise Fault(f"exit code {ended.code}: {(ended.out + ended.err)[-SHOWN:]}")
    check_line(ended.err, says)
    return REFUSED


def _main(arguments: Sequence[str]) -> int:
    # The streams of the parent belong to other descriptors, or are the harness's own.
    sys.stdout = stream(1)
    sys.stderr = stream(2)
    from keras_convnets.cli import main

    try:
        code = main(list(arguments))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    try:  # as Python does at its end
        for stream_ in filter(None, (sys.stdout, sys.stderr)):
            stream_.flush()
    except OSError:
        return _UNFLUSHED
    return code


def each(
    items: Mapping[str, Callable[[], str | Count]], seconds: float = PATIENCE
) -> Iterator[Try]:
    """Yield a try for each item of a mapping from names to functions."""
    for name, run in items.items():
        yield Try(name, run, seconds)
