"""The machines of a run, checked before TensorFlow is imported."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from keras_convnets import checks
from keras_convnets.training.distribute import ports
from keras_convnets.training.distribute.secret import read_secret
from keras_convnets.typed import explaining

STRATEGIES = ("auto", "one", "mirrored", "multi-worker")
_JOBS = ("chief", "worker")
_PATIENCE = 5.0  # seconds for a port to become free
_PAUSE = 0.1


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The machines of a run, and the index of this one.

    Attributes:
        addresses: ``host:port`` of each machine, the chief first.
        index: the index of this machine.
        has_chief_job: whether ``TF_CONFIG`` calls the first machine ``chief``, not ``worker``.
        secret: what all machines know and others do not; ``None`` if there is no such secret. It is
            not part of the ``repr``.
    """

    addresses: tuple[str, ...]
    index: int
    has_chief_job: bool = False
    secret: bytes | None = dataclasses.field(default=None, repr=False)

    @property
    def is_chief(self) -> bool:
        """Whether this machine is the chief, which writes the files."""
        return self.index == 0

    def label(self, index: int) -> str:
        """Return the name of a machine for error messages."""
        return f"{'chief' if index == 0 else 'worker'} {index} ({self.addresses[index]})"

    def tf_config(self) -> str:
        """Return the value of the environment variable ``TF_CONFIG`` for TensorFlow."""
        addresses = list(self.addresses)
        if self.has_chief_job:
            jobs = {"chief": addresses[:1], "worker": addresses[1:]}
            task = {"type": "worker", "index": self.index - 1}
            task = {"type": "chief", "index": 0} if self.is_chief else task
        else:
            jobs, task = {"worker": addresses}, {"type": "worker", "index": self.index}
        jobs = {job: found for job, found in jobs.items() if found}
        return json.dumps({"cluster": jobs, "task": task})


@explaining
def find_cluster(
    name: str = "auto",
    workers: str | None = None,
    index: int | None = None,
    secret_file: str | os.PathLike[str] | None = None,
) -> Cluster | None:
    """Return the machines of a run; refuse an invalid choice early, without TensorFlow.

    Args:
        name: ``"auto"``, ``"one"``, ``"mirrored"`` or ``"multi-worker"``.
        workers: ``host:port`` of all machines, separated by commas, the chief first; by default
            read from the environment variable ``TF_CONFIG``.
        index: the index of this machine, from 0.
        secret_file: a file with a secret, by which the machines recognise each other.

    Returns:
        The machines; ``None`` for a run on this machine alone.

    Raises:
        ValueError: the strategy is unknown, addresses are invalid or repeated, the index is out of
            range, the port is taken, options are missing or contradict each other, or the secret
            cannot be read or could be read by others.

    Examples:
        >>> find_cluster("one")
        >>> find_cluster("multi-worker", "localhost:29511,localhost:29512", 1).label(0)
        'chief 0 (localhost:29511)'
    """
    checks.choice("strategy", name, STRATEGIES)
    config = _tf_config() if name in ("auto", "multi-worker") else None
    if (workers is None) != (index is None):
        given, lacking = ("index", "workers") if workers is None else ("workers", "index")
        raise ValueError(
            f"{given}: received it without {lacking}; expected both, or neither. Pass all "
            "machines as --workers host:port,... and which of them this one is as --index."
        )
    if workers is not None and name not in ("auto", "multi-worker"):
        raise ValueError(
            f"workers: received {workers!r} with strategy {name!r}; expected them with "
            "'multi-worker' only. Leave one of both out."
        )
    if workers is not None and config is not None:
        raise ValueError(
            f"workers: received {workers!r}, while TF_CONFIG is set as well; expected one of both. "
            "Leave --workers and --index out, or unset TF_CONFIG."
        )
    if workers is None and config is None:
        if name == "multi-worker":
            raise ValueError(
                "strategy: received 'multi-worker', but not which machines; expected --workers "
                "host:port,... and --index N, or TF_CONFIG in the environment. Pass them."
            )
        _check_no_secret(secret_file)
        return None
    found = _from_options(str(workers), index) if config is None else _from_config(config)
    if secret_file is not None:
        found = dataclasses.replace(found, secret=read_secret(secret_file))
    _check_port(found)
    return found


