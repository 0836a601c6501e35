"""The layers that a wrapper computes, and how often."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras_convnets.graph.calls import TensorShape
from keras_convnets.graph.layer_types import LayerType, type_of


class Inner(NamedTuple):
    """A layer inside a wrapper, with the shapes of its input and its output."""

    layer: Any
    input: TensorShape
    output: TensorShape


def inner_layers(layer: Any, taken: TensorShape, made: TensorShape) -> list[Inner]:
    """Return the layers inside a wrapper that takes and returns tensors of these shapes."""
    kind = type_of(layer)
    if kind is LayerType.PER_STEP:
        return [Inner(layer.layer, taken[1:], made[1:])]
    if kind is LayerType.SPECTRAL_NORMALISATION:
        return [Inner(layer.layer, taken, made)]
    if kind is LayerType.BIDIRECTIONAL:
        directions = (layer.forward_layer, layer.backward_layer)
        return [Inner(one, taken, _first_output(one, taken)) for one in directions]
    return []


def repetitions(layer: Any, taken: TensorShape) -> int | None:
    """Return how often a layer computes the layers inside it; ``None`` if that is unknown."""
    return taken[0] if type_of(layer) is LayerType.PER_STEP else 1


def _first_output(layer: Any, taken: TensorShape) -> TensorShape:
    """Return the shape of the output of a recurrent layer, without those of its states."""
    shapes = layer.compute_output_shape((None, *taken))
    return tuple((shapes[0] if isinstance(shapes[0], tuple) else shapes)[1:])
