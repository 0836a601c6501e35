"""The devices and machines of a run: a ``tf.distribute`` strategy, by name."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from keras_convnets.keras_private import all_layers
from keras_convnets.training.distribute.cluster import Cluster, find_cluster
from keras_convnets.training.distribute.multi_worker import (
    explained,
    is_multi_worker,
    peers_explained,
)
from keras_convnets.training.distribute.rendezvous import meet
from keras_convnets.training.distribute.together import check_together
from keras_convnets.typed import explaining

WAIT = 600.0  # seconds to wait for all machines
_START = 60  # seconds for TensorFlow to connect machines that have all started


def silent(line: str) -> None:
    """Print nothing."""


@explaining
def choose_strategy(
    name: str = "auto",
    workers: str | None = None,
    index: int | None = None,
    wait: float = WAIT,
    tell: Callable[[str], None] = silent,
    secret_file: str | os.PathLike[str] | None = None,
) -> Any:
    """Return the ``tf.distribute`` strategy to build and train a model with.

    Call it first, before TensorFlow computes anything: several machines can only be connected
    then. It returns when all of them are connected.

    Args:
        name: ``"one"``, one device; ``"mirrored"``, all GPUs of this machine (or all logical
            devices of a CPU that was split into several); ``"multi-worker"``, several machines with
            all their GPUs; ``"auto"``, several machines if any are named, else all GPUs if there
            are several, else one device.
        workers: ``host:port`` of all machines, separated by commas, the chief first; by default
            read from the environment variable ``TF_CONFIG``. Each must be able to reach all others.
        index: the index of this machine, from 0.
        wait: seconds to wait for the other machines.
        tell: called with a line about the machines it is waiting for.
        secret_file: a file with a secret, the same on all machines, by which they recognise each
            other before TensorFlow starts.

    Returns:
        The strategy; ``None`` for one device, which does not need one.

    Raises:
        ValueError: `find_cluster` refuses the choice, or
            it is ``"mirrored"`` and there is only one device.
        RunStopped: other machines did not connect in time.

    Examples:
        >>> from keras_convnets.training import choose_strategy, is_chief
        >>> strategy = choose_strategy("one")
        >>> strategy is None, is_chief(strategy)
        (True, True)
    """
    cluster = find_cluster(name, workers, index, secret_file)
    if cluster is not None:
        return _multi_worker(cluster, wait, tell)
    if not os.environ.get("TF_CONFIG"):
        os.environ.pop("TF_CONFIG", None)  # TensorFlow reads an empty one as broken JSON
    if name == "one":
        return None
    devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    if not devices and name == "mirrored":
        devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    if name == "mirrored":
        raise ValueError(
            f"strategy: received 'mirrored', but TensorFlow sees one device, {devices[0]}; "
            "expected several. Use 'one', or 'auto', which takes whatever is there."
        )
    return None


def check_step(model: Any, jit: bool = False, steps_per_execution: int = 1) -> None:
    """Refuse options that would only fail later, because they do not work on several devices.

    Args:
        model: a model built in the scope of its strategy.
        jit: as in `check_together`.
        steps_per_execution: as in `check_together`.

    Raises:
        ValueError: as in `check_together`; here layers that compute in float16 are found.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    half = any(layer.compute_dtype == "float16" for layer in all_layers(model))
    check_together(replicas, jit, steps_per_execution, half)


def is_chief(strategy: Any) -> bool:
    """Return whether this process is the chief, which writes files; true without a cluster."""
    if not is_multi_worker(strategy):
        return True
    resolver = strategy.cluster_resolver
    has_chief_job = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (resolver.task_id == 0 and not has_chief_job)


@contextlib.contextmanager
def scope_of(strategy: Any) -> Iterator[None]:
    """Enter the scope of a strategy to build a model; a machine may be lost meanwhile.

    Args:
        strategy: the result of `choose_strategy`; with ``None``, this does nothing.

    Raises:
        PeerLost: another machine no longer responds.
    """
    if strategy is None:
        yield
        return
    with peers_explained(), strategy.scope():
        yield


def _multi_worker(cluster: Cluster, wait: float, tell: Callable[[str], None]) -> Any:
    os.environ["TF_CONFIG"] = cluster.tf_config()
    meet(cluster, wait, tell)
    try:
        with _stoppable():
            return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise explained(error) from error
    except RuntimeError as error:
        raise ValueError(
            f"strategy: TensorFlow cannot connect machines any more ({error}); expected this to be "
            "the first that it is asked for. Choose the strategy before you build or compute."
        ) from error


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let signals end the process while TensorFlow waits for other machines and blocks Python.

    All machines have just connected, so the wait is short unless one has died since; then an alarm
    ends the process. TensorFlow installs a handler that swallows SIGTERM, which is also replaced.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGALRM", None)])]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    timer = getattr(signal, "setitimer", lambda *_: None)
    timer(getattr(signal, "ITIMER_REAL", 0), _START)
    try:
        yield
    finally:
        timer(getattr(signal, "ITIMER_REAL", 0), 0)
        for number, handler in before.items():
            signal.signal(number, handler)
