"""All machines connect to the chief before TensorFlow starts.

TensorFlow alone would wait forever for a missing machine, ignoring Ctrl-C, and might take a worker
of an attempt that has just failed for one of the next attempt.

The chief listens on its port; the workers connect and identify themselves. When all are connected,
the chief tells them to start, and releases the port for TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Callable

from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute.cluster import Cluster, listening

_GREETING = "keras-convnets"
_GO = "go"
_PAUSE = 0.5  # seconds between attempts
_PATIENCE = 5.0  # seconds for a connected machine to identify itself


def meet(cluster: Cluster, wait: float, tell: Callable[[str], None]) -> None:
    """Return when all machines of a run have connected.

    Args:
        cluster: the machines.
        wait: seconds to wait for them.
        tell: called once with a line about the missing machines.

    Raises:
        ValueError: a machine was started with different addresses, or an index is used twice.
        RunStopped: a machine did not connect in time.
    """
    if len(cluster.addresses) > 1:
        (_gather if cluster.is_chief else _report)(cluster, time.monotonic() + wait, wait, tell)


def _gather(cluster: Cluster, end: float, wait: float, tell: Callable[[str], None]) -> None:
    """Wait, as the chief, for all workers."""
    present: dict[int, socket.socket] = {}
    told = False
    with listening(cluster) as listener, contextlib.ExitStack() as lines:
        listener.settimeout(_PAUSE)
        while len(present) < len(cluster.addresses) - 1:
            missing = [i for i in range(1, len(cluster.addresses)) if i not in present]
            names = " and ".join(map(cluster.label, missing))
            if time.monotonic() > end:
                reason = f"waited {wait:.0f} s for {names}, without whom the run cannot begin."
                _tell_all(present, reason)
                raise RunStopped(f"workers: {reason} Start all, with the same --workers.")
            if not told and time.monotonic() > end - wait + 2 * _PAUSE:
                tell(f"waiting for {names}")
                told = True
            with contextlib.suppress(TimeoutError):
                line = lines.enter_context(listener.accept()[0])
                _admit(line, cluster, present)
            gone = select.select(list(present.values()), [], [], 0)[0]
            present = {index: line for index, line in present.items() if line not in gone}
        _tell_all(present, _GO)


def _admit(line: socket.socket, cluster: Cluster, present: dict[int, socket.socket]) -> None:
    """Accept a machine of this run and refuse any other."""
    index, addresses = _who(line)
    if index is None:
        line.close()
    elif addresses != list(cluster.addresses):
        reason = f"worker {index} and the chief were given other addresses"
        _tell_all({**present, index: line}, f"refused: {reason}")
        raise ValueError(
            f"workers: {reason}: {addresses!r} and {list(cluster.addresses)!r}; expected the same, "
            "in the same order."
        )
    elif index in present:
        _tell_all({index: line}, f"refused: there is a {cluster.label(index)} already")
        line.close()
    else:
        present[index] = line


def _who(line: socket.socket) -> tuple[int | None, list[str]]:
    """Return which worker has connected; ``None`` if it is not a worker."""
    try:
        line.settimeout(_PATIENCE)
        greeting, index, addresses = json.loads(_read(line))
        known = greeting == _GREETING and isinstance(index, int) and index > 0
        return (index if known else None), addresses
    except (OSError, ValueError, TypeError):
        return None, []


def _tell_all(present: dict[int, socket.socket], words: str) -> None:
    for line in present.values():
        with contextlib.suppress(OSError):
            line.sendall(f"{words}\n".encode())


def _report(cluster: Cluster, end: float, wait: float, tell: Callable[[str], None]) -> None:
    """Report to the chief as a worker, and wait for its answer."""
    told = False
    while True:
        answer, trouble = _ask(cluster, end)
        if answer == _GO:
            return
        if answer.startswith("refused: "):
            raise ValueError(
                f"workers: {answer.removeprefix('refused: ')}; expected the same --workers on all "
                "machines, and for each an --index of its own. Correct this one."
            )
        if answer.startswith("waited "):
            raise RunStopped(f"workers: the chief {answer} Start all, with the same --workers.")
        if time.monotonic() > end:
            raise RunStopped(
                f"workers: waited {wait:.0f} s for {cluster.label(0)}, without which the run "
                f"cannot begin ({trouble}). Start all, with the same --workers."
            )
        if not told:
            tell(f"waiting for {cluster.label(0)}")
            told = True
        time.sleep(_PAUSE)


def _ask(cluster: Cluster, end: float) -> tuple[str, str]:
    """Return the chief's answer, or an empty answer and the reason."""
    host, _, port = cluster.addresses[0].rpartition(":")
    left = max(_PAUSE, end - time.monotonic())
    try:
        with socket.create_connection((host.strip("[]"), int(port)), min(left, _PATIENCE)) as line:
            greeting = json.dumps([_GREETING, cluster.index, cluster.addresses])
            line.sendall(f"{greeting}\n".encode())
            # The chief may wait a little longer than this machine has left.
            line.settimeout(left + _PATIENCE)
            return _read(line), "it does not answer"
    except OSError as error:
        return "", str(error.strerror or error)


def _read(line: socket.socket) -> str:
    """Return a line of text; empty if there is none, as from a TensorFlow server."""
    found = b""
    while not found.endswith(b"\n") and len(found) < 65536:
        part = line.recv(4096)
        if not part or b"\0" in part:
            return ""
        found += part
    return found.decode(errors="replace").strip()
