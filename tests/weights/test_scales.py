"""Scales of normalisations that have none here go into the convolutions before them."""

import keras
import numpy as np
import pytest

from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.placing.placing import place
from keras_convnets.weights.rules.layout import Layout, Row

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


@pytest.mark.parametrize("shape", [(), (1,), (2, 1), (3,)])
def test_a_scale_of_another_shape_is_refused(shape):
    """Some of these shapes NumPy would broadcast without a word."""
    arrays = {"conv.weight": np.ones((2, 1, 1, 1), np.float32)}
    arrays |= dict.fromkeys(NAMES, np.ones(2, np.float32))
    arrays["bn.weight"] = np.ones(shape, np.float32)
    with pytest.raises(ValueError, match=r"bn.weight of shape .* for a_bn/gamma of shape \(2,\)"):
        placed(arrays)


def test_a_mean_of_another_shape_stays_so():
    """It is refused where shapes are checked, in one place."""
    arrays = {"conv.weight": np.ones((2, 1, 1, 1), np.float32)}
    arrays |= dict.fromkeys(NAMES, np.ones(2, np.float32))
    values = placed(arrays | {"bn.running_mean": np.ones(1, np.float32)}).values
    assert values["a_bn/moving_mean"].array.shape == (1,)


def test_scaled_values_may_be_infinite():
    """They are refused where values are checked, in one place."""
    large = np.full(1, 1e30, np.float32)
    values = placed(
        {"conv.weight": large.reshape(1, 1, 1, 1), **dict.fromkeys(NAMES, large)}
    ).values
    assert np.isinf(values["a_conv/kernel"].array).all()
