"""All machines connect to the chief before TensorFlow starts.

TensorFlow alone would wait forever for a missing machine, ignoring Ctrl-C, and might take a worker
of an attempt that has just failed for one of the next attempt.

The chief listens on its port; the workers connect and identify themselves, with a secret if there
is one. When all are connected, the chief tells them to start, and releases the port for TensorFlow.
A process of this machine may take the port in that moment: TensorFlow then reports it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute import messages, ports
from keras_convnets.training.distribute.cluster import Cluster
from keras_convnets.training.distribute.messages import Handshake, Hello, NotUnderstood
from keras_convnets.training.distribute.reception import PATIENCE, Reception

_PAUSE = 0.5  # seconds between attempts
_NAMED = 5  # machines named in a line, and different lines of a stranger that are shown
_LONGEST = 200  # characters of a stranger's words
_MUTE = "what listens there does not answer as a chief"


def meet(cluster: Cluster, wait: float, tell: Callable[[str], None]) -> None:
    """Return when all machines of a run have connected.

    Args:
        cluster: the machines.
        wait: seconds to wait for them.
        tell: called once with a line about the missing machines, and once for each kind of
            connection that is turned away.

    Raises:
        ValueError: a machine was started with different addresses, an index is used twice, or only
            some machines have a secret.
        RunStopped: a machine did not connect in time.
    """
    if len(cluster.addresses) > 1:
        (_gather if cluster.is_chief else _report)(cluster, time.monotonic() + wait, wait, tell)


def _gather(cluster: Cluster, end: float, wait: float, tell: Callable[[str], None]) -> None:
    """Wait, as the chief, for all workers."""
    told = False
    with Reception(cluster, tell) as reception:
        while missing := reception.missing():
            left = end - time.monotonic()
            if left < 0:
                names = _names(cluster, missing)
                reason = f"waited {wait:.0f} s for {names}, without whom the run cannot begin."
                reception.tell_all("waited", reason)
                raise RunStopped(
                    f"workers: {reason} Start all, with the same --workers.{reception.turned_away}"
                )
            if not told and left < wait - 2 * _PAUSE:
                tell(f"waiting for {_names(cluster, missing)}")
                told = True
            reception.serve(min(_PAUSE, left))
        reception.tell_all("go")


def _names(cluster: Cluster, indices: list[int]) -> str:
    more = f" and {len(indices) - _NAMED} more" if len(indices) > _NAMED else ""
    return " and ".join(map(cluster.label, indices[:_NAMED])) + more


def _report(cluster: Cluster, end: float, wait: float, tell: Callable[[str], None]) -> None:
    """Report to the chief as a worker, and wait for its answer."""
    told: set[str] = set()
    while True:
        answer, words = _ask(cluster, end)
        if answer == "go":
            return
        if answer == "refused":
            raise ValueError(
                f"workers: {words}; expected the same --workers and --secret-file on all "
                "machines, and for each an --index of its own. Correct this one."
            )
        if answer == "waited":
            raise RunStopped(f"workers: the chief {words} Start all, with the same --workers.")
        if time.monotonic() > end:
            raise RunStopped(
                f"workers: waited {wait:.0f} s for {cluster.label(0)}, without which the run "
                f"cannot begin ({words}). Start all, with the same --workers."
            )
        for line in [f"waiting for {cluster.label(0)}", *[words] * (answer == "unproved")]:
            if line not in told and len(told) < _NAMED:
                tell(line)
                told.add(line)
        time.sleep(_PAUSE)


def _ask(cluster: Cluster, end: float) -> tuple[str, str]:
    """Return the chief's answer with its words, or an empty answer and the reason."""
    now = time.monotonic()
    patience = min(max(_PAUSE, end - now), PATIENCE)
    try:
        with socket.create_connection(ports.host_and_port(cluster.addresses[0]), patience) as line:
            return _talk(cluster, line, now + patience, end)
    except NotUnderstood:
        return "", _MUTE
    except (OSError, ValueError) as error:  # a host name may be one that cannot be encoded
        return "", str(getattr(error, "strerror", None) or error)


def _talk(cluster: Cluster, line: socket.socket, soon: float, end: float) -> tuple[str, str]:
    """Introduce this machine to the chief, and return its answer."""
    hello = Hello.of(cluster.index, cluster.addresses, cluster.secret is not None)
    line.sendall(hello.line.encode())
    lines = _Lines(line)
    received = lines.read(soon)
    try:
        challenge = messages.read_challenge(received)
    except NotUnderstood:
        return _answer(cluster, Handshake(cluster.secret, hello), received)
    handshake = Handshake(cluster.secret, hello, challenge)
    line.sendall(handshake.line("present").encode())
    answer, words = _answer(cluster, handshake, lines.read(soon))
    if answer != "welcome":
        return answer, words
    # The chief may wait a little longer than this machine has left.
    return _answer(cluster, handshake, lines.read(max(end, time.monotonic()) + PATIENCE))


def _answer(cluster: Cluster, handshake: Handshake, line: bytes) -> tuple[str, str]:
    """Return what the chief says; what it cannot prove is no answer."""
    word, words, is_proved = handshake.read(line)
    if not is_proved:
        shown = f" ({words[:_LONGEST]})" if words else ""
        return "unproved", f"{cluster.label(0)} has not proved that it has the secret{shown}"
    return word, words


class _Lines:
    """The lines of a connection, however their bytes arrive."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._received = line, b""

    def read(self, end: float) -> bytes:
        """Return the next line.

        Args:
            end: when it must have come, by `time.monotonic`.

        Raises:
            NotUnderstood: it is not how a line of a chief begins, or longer than any.
            OSError: it did not come in time, or the connection is closed.
        """
        while b"\n" not in self._received:
            self._line.settimeout(max(0.001, end - time.monotonic()))
            part = self._line.recv(messages.LONGEST)
            if not part:
                raise ConnectionError("it has closed the connection")
            self._received += part
            if not messages.may_begin(self._received) or time.monotonic() > end:
                raise NotUnderstood
        line, _, self._received = self._received.partition(b"\n")
        return line + b"\n"
