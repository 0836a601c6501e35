import contextlib
import socket
import threading
import time

import pytest

from keras_convnets.errors import RunStopped
from keras_convnets.training.distribute.cluster import Cluster
from keras_convnets.training.distribute.messages import Handshake, Hello, challenge
from keras_convnets.training.distribute.ports import places
from keras_convnets.training.distribute.reception import Reception
from keras_convnets.training.distribute.rendezvous import meet
from replica import addresses

LIMIT = 20


class Machine(threading.Thread):
    """One that goes to the meeting; ``outcome`` is what came of it."""

    def __init__(self, cluster, wait=LIMIT):
        super().__init__(daemon=True)
        self.cluster, self.wait, self.lines, self.outcome = cluster, wait, [], None
        self.start()

    def run(self):
        try:
            self.outcome = meet(self.cluster, self.wait, self.lines.append) or "met"
        except Exception as error:
            self.outcome = error

    def done(self):
        self.join(3 * LIMIT)
        return self.outcome


@pytest.fixture
def all_three():
    found = tuple(addresses(3).split(","))
    return [Cluster(found, index) for index in range(3)]


def connected(cluster):
    """Return a line to the chief, once it listens."""
    for _ in range(20 * LIMIT):
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", int(cluster.addresses[0][10:])), 5)
        time.sleep(0.05)
    raise AssertionError("nobody listens")


def wait_for(condition):
    for _ in range(20 * LIMIT):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it has not come")


def greet(line, cluster):
    """Say hello as a worker, and that it is present."""
    hello = Hello.of(cluster.index, cluster.addresses, has_secret=False)
    line.sendall(hello.line.encode())
    line.recv(4096)
    line.sendall(Handshake(None, hello).line("present").encode())


def test_all_go_on_when_the_last_has_come(all_three):
    machines = [Machine(all_three[2]), Machine(all_three[1])]
    for machine in machines:
        wait_for(lambda machine=machine: machine.lines)
    time.sleep(0.5)
    assert [machine.outcome for machine in machines] == [None, None]
    assert machines[0].lines == [f"waiting for chief 0 ({all_three[0].addresses[0]})"]
    machines.append(Machine(all_three[0]))
    assert [machine.done() for machine in machines] == ["met"] * 3
    with socket.socket() as listener:  # TensorFlow's server takes the port at once
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(all_three[0].addresses[0][10:])))


def test_one_is_alone_by_itself():
    assert Machine(Cluster(("127.0.0.1:1",), 0)).done() == "met"


def test_who_does_not_come_is_named(all_three):
    chief, worker = Machine(all_three[0], wait=3), Machine(all_three[1])
    missing = f"waited 3 s for worker 2 ({all_three[0].addresses[2]})"
    for machine in (chief, worker):
        assert isinstance(machine.done(), RunStopped)
        assert missing in str(machine.outcome)
    assert len(chief.lines) == 1


def test_a_chief_that_does_not_come(all_three):
    outcome = Machine(all_three[1], wait=1).done()
    assert isinstance(outcome, RunStopped)
    assert f"waited 1 s for chief 0 ({all_three[0].addresses[0]})" in str(outcome)


def test_strangers_and_workers_of_before_are_not_counted(all_three):
    chief = Machine(all_three[0])
    with connected(all_three[0]) as stranger, connected(all_three[0]) as before:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        greet(before, all_three[1])
        time.sleep(1)
    # Worker 1 has hung up, as one that is killed does; another takes its place.
    with connected(all_three[0]) as stranger:
        stranger.sendall(Hello.of(-1, all_three[1].addresses, False).line.encode())
        last = Machine(all_three[2])
        time.sleep(1)
    assert chief.outcome is None
    assert Machine(all_three[1]).done() == chief.done() == last.done() == "met"


def test_one_index_twice(all_three):
    chief, first = Machine(all_three[0]), Machine(all_three[1])
    time.sleep(1)
    second = Machine(all_three[1]).done()
    assert isinstance(second, ValueError)
    assert "there is a worker 1" in str(second)
    last = Machine(all_three[2])
    assert chief.done() == first.done() == last.done() == "met"


def test_other_addresses(all_three):
    others = Cluster((*all_three[0].addresses[:2], "127.0.0.1:9"), 1)
    for machine in (Machine(all_three[0]), Machine(others)):
        assert isinstance(machine.done(), ValueError)
        assert "worker 1 and the chief were given other addresses" in str(machine.outcome)


def test_a_server_of_tensorflows_at_the_chiefs_port(all_three):
    port = int(all_three[0].addresses[0][10:])
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        worker = Machine(Cluster(all_three[0].addresses[:2], 1))
        line = server.accept()[0]
        line.sendall(b"\0\0\x12\4\0")  # how HTTP/2 begins
    with line:
        chief = Machine(Cluster(all_three[0].addresses[:2], 0))
        assert worker.done() == chief.done() == "met"


