import json
import socket
import subprocess
import sys
import threading

import pytest

from keras_convnets.training.distribute import cluster
from keras_convnets.training.distribute.cluster import find_cluster
from replica import addresses


@pytest.fixture(autouse=True)
def _no_cluster_around(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


def tf_config(monkeypatch, cluster, task=None):
    task = {"type": "worker", "index": 0} if task is None else task
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))


@pytest.mark.parametrize("name", ["auto", "one", "mirrored"])
def test_one_machine(name, monkeypatch):
    assert find_cluster(name) is None
    monkeypatch.setenv("TF_CONFIG", '{"environment": "cloud"}')  # which names no machines
    assert find_cluster(name) is None


@pytest.mark.parametrize("name", ["auto", "multi-worker"])
def test_machines_by_their_addresses(name):
    workers = addresses(3)
    found = find_cluster(name, workers.replace(",", ", "), 2)
    assert found.addresses == tuple(workers.split(","))
    assert (found.index, found.is_chief) == (2, False)
    assert json.loads(found.tf_config()) == {
        "cluster": {"worker": workers.split(",")},
        "task": {"type": "worker", "index": 2},
    }
    assert find_cluster(name, workers, 0).is_chief


@pytest.mark.parametrize(
    ("task", "index"),
    [({"type": "chief", "index": 0}, 0), ({"type": "worker", "index": 1}, 2)],
)
def test_machines_by_tf_config(task, index, monkeypatch):
    chief, *workers = addresses(3).split(",")
    cluster = {"chief": [chief], "worker": workers}
    tf_config(monkeypatch, cluster, task)
    found = find_cluster("auto")
    assert (found.addresses, found.index) == ((chief, *workers), index)
    assert found.is_chief == (index == 0)
    assert json.loads(found.tf_config()) == {"cluster": cluster, "task": task}
    assert find_cluster("one") is None  # it is asked for in so many words


@pytest.mark.parametrize(
    ("name", "workers", "index", "words"),
    [
        ("two", None, None, "strategy: received 'two'; expected"),
        ("multi-worker", None, None, "not which machines; expected --workers host:port,..."),
        ("multi-worker", "a:1234", None, "workers: received it without index"),
        ("auto", None, 0, "index: received it without workers"),
        ("one", "a:1234", 0, "workers: received 'a:1234' with strategy 'one'"),
        ("auto", "", 0, "received the address ''; expected host:port"),
        ("auto", "a:1,", 0, "received the address ''; expected host:port"),
        ("auto", "a", 0, "received the address 'a'; expected host:port"),
        ("auto", ":1234", 0, "received the address ':1234'"),
        ("auto", "a:b", 0, "received the address 'a:b'"),
        ("auto", "a:0", 0, "received the address 'a:0'"),
        ("auto", "a:65536", 0, "received the address 'a:65536'"),
        ("auto", "http://a:1", 0, "received the address 'http://a:1'"),
        ("auto", "a:1,b:1,a:1", 0, "workers: received 'a:1' twice"),
        ("auto", "a:1,b:1", 2, "index: received the index 2; expected 0 to 1"),
        ("auto", "a:1,b:1", -1, "index: received the index -1; expected 0 to 1"),
        ("auto", "a:1", True, "index: received the index True; expected 0, for there is one"),
    ],
)
def test_what_is_refused(name, workers, index, words):
    with pytest.raises(ValueError, match="received") as caught:
        find_cluster(name, workers, index)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "which is not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"cluster": {"worker": ["a:1"]}}', "received the task None"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "the task"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "index 1"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}}', "received the cluster"),
        ('{"cluster": {"worker": "a:1"}}', "received the cluster"),
        ('{"cluster": {"chief": ["a:1", "b:1"]}}', "received 2 chiefs"),
        ('{"cluster": {"worker": [1]}}', "received the address 1"),
    ],
)
def test_what_is_refused_of_tf_config(text, words, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="^TF_CONFIG: received") as caught:
        find_cluster("multi-worker")
    assert words in str(caught.value)


def test_machines_named_twice_over(monkeypatch):
    tf_config(monkeypatch, {"worker": ["a:1234"]})
    with pytest.raises(ValueError, match="while TF_CONFIG is set as well; expected one of both"):
        find_cluster("auto", "a:1234", 0)


def test_a_port_that_is_taken(monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 0)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        workers = f"a:{port},b:{port}"
        with pytest.raises(ValueError, match=f"the port of b:{port}.* by its index 1, is taken"):
            find_cluster("auto", workers, 1)
    assert find_cluster("auto", workers, 1).index == 1


def test_a_port_that_a_killed_process_is_about_to_release():
    other = socket.socket()
    other.bind(("127.0.0.1", 0))
    other.listen()
    workers = f"a:1,b:{other.getsockname()[1]}"
    threading.Timer(0.3, other.close).start()
    assert find_cluster("auto", workers, 1).index == 1


def test_it_takes_no_tensorflow():
    module = "keras_convnets.training.distribute.cluster"
    code = f"import sys, {module}; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
