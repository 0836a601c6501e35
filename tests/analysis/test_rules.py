"""The rules, against convolutions that count: ones through kernels of ones add up to the number
of multiply-adds, where nothing is padded."""

import keras
import numpy as np
import pytest

from keras_convnets.analysis.cost import rules
from keras_convnets.graph.walk import walk
from keras_convnets.layers import (
    AdaptiveAveragePooling2D,
    CaffeAveragePooling2D,
    LocalResponseNormalization,
    PadChannels,
    TakeChannels,
)

L = keras.layers
COUNTING = {"kernel_initializer": "ones", "use_bias": False}
DEPTHWISE = {"depthwise_initializer": "ones", "use_bias": False}


def last_call(layer, *shape):
    inputs = keras.Input(shape)
    return walk(keras.Model(inputs, layer(inputs)))[-1]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (L.Conv1D(5, 3, **COUNTING), (11, 4)),
        (L.Conv2D(5, (3, 2), **COUNTING), (9, 11, 4)),
        (L.Conv2D(5, 3, strides=(1, 2), **COUNTING), (9, 11, 4)),
        (L.Conv2D(6, 3, groups=2, **COUNTING), (9, 11, 4)),
        (L.Conv2D(5, 3, dilation_rate=2, **COUNTING), (9, 11, 4)),
        (L.Conv3D(3, 2, **COUNTING), (5, 6, 7, 2)),
        (L.DepthwiseConv1D(3, depth_multiplier=2, **DEPTHWISE), (9, 4)),
        (L.DepthwiseConv2D(3, depth_multiplier=2, **DEPTHWISE), (9, 11, 4)),
        (L.DepthwiseConv2D(3, strides=2, **DEPTHWISE), (9, 11, 4)),
        (L.Conv1DTranspose(5, 3, strides=2, **COUNTING), (9, 4)),
        (L.Conv2DTranspose(5, 3, strides=2, **COUNTING), (5, 6, 4)),
        (L.Conv3DTranspose(5, 2, **COUNTING), (3, 4, 5, 2)),
        (L.Dense(7, **COUNTING), (9,)),
        (L.Dense(7, **COUNTING), (4, 5, 9)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_multiply_adds_are_those_of_a_counting_layer(layer, shape):
    counted = np.asarray(layer(np.ones((1, *shape), "float32"))).sum()
    assert rules.multiply_adds(last_call(layer, *shape)) == counted


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_separable_convolutions_count_both_steps(data_format):
    shape = (4, 9, 11) if data_format == "channels_first" else (9, 11, 4)
    layer = L.SeparableConv2D(5, 3, depth_multiplier=2, data_format=data_format)
    depthwise, pointwise = 7 * 9 * 9 * 8, 7 * 9 * 8 * 5
    assert rules.multiply_adds(last_call(layer, *shape)) == depthwise + pointwise


def test_padding_is_counted_as_the_papers_do():
    assert rules.multiply_adds(last_call(L.Conv2D(5, 3, padding="same"), 9, 11, 4)) == (
        9 * 11 * 9 * 4 * 5
    )


@pytest.mark.parametrize(
    ("layer", "item", "count"),
    [
        (L.BatchNormalization(), "normalisation", 64),
        (L.GroupNormalization(2), "normalisation", 64),
        (LocalResponseNormalization(), "normalisation", 64),
        (L.ReLU(), "activation", 64),
        (L.PReLU(), "activation", 64),
        (L.Activation("relu"), "activation", 64),
        (L.Conv2D(3, 1, activation="relu"), "activation", 48),
        (L.MaxPooling2D(2), "pooling", 16),
        (CaffeAveragePooling2D(2, 2), "pooling", 16),
        (AdaptiveAveragePooling2D(3), "pooling", 36),
        (L.GlobalAveragePooling2D(), "pooling", 4),
        (L.Activation("linear"), None, 0),
        (L.Conv2D(3, 1), None, 0),
        (L.Dropout(0.5), None, 0),
        (L.UpSampling2D(), None, 0),
        (PadChannels(7), None, 0),
    ],
)
def test_operations_on_elements(layer, item, count):
    found = rules.elementwise(last_call(layer, 4, 4, 4))
    assert found == dict.fromkeys(rules.ITEMS, 0) | ({item: count} if item else {})


def test_additions_are_one_less_than_their_tensors():
    inputs = keras.Input((4,))
    call = walk(keras.Model(inputs, L.Add()([inputs, inputs, L.Dense(4)(inputs)])))[-1]
    assert rules.elementwise(call)["addition"] == 8
    operation = walk(keras.Model(inputs, inputs + keras.ops.relu(inputs)))
    assert [rules.elementwise(one) for one in operation[1:]] == [
        {"normalisation": 0, "activation": 4, "pooling": 0, "addition": 0},
        {"normalisation": 0, "activation": 0, "pooling": 0, "addition": 4},
    ]


@pytest.mark.parametrize(
    "layer",
    [
        *(L.BatchNormalization(), L.PReLU(), L.LayerNormalization()),
        *(LocalResponseNormalization(), PadChannels(7), TakeChannels((3, 0))),
        *(CaffeAveragePooling2D(3, 2), AdaptiveAveragePooling2D(3)),
    ],
)
def test_what_has_no_kernel_takes_no_multiply_adds(layer):
    assert rules.multiply_adds(last_call(layer, 4, 4, 4)) == 0


@pytest.mark.parametrize(
    "layer", [L.Lambda(abs), L.EinsumDense("abc,cd->abd", (None, 5)), L.Dot(1)]
)
def test_what_has_no_rule_is_not_zero(layer):
    inputs = keras.Input((4, 6))
    given = [inputs, inputs] if isinstance(layer, L.Dot) else inputs
    assert rules.multiply_adds(walk(keras.Model(inputs, layer(given)))[-1]) is None
