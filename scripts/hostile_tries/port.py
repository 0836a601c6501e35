"""The meeting port: strangers of all kinds while the real workers join, and false chiefs."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault
from hostile_tries.strangers import WORDS, heard, of_words, strangers
from hostile_tries.trying import REFUSED, WORKED, Count, Try, each, refused
from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute import reception, rendezvous
from keras_convnets.training.distribute.cluster import Cluster, find_cluster
from keras_convnets.training.distribute.messages import challenge
from keras_convnets.training.distribute.secret import read_secret

_SECRET, _OTHER = b"0123456789abcdef-ours", b"0123456789abcdef-theirs"
_WORKERS = 3
_SOON = 3.0  # seconds within which the real workers must have met
_FLOOD = 500


class Machine(threading.Thread):
    """A machine that goes to the meeting; ``outcome`` is how it ended."""

    def __init__(self, cluster: Cluster, wait: float = 15) -> None:
        super().__init__(daemon=True)
        self.cluster, self.wait, self.outcome = cluster, wait, None
        self.lines: list[str] = []
        self.start()

    def run(self) -> None:
        try:
            rendezvous.meet(self.cluster, self.wait, self.lines.append)
            self.outcome: Any = "met"
        except BaseException as error:
            self.outcome = error

    def done(self) -> Any:
        self.join(20)
        return self.outcome


def clusters(count: int, secret: bytes | None, host: str = "127.0.0.1") -> list[Cluster]:
    """Return the machines of a run with free ports, none of which strangers get by chance."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = []
    for port in random.SystemRandom().sample(range(first // 3, first), 100):
        with socket.socket(family) as listener, contextlib.suppress(OSError):
            listener.bind((host.strip("[]"), port))
            found.append(f"{host}:{port}")
    return [Cluster(tuple(found[:count]), index, secret=secret) for index in range(count)]


def connector(cluster: Cluster) -> Callable[[], socket.socket]:
    """Return a function that connects to the chief, once it listens."""
    host, _, port = cluster.addresses[0].rpartition(":")

    def connect() -> socket.socket:
        for _ in range(2000):
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection((host.strip("[]"), int(port)), 5)
            time.sleep(0.02)
        raise Fault("nobody listens")

    return connect


def meet_among(
    machines: Sequence[Cluster], visitors: Sequence[tuple[str, Callable[[], bytes]]]
) -> tuple[float, dict[str, bytes]]:
    """Let the real workers join among visitors; return the last one's seconds and answers."""
    answers: dict[str, bytes] = {}

    def visit(name: str, run: Callable[[], bytes]) -> None:
        time.sleep(random.Random(name).uniform(0, 2))
        with contextlib.suppress(OSError):
            answers[name] = run()

    chief = Machine(machines[0])
    connector(machines[0])().close()
    threads = [threading.Thread(target=visit, args=one, daemon=True) for one in visitors]
    for thread in threads:
        thread.start()
    workers = []
    for cluster in machines[1:]:  # they come while strangers come and go
        time.sleep(0.5)
        started = time.monotonic()
        workers.append(Machine(cluster))
    outcomes = [machine.done() for machine in (chief, *workers)]
    seconds = time.monotonic() - started
    for thread in threads:
        thread.join(6)
    if outcomes != ["met"] * len(machines):
        raise Fault(f"the machines ended with {outcomes}")
    if seconds > _SOON:
        raise Fault(f"the real workers met after {seconds:.1f} s")
    if len(chief.lines) > 20 or any(not line.isprintable() for line in chief.lines):
        raise Fault(f"the chief printed {chief.lines}")
    if any(secret in str(chief.lines) for secret in (_SECRET.decode(), _OTHER.decode())):
        raise Fault("the chief printed a secret")
    return seconds, answers


def admitted(answers: dict[str, bytes]) -> list[str]:
    """Return the visitors that were welcomed."""
    return [name for name, said in answers.items() if b" welcome " in said or b" go " in said]


def _record() -> bytes:
    """Return what worker 1 says in a meeting of its own with the secret."""
    said = []
    chief, worker = clusters(2, _SECRET)
    send = socket.socket.sendall
    machine = Machine(chief)
    connector(chief)().close()

    class Recording(socket.socket):
        def sendall(self, data: bytes, *flags: int) -> None:  # type: ignore[override]
            said.append(data)
            send(self, data, *flags)

    stock = socket.create_connection

    def create(*arguments: Any) -> socket.socket:
        line = stock(*arguments)
        return Recording(line.family, line.type, line.proto, line.detach())

    rendezvous.socket.create_connection = create  # type: ignore[attr-defined]
    rendezvous.meet(worker, 5, lambda line: None)
    rendezvous.socket.create_connection = stock  # type: ignore[attr-defined]
    machine.done()
    return b"".join(said)


def _with_secret() -> Count:
    recorded = _record()
    machines = clusters(1 + _WORKERS, _SECRET)
    connect = connector(machines[0])
    visitors = [
        (f"{name} ({copy})", lambda stranger=stranger: stranger(connect))
        for copy in range(3)
        for name, stranger in strangers(machines[0], _OTHER, recorded)
    ]
    return _counted("with a secret", *meet_among(machines, visitors), len(visitors))


def _without_secret() -> Count:
    machines = clusters(1 + _WORKERS, None)
    connect = connector(machines[0])
    visitors = [
        (f"{name} ({copy})", lambda words=words: of_words(words)(connect))
        for copy in range(3)
        for name, words in WORDS.items()
    ]
    return _counted("without a secret", *meet_among(machines, visitors), len(visitors))


def _flood() -> Count:
    machines = clusters(1 + _WORKERS, _SECRET)
    connect = connector(machines[0])
    held = []

    def hold() -> bytes:
        held.extend(connect() for _ in range(_FLOOD // 10))
        return b"".join(heard(line) for line in held[:2])

    visitors = [(f"flood {number}", hold) for number in range(10)]
    return _counted(f"{_FLOOD} that say nothing", *meet_among(machines, visitors), _FLOOD)


def _counted(what: str, seconds: float, answers: dict[str, bytes], count: int) -> Count:
    if found := admitted(answers):
        raise Fault(f"admitted: {', '.join(found)}")
    note = f"{count} strangers, {what}: admitted were workers 1, 2 and 3 alone, in {seconds:.1f} s"
    return {REFUSED: count, WORKED: 1, "notes": [note]}


def _chief_that_is_none(words: Sequence[bytes], secret: bytes | None = _SECRET) -> str:
    """Let something else answer at the chief's address first, and then the chief."""
    chief, worker = clusters(2, secret)
    host, _, port = chief.addresses[0].rpartition(":")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, int(port)))
        server.listen()
        machine = Machine(worker)
        line = server.accept()[0]
    with line, contextlib.suppress(OSError):
        for part in words:
            line.recv(4096)
            line.sendall(part)
        time.sleep(0.1)
    real = Machine(chief)
    if [machine.done(), real.done()] != ["met", "met"]:
        raise Fault(f"ended with {machine.outcome!r} and {real.outcome!r}")
    shown = "".join(machine.lines)
    if not shown.isprintable() or len(shown) > 2_000:
        raise Fault(f"the worker printed {shown!r:.300}")
    return WORKED


def _reflecting_chief() -> str:
    """Answer a worker's words with themselves."""
    chief, worker = clusters(2, _SECRET)
    with socket.create_server(("127.0.0.1", int(chief.addresses[0].rpartition(":")[2]))) as server:
        machine = Machine(worker, wait=2)

        def reflect() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as line:
                        line.recv(4096)
                        line.sendall(challenge().encode())
                        line.sendall(line.recv(4096))

        threading.Thread(target=reflect, daemon=True).start()
        outcome = machine.done()
    if not isinstance(outcome, RunStopped):
        raise Fault(f"ended with {outcome!r}")
    return REFUSED


def _dribbling_chief() -> str:
    """Answer a worker a byte at a time, for ever: it must end in time."""
    chief, worker = clusters(2, None)
    with socket.create_server(("127.0.0.1", int(chief.addresses[0].rpartition(":")[2]))) as server:
        started = time.monotonic()
        machine = Machine(worker, wait=2)

        def dribble() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as line:
                for byte in b"keras-convnets/2 challenge " + b"0" * 1000:
                    line.sendall(bytes([byte]))
                    time.sleep(0.05)

        threading.Thread(target=dribble, daemon=True).start()
        outcome, seconds = machine.done(), time.monotonic() - started
    if not isinstance(outcome, RunStopped) or seconds > 5:
        raise Fault(f"ended with {outcome!r} after {seconds:.1f} s")
    return REFUSED


def _secrets_differ(of_chief: bytes | None, of_worker: bytes | None) -> str:
    """Machines that do not share a secret never meet, and each says so."""
    chief, worker = clusters(2, None)
    machines = [
        Machine(Cluster(one.addresses, one.index, secret=secret), wait=2)
        for one, secret in ((chief, of_chief), (worker, of_worker))
    ]
    for machine in machines:
        if not isinstance(machine.done(), ValueError | RunStopped):
            raise Fault(f"ended with {machine.outcome!r}")
        if "secret" not in f"{machine.lines} {machine.outcome}":
            raise Fault(f"did not name the secret: {machine.lines}, {machine.outcome!r}")
    return REFUSED


def _only_where_named(host: str, others: Sequence[str]) -> str:
    """The chief listens at the address that is named, and at no other."""
    machines = clusters(2, None, host)
    port = int(machines[0].addresses[0].rpartition(":")[2])
    chief = Machine(machines[0])
    connector(machines[0])().close()
    for other in others:
        with contextlib.suppress(OSError), socket.create_connection((other, port), 2):
            raise Fault(f"listens on {other} for {host}")
    if [Machine(machines[1]).done(), chief.done()] != ["met", "met"]:
        raise Fault(f"ended with {chief.outcome!r}")
    return WORKED


def _addresses() -> list[str]:
    """Return the addresses of this machine other than the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return [probe.getsockname()[0]]
    return []


def _secret_files(place: Path) -> Iterator[Try]:
    def written(name: str, content: bytes, mode: int = 0o600) -> Path:
        path = place / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    good = b"0123456789abcdef0123"
    (place / "folder").mkdir()
    os.mkfifo(place / "fifo", 0o600)
    bad = {
        "missing": place / "none",
        "empty": written("empty", b""),
        "blank": written("blank", b" \n\t\n" * 20),
        "short": written("short", b"password\n"),
        "long": written("long", b"a" * 100_000),
        "read by others": written("others", good, 0o644),
        "read by the group": written("group", good, 0o640),
        "written by others": written("writable", good, 0o602),
        "folder": place / "folder",
        "fifo": place / "fifo",
        "device": Path("/dev/zero"),
        "no such user": Path("~nosuchuser/secret"),
        "null": Path("a\0b"),
        "long name": Path("a" * 5_000),
    }
    for name, path in bad.items():
        yield Try(
            f"secret file, {name}", lambda path=path: refused(read_secret, path, says="secret_file")
        )
    alone = written("good", good + b"\n")
    yield Try("a secret for one machine", lambda: refused(find_cluster, "one", secret_file=alone))

    def is_hidden() -> str:
        found = find_cluster("auto", "127.0.0.1:1234,127.0.0.1:1235", 0, alone)
        if found is None or found.secret != good or good.decode() in f"{found!r}{found}":
            raise Fault("the secret is not read, or shown")
        return WORKED

    yield Try("a secret is read and never shown", is_hidden)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of the meeting port."""
    reception.PATIENCE = 2.0
    yield from each({"with a secret": _with_secret, "without a secret": _without_secret})
    yield from each({"a flood": _flood, "reflected": _reflecting_chief, "slow": _dribbling_chief})
    for name, words in WORDS.items():
        if len(words) < 100_000:
            yield Try(f"chief: {name}", lambda words=words: _chief_that_is_none([words]))
    escapes = b"keras-convnets/2 refused unproved \x1b[31mred\n"
    refusal = b"keras-convnets/2 refused unproved Go home. Your disk is full.\n"
    zeros = b"keras-convnets/2 challenge " + b"0" * 32 + b"\n"
    for name, words in {
        "escapes": [escapes],
        "refusal": [refusal],
        "go at once": [b"keras-convnets/2 go unproved\n"],
        "go, unproved": [zeros, b"keras-convnets/2 welcome unproved\n"],
        "go, guessed": [zeros, b"keras-convnets/2 go " + b"a" * 64 + b"\n"],
        "challenged twice": [zeros, zeros],
        "challenged with more": [zeros * 50],
    }.items():
        yield Try(f"chief: {name}", lambda words=words: _chief_that_is_none(words))
    for pair in ((_SECRET, _OTHER), (_SECRET, None), (None, _SECRET)):
        yield Try(f"secrets {pair}", lambda pair=pair: _secrets_differ(*pair))
    others = _addresses()
    yield Try("localhost", lambda: _only_where_named("localhost", others))
    yield Try("127.0.0.1", lambda: _only_where_named("127.0.0.1", ["127.0.0.2", *others]))
    yield Try("127.0.0.3", lambda: _only_where_named("127.0.0.3", ["127.0.0.1", *others]))
    if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
        yield Try("::1", lambda: _only_where_named("[::1]", ["127.0.0.1", *others]))
    for other in others:
        yield Try("own address", lambda other=other: _only_where_named(other, ["127.0.0.1"]))
    yield from _secret_files(place)
