"""Strangers at the meeting port: what else connects there, and what else may answer there."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterator

from keras_convnets.training.distribute.cluster import Cluster
from keras_convnets.training.distribute.messages import Handshake, Hello, digest

_NAME = b"keras-convnets/2 "
_LINE = b"keras-convnets/2 hello %s " + b"0" * 64 + b" open " + b"0" * 32 + b"\n"
_TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))
_GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x18\4\0\0\0\0\0"

# What is sent at once, and then nothing.
WORDS: dict[str, bytes] = {
    "silent": b"",
    "brackets": b"[" * 60_000 + b"\n",
    "braces": b'{"a":' * 20_000 + b"\n",
    "megabytes": b"a" * 5_000_000,
    "newlines": b"\n" * 5_000,
    "zeros": bytes(5_000),
    "bytes": bytes(range(256)) * 20,
    "utf-8": "кто там\n".encode(),
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": _TLS,
    "grpc": _GRPC,
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "number": b"12345678901234567890" * 100 + b"\n",
    "null": b"null\n",
    "true": b"true\n",
    "older": b'["keras-convnets", 1, ["127.0.0.1:1", "127.0.0.1:2"]]\n',
    "older, true": b'["keras-convnets", true, []]\n',
    "version 1": b"keras-convnets/1 hello 1\n",
    "version 3": b"keras-convnets/3 hello 1\n",
    "name only": _NAME,
    "name, no word": _NAME + b"\n",
    "long hello": _NAME + b"hello " + b"1" * 100_000 + b"\n",
    "upper case": (_LINE % b"1").upper(),
    "two lines": _LINE % b"1" + _LINE % b"1",
    "trailing": _LINE.replace(b"\n", b" x\n") % b"1",
    "carriage": _LINE.replace(b"\n", b"\r\n") % b"1",
    "go": _NAME + b"go unproved\n",
    "welcome": _NAME + b"welcome unproved\n",
    "present": _NAME + b"present unproved\n",
    **{
        f"index {index.decode()}": _LINE % index
        for index in (
            b"0", b"-1", b"01", b"1.0", b"1e0", b"true", b"True", b"null", b"+1", b"0x1", b" 1",
            b"1_0", b"99", b"999999", b"9" * 400, b"NaN", b"inf", b"\xd9\xa1", b"[1]", b"",
        )
    },
}  # fmt: skip

Connect = Callable[[], socket.socket]
Stranger = Callable[[Connect], bytes]


def of_words(words: bytes) -> Stranger:
    """Return a stranger that says something at once, and waits for what comes back."""

    def run(connect: Connect) -> bytes:
        with connect() as line:
            with contextlib.suppress(OSError):
                line.sendall(words)
            return heard(line)

    return run


def half_closed(connect: Connect) -> bytes:
    with connect() as line:
        line.sendall(_LINE % b"1")
        line.shutdown(socket.SHUT_WR)
        return heard(line)


def reset(connect: Connect) -> bytes:
    with connect() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(_LINE % b"1")
    return b""


def dribbling(connect: Connect) -> bytes:
    with connect() as line, contextlib.suppress(OSError):
        for byte in _LINE % b"1":
            line.sendall(bytes([byte]))
            time.sleep(0.1)
    return b""


def impostor(cluster: Cluster, index: int, secret: bytes | None, **changes: str) -> Stranger:
    """Return a stranger that knows all but the secret, and says hello and present in order."""

    def run(connect: Connect) -> bytes:
        hello = Hello.of(index, cluster.addresses, has_secret=secret is not None)
        with connect() as line:
            line.sendall(hello.line.encode())
            challenge = line.recv(4096)
            signed = Handshake(secret, hello, challenge.decode()).line("present")
            line.sendall(changes.get("present", signed).encode())
            return challenge + heard(line)

    return run


def reflecting(cluster: Cluster) -> Stranger:
    """Return a stranger that sends back whatever the chief says."""

    def run(connect: Connect) -> bytes:
        said = Hello.of(1, cluster.addresses, has_secret=True).line.encode()
        found = b""
        with connect() as line, contextlib.suppress(OSError):
            while said:
                line.sendall(said)
                said = line.recv(4096)
                found += said
        return found

    return run


def replaying(recorded: bytes) -> Stranger:
    """Return a stranger that says what a worker has said in another meeting."""

    def run(connect: Connect) -> bytes:
        hello, _, present = recorded.partition(b"\n")
        with connect() as line, contextlib.suppress(OSError):
            line.sendall(hello + b"\n")
            challenge = line.recv(4096)
            line.sendall(present)
            return challenge + heard(line)
        return b""

    return run


def heard(line: socket.socket) -> bytes:
    """Return what is said until the line is closed, for a few seconds at most."""
    line.settimeout(4)
    found = b""
    with contextlib.suppress(OSError):
        while part := line.recv(4096):
            found += part
    return found


def strangers(cluster: Cluster, other: bytes, recorded: bytes) -> Iterator[tuple[str, Stranger]]:
    """Yield all kinds of strangers, by name.

    Args:
        cluster: the machines of the meeting.
        other: a secret that is not theirs.
        recorded: what a worker of another meeting with their secret has said.
    """
    for name, words in WORDS.items():
        yield name, of_words(words)
    for function in (half_closed, reset, dribbling):
        yield function.__name__, function
    yield "reflecting", reflecting(cluster)
    yield "replaying", replaying(recorded)
    for index in (1, 2, 3):
        yield f"impostor {index}, no secret", impostor(cluster, index, None)
        yield f"impostor {index}, other secret", impostor(cluster, index, other)
        fake = f"keras-convnets/2 present {secrets.token_hex(32)}\n"
        yield f"impostor {index}, guessed", impostor(cluster, index, other, present=fake)
    wrong = Cluster((*cluster.addresses[:-1], "127.0.0.1:9"), 1)
    assert digest(wrong.addresses) != digest(cluster.addresses)
    yield "other addresses", impostor(wrong, 1, other)