def _check_no_secret(secret_file: Any) -> None:
    if secret_file is not None:
        raise ValueError(
            f"secret_file: received {os.fspath(secret_file)!r} for a run on one machine; expected "
            "it only with several, named by --workers or TF_CONFIG. Leave it out."
        )


def _from_options(workers: str, index: Any) -> Cluster:
    addresses = _addresses("workers", [part.strip() for part in workers.split(",")])
    return Cluster(addresses, _index("index", index, len(addresses)))


def _tf_config() -> Mapping[str, Any] | None:
    """Return the contents of ``TF_CONFIG``; ``None`` if it names no machines."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"TF_CONFIG: received {text!r}, which is not JSON ({error}); expected a cluster and a "
            "task. Correct it, or unset it and pass --workers and --index."
        ) from None
    if not isinstance(config, Mapping):
        raise ValueError(
            f"TF_CONFIG: received {text!r}; expected a JSON object with a cluster and a task. "
            "Correct it, or unset it."
        )
    return config if config.get("cluster") else None


def _from_config(config: Mapping[str, Any]) -> Cluster:
    jobs, task = config["cluster"], config.get("task")
    known = isinstance(jobs, Mapping) and set(jobs) <= set(_JOBS)
    if not known or not all(isinstance(found, list) for found in jobs.values()):
        raise ValueError(
            f"TF_CONFIG: received the cluster {jobs!r}; expected lists of addresses called "
            "'worker', or 'chief' and 'worker', for there are no other parts in such a run."
        )
    chief = jobs.get("chief", [])
    if len(chief) > 1:
        raise ValueError(f"TF_CONFIG: received {len(chief)} chiefs; expected one at most.")
    addresses = _addresses("TF_CONFIG", [*chief, *jobs.get("worker", [])])
    if not isinstance(task, Mapping) or task.get("type") not in jobs:
        raise ValueError(
            f"TF_CONFIG: received the task {task!r}; expected one of the cluster's, such as "
            "{'type': 'worker', 'index': 0}."
        )
    index = _index("TF_CONFIG", task.get("index"), len(jobs[task["type"]]))
    before = len(chief) if task["type"] == "worker" else 0
    return Cluster(addresses, before + index, bool(chief))


def _addresses(what: str, parts: list[Any]) -> tuple[str, ...]:
    for address in parts:
        host, _, port = str(address).rpartition(":")
        sane = (
            host.isprintable()
            and host
            and not set(host) & set(" /@,")
            and port.isascii()
            and port.isdigit()
        )
        if not isinstance(address, str) or not sane or not 1 <= int(port) <= 65535:
            raise ValueError(
                f"{what}: received the address {address!r}; expected host:port with a port from 1 "
                "to 65535, such as 10.0.0.1:12345."
            )
    twice = sorted({address for address in parts if parts.count(address) > 1})
    if twice:
        raise ValueError(
            f"{what}: received {twice[0]!r} twice; expected an address of its own for each worker. "
            "Give those on one machine different ports."
        )
    return tuple(parts)


def _index(what: str, index: Any, count: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
        choices = "0, for there is one worker" if count == 1 else f"0 to {count - 1}"
        raise ValueError(f"{what}: received the index {index!r}; expected {choices}.")
    return index


def _check_port(cluster: Cluster) -> None:
    """Refuse a port that is in use: TensorFlow would share it and wait forever.

    A process of this worker that has just been killed may take a moment to release it.
    """
    address = cluster.addresses[cluster.index]
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            ports.bound(ports.everywhere(address)).close()
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise ports.not_free(address, cluster.index, error) from None
        time.sleep(_PAUSE)
