"""The address of a server, which is taken before a model is loaded: what is wrong shows at once."""

from __future__ import annotations

import errno
import importlib.util
import ipaddress
import socket

from keras_convnets.received import shown

_MODULES = ("fastapi", "python_multipart", "uvicorn")
_MOST_PORTS = 65535
BACKLOG = 256


def check_installed() -> None:
    """Refuse to serve without the packages for it.

    Raises:
        ValueError: one is missing.
    """
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"serve: received no package {', '.join(missing)}; expected it, to serve. Install it: "
            "pip install 'keras_convnets[serve]'."
        )


class Address:
    """An address that is taken for a server: from now on, no other program can have it.

    Args:
        host: a name or number of this machine.
        port: 1 to 65535, or 0 for any that is free.

    Attributes:
        socket: the socket, which listens.
        port: the port.
        is_local: whether only this machine can reach it.

    Raises:
        ValueError: there is no such address, or it is taken.

    Examples:
        >>> with Address("127.0.0.1", 0) as address:
        ...     address.is_local, address.port > 0, str(address).startswith("http://127.0.0.1:")
        (True, True, True)
    """

    def __init__(self, host: str, port: int) -> None:
        if not 0 <= port <= _MOST_PORTS:
            raise ValueError(
                f"port: received {port}; expected 0 (any that is free) to {_MOST_PORTS}. Name one."
            )
        self.host = host
        self.socket = _listening(host, port)
        number, self.port = self.socket.getsockname()[:2]
        self.is_local = ipaddress.ip_address(number.partition("%")[0]).is_loopback

    def __enter__(self) -> Address:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def names(self) -> frozenset[str] | None:
        """The names by which requests may call it; ``None`` for any if it is not local."""
        if not self.is_local:
            return None
        return frozenset({"localhost", "127.0.0.1", "::1", self.host.lower()})


def _listening(host: str, port: int) -> socket.socket:
    try:
        [(family, _, _, _, where), *_] = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise _no_host(host, error) from error
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(where)
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise _no_host(host, error) from error
        raise ValueError(
            f"port: received {port} on {host}, which cannot be had ({error.strerror}); expected "
            "one that is free. Name another with --port, or 0 for any."
        ) from error
    return taken


def _no_host(host: str, error: Exception) -> ValueError:
    return ValueError(
        f"host: received {shown(host)} ({error}); expected a name or number of this machine. "
        "Name 127.0.0.1, or 0.0.0.0 for all networks."
    )
