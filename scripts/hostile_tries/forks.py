"""Functions in forked children, so that a crash or a hang in one is found and harms nothing."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_CAPABILITIES = 0x20080522  # the version of the system call
SHOWN = 2000  # characters of a fault's output
PATIENCE = 240.0  # seconds after which a try counts as hung: a busy machine takes its time


class Fault(AssertionError):  # noqa: N818 - found in the package, not an error of the script
    """The package did what it must not do."""


def contained(
    function: Callable[[], Any], seconds: float = PATIENCE, memory: int | None = None
) -> Any:
    """Call a function in a forked child and return its result, which JSON must be able to hold.

    Args:
        function: the function to call.
        seconds: after how long it counts as hung.
        memory: the bytes that the child may take beyond what this process has.

    Raises:
        Fault: the child crashed, hung, or the function raised an exception.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as said:

        def body() -> int:
            if memory is not None:
                limit = address_space() + memory
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            redirect(b"", said.fileno(), said.fileno())
            answer.write(json.dumps(function()).encode())
            answer.flush()
            return 0

        code = fork(body, seconds)
        if code < 0:
            name = signal.Signals(-code).name
            raise Fault(f"crashed or hung, ended by signal {name}: {text(said)[-SHOWN:]}")
        if code:
            raise Fault(text(said)[-SHOWN:])
        answer.seek(0)
        return json.loads(answer.read())


def address_space() -> int:
    """Return the size of this process's address space in bytes, which ``RLIMIT_AS`` limits."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def stream(descriptor: int) -> Any:
    """Open a standard stream as Python does when it starts: ``None`` where it is closed."""
    with contextlib.suppress(OSError):
        return open(
            descriptor,
            "w",
            encoding="utf-8",
            errors="strict" if descriptor == 1 else "backslashreplace",
            closefd=False,
        )
    return None


def redirect(stdin: bytes, out: int, err: int) -> None:
    """Give this process other standard streams."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        os.dup2(given.fileno(), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = stream(1), stream(2)


def text(file: Any) -> str:
    """Return what was written to a file."""
    file.seek(0)
    return file.read().decode(errors="replace")


def fork(body: Callable[[], int], seconds: float) -> int:
    """Run a function in a child; return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        _child(body)
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # whatever it has left running
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise Fault(f"hung for {seconds:.0f} s")
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)


def _child(body: Callable[[], int]) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # never outlive the parent
        code = body()
        for written in (sys.stdout, sys.stderr):
            if written is not None:
                with contextlib.suppress(OSError, ValueError):
                    written.flush()
    except Fault as fault:
        with contextlib.suppress(OSError):
            os.write(2, str(fault).encode(errors="replace"))
    except BaseException:
        with contextlib.suppress(OSError):
            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(code)


def hold_to_permissions() -> Callable[[], None]:
    """Hold this process to the permissions of files, which root is not; return what ends that."""
    libc = ctypes.CDLL(None, use_errno=True)
    this_process = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    before = (ctypes.c_uint32 * 6)()  # twice: in effect, permitted, inheritable
    libc.capget(this_process, before)
    none = (ctypes.c_uint32 * 6)(0, *before[1:3], 0, *before[4:6])
    if libc.capset(this_process, none):
        raise OSError(ctypes.get_errno(), "cannot give up the rights of root")

    def end() -> None:
        libc.capset(this_process, before)

    return end
