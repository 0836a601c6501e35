"""The score of each class before the softmax or the sigmoid, from which maps are computed.

A softmax saturates: where a class is certain, the gradient of its probability vanishes, and what
lowers the others raises it. The methods are therefore defined on the scores before it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_convnets.axes import format_of
from keras_convnets.explaining.differentiation import forward_only, traced
from keras_convnets.explaining.forward import Hooks, Place, forward, place_of
from keras_convnets.graph.calls import Tensor as Symbol
from keras_convnets.graph.walk import output_tensors
from keras_convnets.inference.activations import LINEAR, SIGMOID, SOFTMAX, activation_of
from keras_convnets.inference.answers import read_outputs
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.outputs import Outputs, keeps_kind

Tensor = Any
_LEAST = 1e-30  # a probability, of which the logarithm is taken


class ClassScores:
    """The scores of the classes of a classifier with one output.

    Attributes:
        model: the classifier.
        outputs: the kind of its outputs.
        are_logits: whether the scores are what comes before the softmax or the sigmoid; otherwise
            they are the logarithms of the probabilities, as of an average of several softmaxes.
    """

    def __init__(self, model: Any, outputs: Outputs) -> None:
        self.model = model
        self.outputs = outputs
        self._left_out = None if outputs.is_logits else _last_activations(model)
        self.are_logits = outputs.is_logits or self._left_out is not None

    @property
    def is_first(self) -> bool:
        """Whether the model takes channels first."""
        return format_of(self.model) == "channels_first"

    def __call__(
        self, images: Tensor, hooks: Hooks | None = None, training: bool = False
    ) -> Tensor:
        """Return the scores, float32, `(images, classes)`, as a tensor.

        A single output has two classes: its score is that of the second, and its negative that of
        the first.

        Args:
            images: a tensor in the data format of the model.
            hooks: what is done beside.
            training: whether layers compute what they do in training.
        """
        ops = keras.ops
        headless = _Headless(self._left_out or {}, hooks or Hooks())
        found = forward(self.model, images, headless, training)
        found = ops.cast(found, "float32")
        if not self.are_logits:
            found = ops.hstack([1 - found, found]) if self.outputs.is_binary else found
            return ops.log(ops.maximum(found, _LEAST))
        return ops.hstack([-found, found]) if self.outputs.is_binary else found

    def of(self, images: np.ndarray) -> np.ndarray:
        """Return the scores of a batch as an array, for one of many batches."""

        def compiled(model: Any) -> Any:
            return traced(forward_only(self), model.inputs[0].shape)

        return to_numpy(kept(self.model).get("class scores", compiled)(to_tensor(images)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of the classes, float32, `(images, classes)`, for scores."""
        if not self.are_logits:
            return np.exp(scores)
        given = scores[:, 1:] if self.outputs.is_binary else scores
        if self.outputs.kind == SIGMOID:
            given = keras.ops.convert_to_numpy(keras.ops.sigmoid(given))
        elif self.outputs.kind == SOFTMAX:
            given = keras.ops.convert_to_numpy(keras.ops.softmax(given))
        return read_outputs(self.outputs, given).probabilities


def to_tensor(images: Any) -> Tensor:
    """Return an array as a tensor of floats of the backend."""
    return keras.ops.convert_to_tensor(np.asarray(images, np.float32))


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Return a tensor of the backend as an array of float32."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))


@dataclasses.dataclass(frozen=True)
class _Headless(Hooks):
    """Leaves out the last activations of a model.

    Attributes:
        left_out: what computes these calls in their layers' stead.
        rest: what is done beside.
    """

    left_out: dict[Place, Any]
    rest: Hooks

    def inputs(self, place: Place, layer: Any, inputs: list[Tensor]) -> list[Tensor]:
        return self.rest.inputs(place, layer, inputs)

    def layer(self, place: Place, layer: Any) -> Any:
        return self.rest.layer(place, self.left_out.get(place, layer))

    def output(self, place: Place, layer: Any, output: Tensor) -> Tensor:
        return self.rest.output(place, layer, output)


def _last_activations(model: Any) -> dict[Place, Any] | None:
    """Return what computes the calls of the last softmaxes or sigmoids without these.

    ``None`` if they cannot be left out: then the outputs are more than these and reshaping.
    """
    found: dict[Place, Any] = {}
    waiting: list[Symbol] = output_tensors(model)
    while waiting:
        call = waiting.pop().source
        activated = activation_of(call.layer)
        if activated is not None and activated.kind in (SOFTMAX, SIGMOID):
            stand_in = _without_activation(call.layer, activated.is_all)
            if stand_in is None:
                return None
            found[place_of(call)] = stand_in
        elif keeps_kind(call.layer) or (
            activated and activated.kind == LINEAR and activated.is_all
        ):
            waiting += call.inputs
        else:
            return None
    return found


def _without_activation(layer: Any, is_all: bool) -> Any:
    """Return what computes a layer without its activation; ``None`` if that cannot be told."""
    if is_all:
        return _identity
    if "call" in vars(layer) or "activation" not in vars(layer):  # or it is a wrapper's
        return None
    # The layer stays as it is, and its weights are shared. Keras' own copying would save and load.
    twin = object.__new__(type(layer))
    vars(twin).update(vars(layer))
    vars(twin)["activation"] = keras.activations.linear
    return twin


def _identity(first: Tensor, *others: Any, **options: Any) -> Tensor:
    return first
