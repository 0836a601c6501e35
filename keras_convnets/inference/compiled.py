"""A model as a compiled function, made once and kept with the model.

The function takes any number of images, so a smaller last batch needs no other one. It reads the
weights where they are: it stays right while they are trained or loaded. It is made anew if a layer
no longer is what it was when the function was made; see `_Seen`.
"""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets.channels_first import check_it_runs
from keras_convnets.keras_private import all_layers, graph_inside

_ATTRIBUTE = "_keras_convnets_kept"
_NEW = threading.Lock()

Forward = Callable[[Any], Any]


def forward(model: Any) -> Forward:
    """Return a function from a batch of images to the outputs of a model in inference, in float32.

    Args:
        model: a model with one input, on any backend of Keras. Several outputs are returned as one,
            side by side.

    Returns:
        A function that takes a tensor or an array in the data format of the model. What it returns
        may still be being computed: see `to_numpy`.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import create_model
        >>> from keras_convnets.inference.compiled import forward, to_numpy
        >>> model = create_model("lenet_5")
        >>> to_numpy(forward(model)(np.zeros((2, 32, 32, 1), "float32"))).shape
        (2, 10)
        >>> forward(model) is forward(model)
        True
    """
    return kept(model).forward()


def kept(model: Any) -> Kept:
    """Return what is kept with a model; nothing that was made of the model as it no longer is."""
    found = vars(model).get(_ATTRIBUTE)
    if found is None or found.model is not model:  # that of a model whose attributes were copied
        with _NEW:
            found = vars(model).get(_ATTRIBUTE)
            if found is None or found.model is not model:
                found = Kept(model)
                object.__setattr__(model, _ATTRIBUTE, found)  # Keras would track and save it
    found.drop_what_is_old()
    return found


def to_numpy(outputs: Any) -> np.ndarray:
    """Return the outputs of `forward` as an array, once they are computed."""
    return outputs.numpy() if isinstance(outputs, tf.Tensor) else np.asarray(outputs)


class Kept:
    """What was made of a model, and is kept and dropped with it.

    Attributes:
        model: the model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._made: dict[str, tuple[Any, Any]] = {}
        self._seen: _Seen | None = None
        self._lock = threading.RLock()  # a layer's own code may ask for the same

    def forward(self) -> Forward:
        """Return the function of `forward`."""
        return self.get("forward", _forward)

    def get(self, what: str, make: Callable[[Any], Any], of: Any = None) -> Any:
        """Return what was made of the model; make it if it is not there.

        Args:
            what: its name.
            make: a function that makes it of the model.
            of: what else it is made of; it is made anew if that is no longer equal.
        """
        with self._lock:
            if what not in self._made or self._made[what][0] != of:
                self._made[what] = of, make(self.model)
                self._seen = _Seen(self.model)  # after the layers' code has run
            return self._made[what][1]

    def drop_what_is_old(self) -> None:
        """Forget everything if the model has changed."""
        with self._lock:
            if self._seen is not None and not self._seen.is_current():
                self._made.clear()
                self._seen = None


class _Seen:
    """The attributes of a model's layers at one time, to tell whether one has been replaced.

    That may be the layer's ``call``, its activation, its dtype policy, whether it is trainable, a
    weight, an item of a list or a dictionary, a layer within, or the graph of a ``Sequential`` or
    of a model within. What changes within other attributes, as the values of weights and of arrays
    do, is not seen.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._ends = _ends(model)
        self._layers = [vars(layer) for layer in all_layers(model) if layer is not model]
        self._values = list(self._now())
        self._items = [(one, _items(one)) for one in _containers(self._layers)]

    def _now(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(map(dict.values, self._layers))

    def is_current(self) -> bool:
        return (
            all(map(operator.is_, self._ends, _ends(self._model)))
            and sum(map(len, self._layers)) == len(self._values)
            and all(map(operator.is_, self._now(), self._values))
            and all(_are(_items(one), items) for one, items in self._items)
        )


def _containers(layers: list[dict[str, Any]]) -> list[Any]:
    """Return the lists, dictionaries and sets in the attributes of layers, and within these.

    Of those that are Keras' own, only the list of the layers within says what a layer computes.
    """
    found: dict[int, Any] = {}
    rest = [
        value
        for layer in layers
        for name, value in layer.items()
        if (name == "_layers" and value) or not name.startswith("_")
    ]
    while rest:
        value = rest.pop()
        if isinstance(value, list | dict | set | tuple) and id(value) not in found:
            found[id(value)] = value
            rest += _items(value)
    return [value for value in found.values() if not isinstance(value, tuple)]


def _items(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return [*container.keys(), *container.values()]
    return list(container)


def _are(items: list[Any], others: list[Any]) -> bool:
    return len(items) == len(others) and all(map(operator.is_, items, others))


def _ends(model: Any) -> tuple[Any, ...]:
    """Return what decides about a model itself. Keras changes its other attributes at any time."""
    own = vars(model)
    return type(model), own.get("call"), graph_inside(model), model.dtype_policy


def _forward(model: Any) -> Forward:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _of_tensorflow(model)
    if backend == "torch":
        return _of_torch(model)
    return lambda batch: np.hstack(_listed(model.predict_on_batch(np.asarray(batch))), dtype="f4")


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _of_tensorflow(model: Any) -> Forward:
    check_it_runs(model)

    def call(x: Any) -> Any:
        found = [tf.cast(one, tf.float32) for one in _listed(model(x, training=False))]
        return found[0] if len(found) == 1 else tf.concat(found, axis=-1)

    # TensorFlow would warn of the traces of several models if the function itself were called.
    signature = [tf.TensorSpec(model.inputs[0].shape, tf.float32)]
    traced = tf.function(call, signature, autograph=False).get_concrete_function()
    return lambda batch: traced(tf.cast(batch, tf.float32))


def _of_torch(model: Any) -> Forward:
    import torch

    def call(batch: Any) -> np.ndarray:
        with torch.no_grad():
            found = _listed(model(np.asarray(batch, np.float32), training=False))
            return np.hstack(
                [keras.ops.convert_to_numpy(keras.ops.cast(one, "float32")) for one in found]
            )

    return call
