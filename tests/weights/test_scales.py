"""Scales of normalisations that have none here go into the convolutions before them."""

import keras
import numpy as np

from keras_convnets.weights.arrays import NamedArrays
from keras_convnets.weights.layout import Layout, Row
from keras_convnets.weights.model_layers import layers_of
from keras_convnets.weights.placing import place

LAYOUT = Layout("timm", (), (Row("a_conv", "conv"), Row("a_bn", "bn")))
NAMES = "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"


def placed(arrays):
    x = image = keras.Input((1, 1, 1))
    x = keras.layers.Conv2D(1, 1, use_bias=False, name="a_conv")(x)
    x = keras.layers.BatchNormalization(scale=False, name="a_bn")(x)
    return place(layers_of(keras.Model(image, x)), NamedArrays(arrays, "npz"), LAYOUT)


def test_half_precision_is_not_rounded_to_once_more():
    third = np.full(1, 1 / 3, np.float16)
    values = placed(
        {"conv.weight": third.reshape(1, 1, 1, 1), **dict.fromkeys(NAMES, third)}
    ).values
    expected = third.astype(np.float32) ** 2
    assert values["a_conv/kernel"].array == expected
    assert values["a_bn/moving_mean"].array == expected


def test_a_scale_that_the_file_lacks_is_missed():
    one = np.ones(1, np.float32)
    arrays = {"conv.weight": one.reshape(1, 1, 1, 1), **dict.fromkeys(NAMES[1:], one)}
    assert placed(arrays).missing == ("a_bn/gamma",)
    assert placed(arrays | {"bn.weight": one}).missing == ()
