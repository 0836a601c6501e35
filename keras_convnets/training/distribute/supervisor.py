"""A small parent of the training process, which restarts it when the run has lost a machine.

TensorFlow cannot reconnect a process that has lost another machine, and it may crash the whole
process. So training runs in a child process; its parent does not even import TensorFlow.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from keras_convnets.errors import PeerLost

RESTARTS = 20
PROGRAM = (sys.executable, "-m", "keras_convnets")
_PIPE = "KERAS_CONVNETS_SUPERVISOR"
_LONG = 600.0  # seconds; after a child has run this long, earlier restarts no longer count
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_DEATHS = ("SIGKILL", "SIGABRT", "SIGSEGV", "SIGBUS", "SIGALRM")


@functools.cache
def is_supervised() -> bool:
    """Return whether this is such a child process; if so, make it end when its parent does."""
    pipe = os.environ.pop(_PIPE, None)
    if pipe is None:
        return False

    def follow() -> None:
        os.read(int(pipe), 1)  # returns when the parent has ended
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=follow, daemon=True).start()
    return True


def leave(code: int) -> NoReturn:
    """End this process immediately: TensorFlow would first wait for the lost machines."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def supervise(
    first: Sequence[str],
    again: Sequence[str],
    restarts: int = RESTARTS,
    program: Sequence[str] = PROGRAM,
) -> int:
    """Run the command in a child process until it is done, and return its exit code.

    The child is restarted if it ends with the exit code of `PeerLost`, is killed or crashes.
    Signals are forwarded to it; a child ended by a forwarded signal is not restarted.

    Args:
        first: the arguments of ``keras-convnets`` for the first child.
        again: the arguments for a child that resumes the run.
        restarts: the maximum number of restarts; a long time without any resets the count.
        program: the command to run with these arguments.
    """
    used, now = 0, first
    while True:
        started = time.monotonic()
        code, was_told = run_child(now, program)
        deaths = [-getattr(signal, name) for name in _DEATHS if hasattr(signal, name)]
        if time.monotonic() - started > _LONG:
            used = 0
        if was_told or code not in (PeerLost.exit_code, *deaths) or used == restarts:
            return code if code >= 0 else 128 - code
        used, now = used + 1, again
        has_lost = code == PeerLost.exit_code
        how = "has lost another machine" if has_lost else f"was ended by signal {-code}"
        line = f"keras-convnets: this worker {how}; starting it again ({used} of {restarts})"
        print(line, file=sys.stderr, flush=True)


def run_child(arguments: Sequence[str], program: Sequence[str] = PROGRAM) -> tuple[int, bool]:
    """Run the command in a child process that gets the signals of this one and ends with it.

    Returns:
        Its exit code, negative for the signal that ended it, and whether this process forwarded a
        signal to it.
    """
    told = False
    theirs, ours = os.pipe()  # nothing is written; it closes when this process ends
    environment = {**os.environ, _PIPE: str(theirs)}
    # Its own process group: Ctrl-C reaches the child only from here, not also from the terminal.
    child = subprocess.Popen(
        [*program, *arguments], env=environment, pass_fds=(theirs,), process_group=0
    )
    os.close(theirs)

    def pass_on(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        child.send_signal(number)

    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in heard}
    try:
        return child.wait(), told
    finally:
        child.kill()
        child.wait()
        os.close(ours)
        for number, handler in before.items():
            signal.signal(number, handler)
