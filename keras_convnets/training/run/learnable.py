"""Models that would train to the end and learn nothing, or something else than was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_convnets.graph.calls import Call
from keras_convnets.graph.topology import ends
from keras_convnets.graph.walk import walk
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.classifier import check_weights, own_steps
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.inference.prepared import check_known
from keras_convnets.keras_private import all_layers, learnt_weights
from keras_convnets.training.data.data import Data
from keras_convnets.training.run.reloads import check_reloads

_HALF = ("float16", "bfloat16")
_CONTRAST = 0.25  # the standard deviation of pixels, as a share of their range
_LEAST, _MOST = 1 / 32, 32.0  # what a network's first layer can learn from


def check_learns(model: keras.Model, data: Data) -> None:
    """Refuse a model that would not learn, or could not be resumed; it has passed `check_takes`.

    Runs that were begun are not checked, for earlier versions have begun them.

    Raises:
        ValueError: nothing is trained, weights or outputs are too coarse for it or not finite, the
            model scales images that are already scaled, its class replaces the training step, or it
            would not be the same model once it is saved and loaded.
    """
    if replaced := own_steps(model):
        raise ValueError(
            f"model: the class of {model.name}, {type(model).__name__}, has a {replaced[0]}() of "
            "its own, which training would not use as intended; expected a model of Keras' own "
            "class. Train it by model.fit, or pass keras.Model(model.inputs[0], model.outputs[0])."
        )
    check_weights(model)
    calls = walk(model)
    _check_trained(model, calls)
    _check_precision(model)
    _check_scale(model, calls, data.preprocessing)
    check_known(model, data.preprocessing)
    check_reloads(model, data.image_shape, len(calls))


def _check_trained(model: keras.Model, calls: list[Call]) -> None:
    """Refuse a model none of whose weights would be changed."""
    found = {id(weight) for call in _learning(calls) for weight in _weights(call)}
    if not any(id(weight) in found for weight in model.trainable_weights):
        reason = "all its weights are frozen" if model.weights else "it has no weights"
        if model.trainable_weights:
            reason = "no gradient reaches its weights"
        raise ValueError(
            f"model: {model.name} has nothing to train: {reason}; expected some trainable "
            "weights. Set layer.trainable = True, or call freeze_until(model, 'head')."
        )


def _weights(call: Call) -> list[Any]:
    return learnt_weights(call.layer) if getattr(call.layer, "weights", None) else []


def _learning(calls: list[Call]) -> Iterator[Call]:
    """Yield the calls that a gradient reaches from the outputs."""
    left, seen = list(ends(calls)), set()
    while left:
        call = left.pop()
        if call in seen or call.kind == "StopGradient":
            continue
        seen.add(call)
        yield call
        left += call.parents


def _check_precision(model: keras.Model) -> None:
    for layer in all_layers(model):
        if getattr(layer.dtype_policy, "quantization_mode", None):
            raise ValueError(
                f"model: the layer {layer.name!r} of {model.name} is quantized "
                f"({layer.dtype_policy.name}), which training cannot change; expected float32. "
                "Train the model before it is quantized."
            )
    for weight in model.trainable_weights:
        if str(weight.dtype) in _HALF:
            raise ValueError(
                f"model: {model.name} keeps the weight {weight.path} in {weight.dtype}, which "
                "rounds small updates away; expected float32. Build it under the policy "
                "'mixed_bfloat16', which keeps weights in float32."
            )
    output = str(model.outputs[0].dtype)
    if output in _HALF and not outputs_of(model).is_logits:
        raise ValueError(
            f"model: {model.name} outputs probabilities in {output}, which rounds them to 0 and 1; "
            "expected float32. Build its last layer with dtype='float32'."
        )


def _check_scale(model: keras.Model, calls: list[Call], preprocessing: Preprocessing) -> None:
    """Refuse a model that scales pixels itself, if the data's preprocessing has scaled them."""
    before = _CONTRAST * 255 / preprocessing.scale / float(np.mean(preprocessing.std))
    for call, scaling, factor in _scalings(calls):
        after = before * factor
        if not _LEAST <= after <= _MOST:
            channels, rows, cols = preprocessing.image_shape
            raise ValueError(
                f"model: {model.name} scales images itself (layer {scaling.name!r}, by "
                f"{factor:.3g}), and so does the preprocessing of the data ({preprocessing}): "
                f"{call.name!r} would see values of about {after:.1g}; expected only one of them. "
                "Leave the layer out, or pass preprocessing="
                f"Preprocessing({channels}, {rows}, {cols}, scale=1) to the data."
            )


def _scalings(calls: list[Call]) -> Iterator[tuple[Call, Call, float]]:
    """Yield the first layers with weights after a scaling, the scaling, and its whole factor."""
    factors: dict[Call, float] = {}
    last: dict[Call, Call] = {}
    for call in calls:
        parent = next((one for one in call.parents if one in factors), None)
        if call.is_input:
            factors[call] = 1.0
        elif parent is not None:
            factor = _factor(call)
            if factor is None and _weights(call):
                if parent in last:
                    yield call, last[parent], factors[parent]
                continue
            factors[call] = factors[parent] * (1.0 if factor is None else factor)
            if factor is not None:
                last[call] = call
            elif parent in last:
                last[call] = last[parent]


def _factor(call: Call) -> float | None:
    """Return what a layer multiplies images by; ``None`` if it does not scale them."""
    if isinstance(call.layer, keras.layers.Rescaling):
        return float(np.mean(np.abs(call.layer.scale)))
    if isinstance(call.layer, keras.layers.Normalization) and not call.layer.invert:
        return float(np.mean(1 / np.sqrt(np.maximum(np.array(call.layer.variance), 1e-12))))
    return None