SECRET = b"0123456789abcdef"


def with_secret(machine, secret=SECRET):
    return Cluster(machine.addresses, machine.index, secret=secret)


def test_machines_with_a_secret(all_three):
    machines = [Machine(with_secret(machine)) for machine in all_three]
    assert [machine.done() for machine in machines] == ["met"] * 3
    assert SECRET.decode() not in f"{machines[0].cluster}"


@pytest.mark.parametrize(
    ("of_chief", "of_worker"), [(SECRET, b"x" * 16), (SECRET, None), (None, SECRET)]
)
def test_machines_without_the_same_secret_do_not_meet(of_chief, of_worker, all_three):
    chief = Machine(Cluster(all_three[0].addresses[:2], 0, secret=of_chief), wait=1)
    worker = Machine(Cluster(all_three[0].addresses[:2], 1, secret=of_worker), wait=1)
    assert isinstance(chief.done(), RunStopped)
    assert isinstance(worker.done(), RunStopped if of_worker else ValueError)
    for machine in (chief, worker):
        assert "secret" in f"{machine.lines} {machine.outcome}"


def test_the_words_of_one_meeting_prove_nothing_in_another(all_three):
    hello = Hello.of(1, all_three[0].addresses, has_secret=True)
    first, second = (Handshake(SECRET, hello, challenge()) for _ in range(2))
    assert first.read(first.line("present").encode()) == ("present", "", True)
    assert second.read(first.line("present").encode()) == ("present", "", False)
    swapped = first.line("welcome").replace("welcome", "present")  # what the chief says, sent back
    assert first.read(swapped.encode()) == ("present", "", False)
    other = Handshake(SECRET, Hello.of(2, all_three[0].addresses, has_secret=True), challenge())
    assert not other.read(first.line("go").encode())[2]
    assert not Handshake(SECRET, hello).read(Handshake(None, hello).line("go").encode())[2]


@pytest.mark.parametrize("secret", [SECRET, None])
def test_strangers_keep_nobody_out_and_do_not_come_in(secret, all_three):
    machines = [with_secret(machine, secret) for machine in all_three]
    chief = Machine(machines[0])
    said = [
        b"",
        b"[" * 60_000 + b"\n",
        b'["keras-convnets", true, []]\n',
        b"keras-convnets/2 hello 1",
    ]
    said += [
        f"keras-convnets/2 hello {index} {'0' * 64} open {'0' * 32}\n".encode()
        for index in ("9", "true", "-1", "1.0")
    ]
    with contextlib.ExitStack() as lines:
        strangers = [lines.enter_context(connected(all_three[0])) for _ in range(200)]
        for number, stranger in enumerate(strangers):
            with contextlib.suppress(OSError):  # it may have hung up at once
                stranger.sendall(said[number % len(said)])
        started = time.monotonic()
        workers = [Machine(machine) for machine in machines[1:]]
        assert [machine.done() for machine in (chief, *workers)] == ["met"] * 3
        assert time.monotonic() - started < 3
    assert 2 < len(chief.lines) < 12
    assert "index" in "".join(chief.lines)


def test_a_false_chief_prints_nothing_but_a_line(all_three):
    cluster = with_secret(Cluster(all_three[0].addresses[:2], 1))
    port = int(all_three[0].addresses[0][10:])
    with socket.create_server(("127.0.0.1", port)) as server:
        worker = Machine(cluster, wait=1)
        with server.accept()[0] as line:
            line.sendall(b"keras-convnets/2 refused unproved Go home.\n")
            time.sleep(0.1)
    assert isinstance(worker.done(), RunStopped)
    assert "chief 0 (127.0.0.1" in worker.lines[1]
    assert "has not proved that it has the secret (Go home.)" in worker.lines[1]


def test_the_chief_listens_where_it_is_named_and_nowhere_else():
    found = tuple(addresses(2).replace("127.0.0.1", "127.0.0.2").split(","))
    chief = Machine(Cluster(found, 0))
    port = int(found[0].rpartition(":")[2])
    worker = Machine(Cluster(found, 1))
    assert [chief.done(), worker.done()] == ["met", "met"]
    with Reception(Cluster(found, 0), print), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 2).close()


@pytest.mark.parametrize(
    "resolved",
    [
        ["127.0.1.1"],  # as Debian has the machine's own name in /etc/hosts: others know another
        ["192.0.2.1"],  # as behind NAT: no address of this machine
        ["192.0.2.1", "127.0.0.1"],
    ],
)
def test_a_name_that_means_another_address_to_others(resolved, monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", (place, 1)) for place in resolved]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    assert places("host0:29500") == []  # so it is listened for on all interfaces
    own = [(socket.AF_INET, place, 29500) for place in resolved if place != "192.0.2.1"]
    assert places("localhost:29500") == own
