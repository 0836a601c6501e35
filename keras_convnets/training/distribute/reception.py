"""How the chief receives the machines of its run, among whatever else connects to its port.

All connections are served at once, so that none delays another. Each has a few seconds and two
short lines to say which worker it is; the number of those that have not yet done so is limited.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Callable

from keras_convnets.training.distribute import messages, ports
from keras_convnets.training.distribute.cluster import Cluster
from keras_convnets.training.distribute.messages import Handshake, Hello, NotUnderstood

PATIENCE = 5.0  # seconds for a connected machine to say who it is
_MOST = 128  # connections that have not yet said who they are
_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

# Kinds of connections that are turned away.
_SILENT = "without an introduction"
_STRANGE = "with an unknown protocol"
_OTHER_VERSION = "from another version of keras-convnets"
_TOO_MANY = "beyond the limit of open ones"


class _Guest:
    """A connection, and what it has said so far."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.end = line, time.monotonic() + PATIENCE
        self.received = b""
        self.hello: Hello | None = None
        self.handshake: Handshake | None = None

    def say(self, line: str) -> None:
        """Send a line; one that does not fit into the connection's buffer is lost, and so is it."""
        data = line.encode("ascii")
        if self.line.send(data) < len(data):
            raise OSError(errno.ENOBUFS, "the connection is full")


