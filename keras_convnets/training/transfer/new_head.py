"""The same network for another number of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks, naming
from keras_convnets.constant_softmax import warn_of_softmax_over_one
from keras_convnets.fast.layers import fast_layers
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import GLOBAL_POOLINGS, LayerType, type_of
from keras_convnets.graph.topology import ends
from keras_convnets.graph.walk import walk
from keras_convnets.known import pass_on
from keras_convnets.recursion import room_for
from keras_convnets.saved_models import without_optimizer
from keras_convnets.typed import explaining

# A classifier is a layer with as many units or filters as there are classes.
CLASSIFIERS = {LayerType.DENSE: "units", LayerType.CONVOLUTION: "filters"}
# These layers may come between the classifier and the output if they have no weights.
AFTER = {
    *(LayerType.ACTIVATION, LayerType.AXIS_ACTIVATION, LayerType.DROPOUT, LayerType.IDENTITY),
    *(LayerType.FLATTEN, LayerType.RESHAPE, *GLOBAL_POOLINGS),
}
# Any other layer there is refused, by name.
UNKNOWN = set(LayerType) - CLASSIFIERS.keys() - AFTER


@explaining
def new_head(model: keras.Model, num_outputs: int) -> keras.Model:
    """Return the same network for another number of classes, with its trained weights.

    The graph and the layer names stay the same. Only the classifier, a dense or convolutional
    layer, is new; all other weights are copied, and the given model is not changed. If the network
    has auxiliary heads, each gets a new classifier. If the model knows the preprocessing of its
    images, so does the new one. The result is not compiled. For a reproducible
    classifier, call ``keras.utils.set_random_seed`` first.

    Args:
        model: a functional model that ends in a classifier. Global pooling, an activation or
            dropout may follow the classifier, as in Network in Network.
        num_outputs: the number of classes.

    Raises:
        ValueError: the model does not end in such a classifier, or the number is invalid.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import new_head
        >>> model = ResnetBuilder.build((1, 16, 16), 10, "basic_block", (1,))
        >>> other = new_head(model, 3)
        >>> other.output_shape, other.get_layer("head_dense").name
        ((None, 3), 'head_dense')
        >>> bool((other.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    num_outputs = checks.num_outputs(num_outputs)
    calls = walk(model)
    found = classifiers(calls)
    _check_same_classes(found)
    changed = {call.layer for call in found}
    trails = [call for end in ends(calls) for call in _trail(end)]
    after = {call.layer for call in trails}
    if any("softmax" in (call.description.text, call.description.activation) for call in trails):
        warn_of_softmax_over_one(num_outputs)
    twins: dict[Any, Any] = {}

    def twin(layer: Any) -> Any:
        config = layer.get_config()
        if layer in changed:
            config |= {_width(layer): num_outputs, "trainable": True}
        elif layer in after and type_of(layer) is LayerType.RESHAPE:
            config["target_shape"] = _resized(layer.target_shape, num_outputs)
        twins[layer] = type(layer).from_config(config)
        return twins[layer]

    with room_for(len(calls)):
        graph = without_optimizer(model)
        inputs = _same_inputs(graph, calls)
        result = keras.models.clone_model(graph, inputs, clone_function=twin, recursive=True)
    for layer in twins.keys() - changed:
        if getattr(layer, "weights", None):
            twins[layer].set_weights(layer.get_weights())
    pass_on(model, result, class_names=False)
    return fast_layers(result)


def classifiers(calls: Sequence[Call]) -> list[Call]:
    """Return the calls of the classifiers among the ``calls`` of a model.

    Raises:
        ValueError: an output does not come from a classifier.
    """
    return list(dict.fromkeys(_trail(end)[-1] for end in ends(calls)))


def _trail(end: Call) -> list[Call]:
    """Return the calls from an output back to the classifier that it comes from."""
    trail = [end]
    while trail[-1].type in AFTER and not getattr(trail[-1].layer, "weights", None):
        trail.append(trail[-1].parents[0])
    layer = trail[-1].layer
    if trail[-1].type not in CLASSIFIERS:
        raise _no_classifier(end, f"comes from {trail[-1].name!r} ({trail[-1].kind})")
    if end.outputs[0].shape != (getattr(layer, _width(layer)),):
        raise _no_classifier(end, f"has the shape {end.outputs[0].shape}")
    if _group(end.layer) == "head" != _group(layer):
        raise _no_classifier(end, f"holds the features of {trail[-1].name!r}")
    return trail


def _width(layer: Any) -> str:
    return CLASSIFIERS[type_of(layer)]


def _group(layer: Any) -> str | None:
    name = naming.parse(layer.name)
    return name.group if name else None


def _no_classifier(end: Call, what: str) -> ValueError:
    return ValueError(
        f"model: the output of {end.name!r} {what}; expected the output of a dense or "
        "convolutional classifier. Pass a model that was built with its head (include_top=True)."
    )


def _check_same_classes(found: Sequence[Call]) -> None:
    widths = {call.name: getattr(call.layer, _width(call.layer)) for call in found}
    if len(set(widths.values())) > 1:
        raise ValueError(
            f"model: its outputs are of several widths, {widths}; expected the same classes from "
            "each. Build the new model yourself, and set its weights layer by layer."
        )


def _resized(target_shape: tuple[int, ...], num_outputs: int) -> tuple[int, ...]:
    """Return a target shape for another number of classes, its one size that is not 1."""
    return tuple(size if size in (1, -1) else num_outputs for size in target_shape)


def _same_inputs(model: keras.Model, calls: Sequence[Call]) -> Any:
    """Return new inputs with the same names; Keras (3.15) would lose those that it generated."""
    names = {id(call.outputs[0].symbol): call.name for call in calls if call.is_input}
    return keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=names[id(x)]), model.input
    )
