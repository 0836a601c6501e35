"""Fixes for ``model.fit`` on several devices and machines, and handling of lost machines."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from keras_convnets import checks
from keras_convnets.errors import PeerLost

_ABORTED = "Collective ops is aborted by"
_OF_PEERS = (_ABORTED, "CoordinationService", "coordination service")


@contextlib.contextmanager
def patched_fit(strategy: Any) -> Iterator[None]:
    """Make ``fit`` and ``evaluate`` of this Keras work on several devices and machines.

    Keras 3.15 asks the strategy for two reductions that it cannot do. One is the mean of a whole
    batch, a structure of values, although Keras needs only its shapes and dtypes; this fails on
    several machines, and on several GPUs if their parts of the batch differ in size. The other is
    the mean of scalars along their first axis, which they do not have. This patch answers the first
    with the first device's part, and the second with the mean over the devices. All other calls,
    including those of a Keras that asks differently, go to the strategy unchanged.

    Inside the context, the loss of another machine is raised as `PeerLost`.

    Args:
        strategy: a ``tf.distribute`` strategy; ``None`` for one device, where nothing is patched.

    Examples:
        >>> import keras, numpy as np
        >>> from keras_convnets.training import patched_fit
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with patched_fit(None):
        ...     history = model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    """
    if strategy is not None:
        remedy = "Pass a tf.distribute strategy, or None."
        checks.instance("strategy", strategy, tf.distribute.Strategy, remedy)
    with peers_explained(), _patched(strategy) if strategy else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def peers_explained() -> Iterator[None]:
    """Turn the errors that TensorFlow raises when another machine is lost into `PeerLost`.

    Use it around everything that machines do together: building a model, which copies the chief's
    weights to all of them, reading variables, and training.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise explained(error) from error


@contextlib.contextmanager
def _patched(strategy: Any) -> Iterator[None]:
    if "reduce" in vars(strategy):  # already patched by an enclosing block
        yield
        return
    stock = strategy.reduce

    def reduce(reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        if isinstance(value, (tuple, list, dict)):
            return tf.nest.map_structure(lambda part: _locally(strategy, part), value)
        if axis == 0 and _locally(strategy, value).shape.rank == 0:
            axis = None
        return stock(reduce_op, value, axis)

    strategy.reduce = reduce
    try:
        yield
    finally:
        del strategy.reduce


def _locally(strategy: Any, value: Any) -> Any:
    """Return the first of this machine's values."""
    return strategy.experimental_local_results(value)[0]


def is_multi_worker(strategy: Any) -> bool:
    """Return whether a strategy is for several machines."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def check_alike(strategy: Any, **facts: Any) -> None:
    """Refuse to start unless all machines agree on some facts; all machines must call this.

    Args:
        strategy: the strategy of the run; on one machine, this does nothing.
        **facts: values that must be the same on all machines, compared by their ``repr``; the
            error message uses their names.

    Raises:
        ValueError: a value differs; raised on all machines.
    """
    if not is_multi_worker(strategy):
        return
    own = tf.constant([_digest(fact) for fact in facts.values()], tf.int64)
    found = _from_all(strategy, own)
    for name, numbers in zip(facts, found.T, strict=True):
        for worker, number in enumerate(numbers):
            if number != numbers[0]:
                raise ValueError(
                    f"{name}: worker {worker} has another than the chief; expected the same on all "
                    "machines. Start all with the same options, and --out in a folder they share."
                )


def wait_for_all(strategy: Any) -> None:
    """Return when all machines of a run have reached this call.

    Raises:
        PeerLost: a machine was lost before reaching it.
    """
    if is_multi_worker(strategy):
        _from_all(strategy, tf.constant([0], tf.int64))


def asked_anywhere(strategy: Any, asked: bool) -> bool:
    """Return whether any machine was asked to stop; all machines must call this at the same step.

    A machine that stopped on its own would leave the others in the middle of a step.

    Args:
        strategy: the strategy of the run; on one machine, ``asked`` is returned.
        asked: whether this machine was asked to stop.
    """
    if not is_multi_worker(strategy):
        return asked
    with peers_explained():
        return bool(_summed(strategy)(tf.constant(float(asked))) > 0)


@functools.lru_cache(maxsize=1)
def _summed(strategy: Any) -> Any:
    """Return the function that sums a number over all machines; it is traced once."""

    def everywhere(number: tf.Tensor) -> tf.Tensor:
        parts = strategy.run(lambda part: tf.identity(part), (number,))
        return strategy.reduce("SUM", parts, axis=None)

    return tf.function(everywhere, autograph=False)


def _from_all(strategy: Any, own: tf.Tensor) -> Any:
    """Return the values of all machines, one row per machine."""
    with peers_explained():
        values = strategy.experimental_distribute_values_from_function(lambda _: own[tf.newaxis])
        rows = strategy.gather(values, axis=0).numpy()
    return rows[:: len(strategy.extended.worker_devices)]


def _digest(fact: Any) -> int:
    digest = hashlib.sha256(repr(fact).encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def explained(error: tf.errors.OpError) -> Exception:
    """Return a clearer exception for an error of TensorFlow, or the error itself if there is none.

    Args:
        error: the error that ``fit`` raised.

    Examples:
        >>> import tensorflow as tf
        >>> from keras_convnets.training.distribute.multi_worker import explained
        >>> words = "Collective ops is aborted by: Socket closed"
        >>> error = tf.errors.UnavailableError(None, None, words)
        >>> type(explained(error)).__name__
        'PeerLost'
    """
    message = str(error.message)
    if not any(words in message for words in _OF_PEERS):
        return error
    line = message.rpartition(_ABORTED)[2].strip(" :").splitlines()[0]
    reason = line.split(". ")[0].strip(" .:").replace("):", ")")
    return PeerLost(
        f"lost another machine of the run ({reason}). The last checkpoint is intact: start all "
        "that have ended again, with --continue."
    )