class Reception:
    """The chief's port, until all workers have come.

    Args:
        cluster: the machines; this one is the chief.
        tell: called with a line about connections that are turned away, once for each kind.

    Raises:
        ValueError: the port is taken.
    """

    def __init__(self, cluster: Cluster, tell: Callable[[str], None]) -> None:
        self._cluster, self._tell = cluster, tell
        self._present: dict[int, _Guest] = {}
        self._pending: dict[_Guest, None] = {}  # in the order in which they came
        self._turned_away: collections.Counter[str] = collections.Counter()
        self._selector = selectors.DefaultSelector()
        self._open()

    def __enter__(self) -> Reception:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def missing(self) -> list[int]:
        """Return the indices of the workers that have not come, or have left again."""
        return [i for i in range(1, len(self._cluster.addresses)) if i not in self._present]

    @property
    def turned_away(self) -> str:
        """Say how many connections of which kinds were turned away; empty if none was."""
        kinds = [f"{count} {kind}" for kind, count in self._turned_away.items()]
        return f" Turned away meanwhile: {', '.join(kinds)}." if kinds else ""

    def serve(self, seconds: float) -> None:
        """Hear everyone who has something to say, once; wait for so long if nobody has."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._accept(key.fileobj)  # type: ignore[arg-type]
            elif self._is_here(key.data):  # not dropped meanwhile
                self._hear(key.data)
        for guest in [one for one in self._pending if time.monotonic() > one.end]:
            self._drop(guest, _SILENT)

    def _is_here(self, guest: _Guest) -> bool:
        return guest in self._pending or guest in self._present.values()

    def tell_all(self, word: str, words: str = "") -> None:
        """Tell all workers that are present how it ends."""
        for guest in self._present.values():
            if guest.handshake is not None:
                with contextlib.suppress(OSError):
                    guest.say(guest.handshake.line(word, words))

    def _open(self) -> None:
        address = self._cluster.addresses[0]
        own = ports.places(address)
        if not own:
            self._tell(
                f"{address} is not an address of this machine, as behind NAT, or means something "
                "else to other machines: listening on all interfaces"
            )
        try:
            for place in own or [ports.everywhere(address)]:
                listener = ports.bound(place)
                self._selector.register(listener, selectors.EVENT_READ)
                listener.listen(socket.SOMAXCONN)
                listener.setblocking(False)
        except OSError as error:
            self.__exit__()
            raise ports.not_free(address, 0, error) from None

    def _accept(self, listener: socket.socket) -> None:
        try:
            line = listener.accept()[0]
        except OSError as error:
            if error.errno in _FULL:  # too many files are open: make room
                for guest in list(self._pending)[:1]:
                    self._drop(guest, _TOO_MANY)
                time.sleep(0.01)
            return
        line.setblocking(False)
        if len(self._pending) >= _MOST:
            silent = (one for one in self._pending if one.hello is None)
            self._drop(next(silent, next(iter(self._pending))), _TOO_MANY)
        guest = _Guest(line)
        self._pending[guest] = None
        self._selector.register(line, selectors.EVENT_READ, guest)

    def _hear(self, guest: _Guest) -> None:
        try:
            part = guest.line.recv(messages.LONGEST)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if guest not in self._pending:  # a worker that is present says nothing more: it has left
            del self._present[guest.hello.index]  # type: ignore[union-attr]
            self._close(guest)
            return
        guest.received += part
        if not part:
            self._drop(guest, _SILENT)
        elif not messages.may_begin(guest.received):
            has_name = guest.received.startswith((b"keras-convnets/", b'["keras-convnets"'))
            self._drop(guest, _OTHER_VERSION if has_name else _STRANGE)
        elif b"\n" in guest.received:
            line, guest.received = guest.received, b""
            self._answer(guest, line)

    def _answer(self, guest: _Guest, line: bytes) -> None:
        try:
            if guest.handshake is None or guest.hello is None:
                self._challenge(guest, Hello.read(line))
                return
            word, _, is_proved = guest.handshake.read(line)
            if word != "present":
                raise NotUnderstood
            self._admit(guest, guest.hello, guest.handshake, is_proved)
        except NotUnderstood:
            self._drop(guest, _STRANGE)
        except OSError:
            self._drop(guest, "that closed at once")

    def _challenge(self, guest: _Guest, hello: Hello) -> None:
        if hello.index >= len(self._cluster.addresses):
            self._refuse(guest, hello, f"there is no worker {hello.index}", "with an unknown index")
        elif hello.has_secret != (self._cluster.secret is not None):
            has, kind = ("no", "with a secret") if hello.has_secret else ("a", "without a secret")
            self._refuse(guest, hello, f"the chief has {has} secret; all need it or none", kind)
        else:
            line = messages.challenge()
            guest.say(line)
            guest.hello = hello
            guest.handshake = Handshake(self._cluster.secret, hello, line)

    def _admit(self, guest: _Guest, hello: Hello, handshake: Handshake, is_proved: bool) -> None:
        """Accept a machine of this run and refuse any other."""
        index = hello.index
        if not is_proved:
            kind = "with a different secret"
            self._refuse(guest, hello, "the chief has a different secret", kind)
        elif hello.addresses != messages.digest(self._cluster.addresses):
            reason = f"worker {index} and the chief were given other addresses"
            with contextlib.suppress(OSError):
                guest.say(handshake.line("refused", reason))
            self.tell_all("refused", reason)
            raise ValueError(
                f"workers: {reason}; this one, the chief, {list(self._cluster.addresses)!r}; "
                "expected the same, in the same order."
            )
        elif index in self._present:
            guest.say(handshake.line("refused", f"there is a {self._cluster.label(index)} already"))
            self._drop(guest, "with an index that is already taken")
        else:
            guest.say(handshake.line("welcome"))
            del self._pending[guest]
            self._present[index] = guest

    def _refuse(self, guest: _Guest, hello: Hello, words: str, kind: str) -> None:
        """Refuse a machine that has proved nothing, without a proof of this one's."""
        guest.say(Handshake(None, hello).line("refused", words))
        self._drop(guest, kind)

    def _drop(self, guest: _Guest, kind: str) -> None:
        if not self._turned_away[kind]:
            self._tell(f"turned away a connection {kind} ({_from(guest.line)}); still waiting")
        self._turned_away[kind] += 1
        del self._pending[guest]
        self._close(guest)

    def _close(self, guest: _Guest) -> None:
        self._selector.unregister(guest.line)
        guest.line.close()


def _from(line: socket.socket) -> str:
    """Return the address that a connection comes from."""
    with contextlib.suppress(OSError):
        return f"from {line.getpeername()[0]}"
    return "already closed"
