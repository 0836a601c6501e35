"""What a layer computes for one image: multiply-adds, and operations on single elements.

Every rule reads shapes and a layer's settings, never values. The convention, in one place:
[`CONVENTION`][keras_convnets.analysis.cost.rules.CONVENTION].
"""

from __future__ import annotations

import math
from typing import Any

from keras import layers

from keras_convnets.graph.layer_classes import layer_classes
from keras_convnets.graph.walk import Call, Shape, elements
from keras_convnets.layers import LocalResponseNormalization

CONVENTION = (
    "Multiply-adds count convolutions and dense layers, of one image, without biases. "
    "FLOPs = 2 × multiply-adds + one per output element for normalisation, activation and "
    "pooling, and for each addition of tensors."
)

ITEMS = ("normalisation", "activation", "pooling", "addition")


def multiply_adds(call: Call) -> int | None:
    """Return the multiply-adds of a call for one image; ``None`` where no rule is known.

    A layer without weights has none, unless it multiplies tensors with each other.
    """
    layer = call.layer
    if isinstance(layer, _CONVOLUTIONS):
        positions, channels = _positions(call.outputs[0].shape, layer), _channels(call, layer)
        return positions * math.prod(layer.kernel_size) * channels // layer.groups * layer.filters
    if isinstance(layer, _DEPTHWISE):
        return _depthwise(call)
    if isinstance(layer, _SEPARABLE):
        reach = layer.depth_multiplier * _channels(call, layer)
        return _depthwise(call) + _positions(call.outputs[0].shape, layer) * reach * layer.filters
    if isinstance(layer, _TRANSPOSED):
        # Every element of the input is multiplied into a whole window of the output.
        positions, channels = _positions(call.inputs[0].shape, layer), _channels(call, layer)
        return positions * math.prod(layer.kernel_size) * channels * layer.filters
    if isinstance(layer, layers.Dense):
        return elements(call.inputs[0].shape) * layer.units
    if _is_elementwise(call):
        return 0
    return None if getattr(layer, "weights", None) or call.kind in _MULTIPLY_TENSORS else 0


def elementwise(call: Call) -> dict[str, int]:
    """Return the operations on single elements, by the items of `ITEMS`."""
    counts = dict.fromkeys(ITEMS, 0)
    made = sum(elements(tensor.shape) for tensor in call.outputs)
    if isinstance(call.layer, _NORMALISATIONS):
        counts["normalisation"] = made
    elif _activates(call):
        counts["activation"] = made
    elif call.kind.endswith(_POOLINGS) or call.kind in _POOLING_OPERATIONS:
        counts["pooling"] = made
    elif call.kind in _ADDITIONS:
        counts["addition"] = made * (len(call.inputs) - 1)
    return counts


def _activates(call: Call) -> bool:
    """Return whether a call applies an activation, by itself or to its own result."""
    if isinstance(call.layer, _ACTIVATIONS) or call.kind in _ACTIVATION_OPERATIONS:
        return True
    fused = getattr(call.layer, "activation", None)
    return fused is not None and getattr(fused, "__name__", None) != "linear"


def _is_elementwise(call: Call) -> bool:
    return isinstance(call.layer, (*_NORMALISATIONS, *_ACTIVATIONS)) or call.kind in _SCALES


def _depthwise(call: Call) -> int:
    layer = call.layer
    made = layer.depth_multiplier * _channels(call, layer)
    return _positions(call.outputs[0].shape, layer) * math.prod(layer.kernel_size) * made


def _positions(shape: Shape, layer: Any) -> int:
    """Return the number of pixels of a map: its sizes without the channels."""
    return elements(shape[1:] if layer.data_format == "channels_first" else shape[:-1])


def _channels(call: Call, layer: Any) -> int:
    shape = call.inputs[0].shape
    return elements(shape[:1] if layer.data_format == "channels_first" else shape[-1:])


_CONVOLUTIONS = layer_classes("Conv{}D")
_DEPTHWISE = layer_classes("DepthwiseConv{}D")
_SEPARABLE = layer_classes("SeparableConv{}D")
_TRANSPOSED = layer_classes("Conv{}DTranspose")
_ACTIVATIONS = (layers.ELU, layers.LeakyReLU, layers.PReLU, layers.ReLU, layers.Softmax)
_NORMALISATIONS = (
    LocalResponseNormalization,
    *layer_classes("BatchNormalization", "GroupNormalization", "LayerNormalization"),
    *layer_classes("Normalization", "RMSNormalization", "UnitNormalization"),
)
_POOLINGS = ("Pooling1D", "Pooling2D", "Pooling3D")
# What ``keras.ops.relu(x)`` and ``x + y`` make of Keras tensors goes by these names.
_ACTIVATION_OPERATIONS = {
    *("Celu", "Elu", "Gelu", "Glu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh"),
    *("LeakyRelu", "LogSigmoid", "LogSoftmax", "Mish", "ReLU", "Relu", "Relu6", "Selu", "Sigmoid"),
    *("Silu", "SoftShrink", "Softmax", "Softplus", "Softsign", "SparsePlus", "Sparsemax"),
    *("SquarePlus", "Tanh", "TanhShrink", "Threshold"),
}
_POOLING_OPERATIONS = {"AveragePool", "MaxPool"}
_ADDITIONS = {"Add", "Average", "CustomScaleLayer", "Subtract"}
# Of keras.applications: a weight per channel that scales the maps, no kernel.
_SCALES = {"LayerScale"}
_MULTIPLY_TENSORS = {
    "AdditiveAttention",
    "Attention",
    "Conv",
    "ConvTranspose",
    "DepthwiseConv",
    "Dot",
    "DotProductAttention",
    "Einsum",
    "Matmul",
    "SeparableConv",
    "Tensordot",
}
