"""Which normalisations of a model fold into which layer, and why the others do not."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from keras_convnets.graph.layer_types import LayerType, class_of, type_of
from keras_convnets.shipping.folding import passing, targets
from keras_convnets.shipping.folding.arithmetic import Affine, Weights
from keras_convnets.shipping.folding.graphs import Graph, graphs_of, norms_of, uses

_NORM = keras.layers.BatchNormalization


class Refused(Exception):  # noqa: N818 - the reason is a result
    """A normalisation cannot be folded; the message is the reason."""


@dataclasses.dataclass(frozen=True)
class Fold:
    """A normalisation that is folded into a layer, the one before it or the one after it."""

    norm: Any
    layer: Any
    is_after: bool  # whether the normalisation comes after the layer


class Plan:
    """What becomes of each batch normalisation of a model.

    Attributes:
        folds: the normalisations that are folded, in the order in which they are.
        kept: why each other one is not.
        weights: the new weights of the layers that take one.
        names: all of them, with their names.
    """

    def __init__(self, model: keras.Model) -> None:
        self.folds: list[Fold] = []
        self.kept: dict[Any, str] = {}
        self.weights: dict[Any, Weights] = {}
        self._gone: set[Any] = set()
        graphs = graphs_of(model)
        self._uses = Counter(uses(graphs))
        places = [
            (graph, node)
            for graph in graphs.values()
            for node in graph.nodes
            if isinstance(node.operation, _NORM)
        ]
        while sum(self._tried(graph, node) for graph, node in places):  # until none is
            pass
        self.names: dict[Any, str] = {}
        for name, norm in norms_of(model):
            self.names.setdefault(norm, name)
        for norm in self.names:
            if norm not in self._gone and norm not in self.kept:
                self.kept[norm] = "it is inside a layer that computes by code of its own"

    def is_gone(self, layer: Any) -> bool:
        """Return whether a layer is a normalisation that was folded."""
        return layer in self._gone

    def _tried(self, graph: Graph, node: Any) -> bool:
        """Fold the normalisation of a node if that is possible now, and return whether it was."""
        norm = node.operation
        if norm in self._gone:
            return False
        try:
            self._check(graph, node)
            self._fold(graph, node)
        except Refused as refused:
            self.kept[norm] = str(refused)
            return False
        self._gone.add(norm)
        self.kept.pop(norm, None)
        return True

    def _check(self, graph: Graph, node: Any) -> None:
        """Refuse a normalisation that computes something else than its statistics say."""
        norm = node.operation
        if not passing.is_own_layer(norm) or type(norm) is not _NORM:
            raise Refused(f"{type(norm).__name__} is a class of its own, or its call was replaced")
        if getattr(norm, "renorm", False):
            raise Refused("it is a batch renormalisation")
        if self._uses[norm] > 1:
            raise Refused(f"it is shared: called {self._uses[norm]} times")
        if passing.trains(node):
            raise Refused("it is called with training=True")
        if graph.trains:
            raise Refused("the model that contains it is called with training=True")
        if len(node.arguments.keras_tensors) != 1:
            raise Refused("it is called with a mask")

    def _fold(self, graph: Graph, node: Any) -> None:
        try:
            self._into_the_layer_before(graph, node)
        except Refused as refused:
            if not self._into_the_layer_after(graph, node, str(refused)):
                raise

    def _into_the_layer_before(self, graph: Graph, node: Any) -> None:
        norm = node.operation
        tensor = node.arguments.keras_tensors[0]
        axis = norm.axis % len(tensor.shape)
        between = [tensor]
        while not targets.has_kernel((maker := graph.maker[id(tensor)]).operation):
            axis = self._axis_before(maker, axis)
            tensor = maker.arguments.keras_tensors[0]
            between.append(tensor)
        layer = maker.operation
        self._check_only_uses(graph, between, layer)
        self._check_target(layer, norm)
        if axis != passing.channel_axis(layer, len(tensor.shape)):
            raise Refused(f"its axis is not the channel axis of the {type(layer).__name__}")
        self._refuse(targets.refusal_after(layer, tensor))
        self._take(Fold(norm, layer, is_after=True), Affine.of(norm))

    def _axis_before(self, maker: Any, axis: int) -> int:
        """Return the channel axis before a call through which a normalisation can move."""
        layer = maker.operation
        if layer in self._gone or passing.does_nothing(maker):
            return axis
        if passing.averages(maker):
            given, made = maker.arguments.keras_tensors[0], maker.outputs[0]
            before = passing.channel_axis(layer, len(given.shape))
            after = before if len(made.shape) == len(given.shape) else len(made.shape) - 1
            if axis == after:
                return before
        raise Refused(_follows(layer))

    def _into_the_layer_after(self, graph: Graph, node: Any, why: str) -> bool:
        """Fold into the layer after the normalisation; return whether there is one at all."""
        norm = node.operation
        tensor = node.outputs[0]
        axis, channels = norm.axis % len(tensor.shape), None
        while True:
            takers = graph.takers(tensor)
            if graph.is_result(tensor) or len(takers) != 1:
                return False
            (taker,) = takers
            if targets.has_kernel(taker.operation):
                break
            if channels is None and passing.flattens(taker):
                channels, axis = passing.channels_of(taker, axis), 1
            elif channels is None and passing.averages(taker):
                layer, rank = taker.operation, len(tensor.shape)
                if axis != passing.channel_axis(layer, rank):
                    return False
                axis = axis if len(taker.outputs[0].shape) == rank else 1
            elif taker.operation not in self._gone and not passing.does_nothing(taker):
                return False
            tensor = taker.outputs[0]
        self._take_before(Fold(norm, taker.operation, is_after=False), taker, axis, channels, why)
        return True

    def _take_before(self, fold: Fold, taker: Any, axis: int, channels: Any, why: str) -> None:
        layer, given = fold.layer, taker.arguments.keras_tensors[0]
        affine = Affine.of(fold.norm).taken(channels)
        try:
            self._check_target(layer, fold.norm)
            if axis != passing.channel_axis(layer, len(given.shape)):
                raise Refused(f"its axis is not the channel axis of the {type(layer).__name__}")
            shifts = bool(np.any(affine.shift))
            self._refuse(targets.refusal_before(layer, taker.outputs[0], shifts))
            self._take(fold, affine)
        except Refused as refused:
            raise Refused(f"{why}; {refused}") from None

    def _check_only_uses(self, graph: Graph, tensors: Iterable[Any], layer: Any) -> None:
        kind = type(layer).__name__
        if any(map(graph.is_result, tensors)):
            raise Refused(f"the output of the {kind} is one of the model too")
        if any(len(graph.takers(tensor)) > 1 for tensor in tensors):
            raise Refused(f"the output of the {kind} goes elsewhere too")

    def _check_target(self, layer: Any, norm: Any) -> None:
        if self._uses[layer] > 1:
            kind = type(layer).__name__
            raise Refused(f"the {kind} is shared: called {self._uses[layer]} times")
        self._refuse(targets.refusal(layer, norm))

    def _refuse(self, reason: str | None) -> None:
        if reason:
            raise Refused(reason)

    def _take(self, fold: Fold, affine: Affine) -> None:
        """Add a normalisation to a layer's weights."""
        weights = self.weights.get(fold.layer) or Weights(fold.layer)
        changed = weights.after(affine) if fold.is_after else weights.before(affine)
        if not changed.fits():
            kind = type(fold.layer).__name__
            raise Refused(f"the values would be too large for the {kind}, or are not finite")
        self.weights[fold.layer] = changed
        self.folds.append(fold)


def _follows(layer: Any) -> str:
    if type_of(layer) is LayerType.INPUT:
        return "it comes after an input of the model"
    if type_of(layer) is LayerType.MODEL:
        return "it comes after a nested model"
    return f"it comes after {class_of(layer)}"
