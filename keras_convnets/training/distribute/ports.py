"""The port of this machine: where it listens, and whether it is free."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Sequence

# Names that mean the loopback interface on every machine.
_LOOPBACK = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}

Place = tuple[socket.AddressFamily, str, int]


def host_and_port(address: str) -> tuple[str, int]:
    """Return the host, without the brackets of IPv6, and the port of ``host:port``.

    Examples:
        >>> host_and_port("[::1]:29500")
        ('::1', 29500)
    """
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def places(address: str) -> Sequence[Place]:
    """Return where this machine can listen under an address of its own.

    A name may have several addresses; those of this machine count. There is none if the address
    belongs to another machine that forwards connections, as with NAT, or if a name is known to
    others only, or means the loopback interface here alone, as Debian's ``/etc/hosts`` has it.
    """
    host, port = host_and_port(address)
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # an unknown name, or none that could be encoded
        return []
    known = dict.fromkeys((family, str(where[0])) for family, *_, where in resolved)
    own = [(family, place, port) for family, place in known if _is_own(family, place)]
    is_elsewhere = not _is_literal(host) and host.lower() not in _LOOPBACK
    if is_elsewhere and all(ipaddress.ip_address(place).is_loopback for _, place, _ in own):
        return []
    return own


def everywhere(address: str) -> Place:
    """Return all interfaces, of IPv6 if the address is of it, at the port of an address."""
    host, port = host_and_port(address)
    return (socket.AF_INET6, "::", port) if ":" in host else (socket.AF_INET, "", port)


def bound(place: Place) -> socket.socket:
    """Return a socket that is bound to a place but does not listen yet.

    Raises:
        OSError: the port is taken, or is for the system's own services.
    """
    family, host, port = place
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Allow a port that a previous run has just released, but not one in use.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


def not_free(address: str, index: int, error: OSError) -> ValueError:
    """Return the error for a port that cannot be used."""
    reason = "is for the system's own services" if error.errno == errno.EACCES else "is taken"
    return ValueError(
        f"workers: the port of {address}, which is this machine's address by its index {index}, "
        f"{reason} ({error.strerror}); expected a free one. Pass another, or end what listens "
        "there."
    )


def _is_own(family: socket.AddressFamily, host: str) -> bool:
    """Return whether this is an address of this machine, which a socket can be bound to."""
    try:
        bound((family, host, 0)).close()
    except OSError:
        return False
    return True


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
