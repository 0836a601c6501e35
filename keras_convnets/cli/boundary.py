"""The boundary of the command: whatever ends it becomes one line and an exit code.

All that a command does happens within `guarded`, from the parsing of its arguments to the flush of
its output. No other module of the command catches errors to print them.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType

from keras_convnets import files, memory, quiet
from keras_convnets.cli.streams import say, streams
from keras_convnets.errors import RunStopped

DONE, BAD_INPUT, SOFTWARE, INTERRUPTED = 0, 2, 70, 130
TIMED_OUT = 124  # that of timeout(1)

_TRACEBACK = "KERAS_CONVNETS_TRACEBACK"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BY_DEFAULT = (signal.SIG_DFL, signal.default_int_handler)
# The files in which a signal waits. With the first begin the names of the modules that Python is
# built with.
_LOSING = ("<frozen ", __file__, contextlib.__file__, quiet.__file__, tempfile.__file__)
_MOMENT = 0.001  # seconds
_MOMENTS = 1000  # for which a signal waits at most


class _Interrupted(KeyboardInterrupt):
    """A signal. Its own class, because of this one alone Python never kills itself at its exit.

    It does where a plain ``KeyboardInterrupt`` has passed through Python code that native code ran,
    even if it was caught, and the exit code would be lost.
    """


def guarded(command: Callable[[], int], last: bool = False) -> int:
    """Run a command and return its exit code; print one line if it fails.

    Args:
        command: parses the arguments, does what they say and returns an exit code.
        last: whether the process ends with the command. Its exit code is then known, and a signal
            that comes while the interpreter is taken down no longer changes it.
    """
    ended: list[int] = []
    try:
        return _guarded(command, ended, last)
    except KeyboardInterrupt:  # just before the handlers of signals are set, or at the very end
        if not ended:
            say("keras-convnets: interrupted")
        return ended[0] if ended else INTERRUPTED


def _guarded(command: Callable[[], int], ended: list[int], last: bool) -> int:
    interruptions: list[int] = []
    with streams() as output, _interruptible(interruptions, last):
        try:
            code = output.error is None and _flushed(command)
        except BaseException as error:
            if os.environ.get(_TRACEBACK):
                traceback.print_exception(error)
            code, line = _explained(KeyboardInterrupt() if interruptions else error)
            if output.error is None:
                ended.append(code)
                say(line)
        return code if output.error is None else _unwritten(output.error)


def _flushed(command: Callable[[], int]) -> int:
    try:
        code: int | str | None = command()
    except SystemExit as stop:  # argparse's way out after --help
        code = stop.code
    sys.stdout.flush()
    return code if isinstance(code, int) else int(code is not None)


def _unwritten(error: OSError) -> int:
    """Return the exit code of a command whose output could not be written."""
    if isinstance(error, BrokenPipeError):  # the reader, such as head, has seen enough
        return DONE
    say(
        f"keras-convnets: error: cannot write to standard output: {error.strerror}. Redirect it to "
        "a file on a disk that has room, or to /dev/null."
    )
    return BAD_INPUT


@contextlib.contextmanager
def _interruptible(interruptions: list[int], last: bool) -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, and record both.

    Native code may replace the ``KeyboardInterrupt`` of a signal by an error of its own. After the
    last command both are ignored: Python would let them kill the process while it exits.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    ended = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        interruptions.append(number)
        if not _is_lost(frame) or len(interruptions) > _MOMENTS:
            raise _Interrupted
        _thread.start_new_thread(_again, (number, ended))

    ours = [number for number in _SIGNALS if signal.getsignal(number) in _BY_DEFAULT]
    before = {number: signal.signal(number, interrupt) for number in ours}
    try:
        with _sent_again(interruptions, ended):
            yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


@contextlib.contextmanager
def _sent_again(interruptions: list[int], ended: threading.Event) -> Iterator[None]:
    """Send a signal a second time whose exception would be printed, and the command go on.

    Python does so with what is raised where nobody can catch it: when an object goes away, or in a
    callback of the garbage collector. So does native code with what is raised in Python that it
    calls. Each has its hook. What the objects say as they go away that a signal left half made is
    of no use to anybody.
    """
    printed, dropped = sys.excepthook, sys.unraisablehook

    def send_again() -> None:
        _thread.start_new_thread(_again, (signal.SIGINT, ended))

    def excepthook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if isinstance(error, _Interrupted):
            send_again()
        else:
            printed(kind, error, trace)

    def unraisablehook(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, _Interrupted):
            send_again()
        elif not interruptions or os.environ.get(_TRACEBACK):
            dropped(unraisable)

    sys.excepthook, sys.unraisablehook = excepthook, unraisablehook
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = printed, dropped


def _is_lost(frame: FrameType | None) -> bool:
    """Whether an exception may be lost that is raised in a frame, or may lose something.

    Native code calls the modules that Python is built with, to import a module or to ask whether an
    object is an instance of an abstract class. TensorFlow's then prints an exception and goes on
    without it, and so does Python in what it calls when an object goes away. A signal that comes
    while the handler of one runs would be raised in what that one had interrupted. While a context
    is being entered or left, such as that which holds back standard error, it could leave it half
    entered for good.
    """
    return frame is not None and frame.f_code.co_filename.startswith(_LOSING)


def _again(number: int, ended: threading.Event) -> None:
    """Send a signal a second time, a moment later; run in a thread of its own."""
    time.sleep(_MOMENT)
    if not ended.is_set():
        _thread.interrupt_main(signal.Signals(number))


def _explained(error: BaseException) -> tuple[int, str]:
    """Return the exit code for what ended a command, and the line to print."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "keras-convnets: interrupted"
    if isinstance(error, RunStopped):
        return error.exit_code, f"keras-convnets: stopped: {error}"
    reason = _reason(error)
    if reason is not None:
        return BAD_INPUT, f"keras-convnets: error: {reason}"
    frames = traceback.extract_tb(error.__traceback__)
    at = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return SOFTWARE, (
        f"keras-convnets: internal error: {type(error).__name__}{at}: {error}. This is a fault of "
        f"keras-convnets: please report it, with what it prints after {_TRACEBACK}=1."
    )


def _reason(error: BaseException) -> str | None:
    """Return what to tell the user; ``None`` if the error is a fault of the package."""
    if isinstance(error, ValueError):
        return str(error)
    if memory.is_exhausted(error):
        return f"out of memory ({memory.words(error)}). Close other programs, or ask for less."
    if isinstance(error, ImportError):
        return (
            f"cannot import {error.name or 'a package'} ({error}). Install it again; another "
            "backend of Keras is chosen by KERAS_BACKEND."
        )
    if isinstance(error, RecursionError):
        return "the model or file is nested too deeply. Give one that is nested less."
    if isinstance(error, RuntimeError) and "random_device" in str(error):  # C++'s, which is a file
        return f"the system gives no random numbers ({error}). Allow more open files (ulimit -n)."
    reason = files.reason(error)
    return None if reason is None else _of_the_system(error, reason)


def _of_the_system(error: BaseException, reason: str) -> str:
    path = getattr(error, "filename", None)
    if isinstance(path, str | bytes):
        return f"{files.shown(os.fsdecode(path))}: {reason}. Check the path and its permissions."
    try:
        os.getcwd()
    except OSError:
        return "the working folder no longer exists. Change to one that does."
    return f"{error}. Check the disk and the permissions of its folders."
