import keras
import pytest

from keras_convnets.graph.words import KINDS, describe
from keras_convnets.layers import (
    AdaptiveAveragePooling2D,
    CaffeAveragePooling2D,
    LocalResponseNormalization,
    PadChannels,
    TakeChannels,
)

L = keras.layers


@pytest.mark.parametrize(
    ("layer", "text", "kind", "heavy"),
    [
        (L.Conv2D(64, 7, strides=2), "7×7, 64, /2", "convolution", True),
        (L.Conv2D(64, (1, 7), strides=(1, 2)), "1×7, 64, /1×2", "convolution", True),
        (L.Conv2D(8, 3, groups=4), "3×3, 8, 4 groups", "convolution", True),
        (L.Conv2D(8, 3, dilation_rate=2), "3×3, 8, dilated 2×2", "convolution", True),
        (L.Conv1D(8, 3), "3, 8", "convolution", True),
        (L.DepthwiseConv2D(3, strides=2), "3×3 depthwise, /2", "convolution", True),
        (L.DepthwiseConv2D(3, depth_multiplier=2), "3×3 depthwise × 2", "convolution", True),
        (L.SeparableConv2D(8, 3), "3×3 separable, 8", "convolution", True),
        (L.Conv2DTranspose(8, 2, strides=2), "2×2 transposed, 8, ×2", "convolution", True),
        (L.MaxPooling2D(3, 2), "max pool 3×3, /2", "pooling", True),
        (L.AveragePooling2D(2), "avg pool 2×2, /2", "pooling", True),
        (CaffeAveragePooling2D(5, 3), "avg pool 5×5, /3", "pooling", True),
        (AdaptiveAveragePooling2D(7), "adaptive avg pool 7×7", "pooling", True),
        (L.GlobalAveragePooling2D(), "global avg pool", "pooling", True),
        (L.Dense(10), "dense 10", "dense", True),
        (L.BatchNormalization(), "BN", "normalisation", False),
        (LocalResponseNormalization(), "LRN", "normalisation", False),
        (PadChannels(128), "pad to 128 channels", "other", True),
        (TakeChannels((0, 2, 4)), "take 3 channels", "other", False),
        (L.Activation("relu"), "ReLU", "activation", False),
        (L.Activation("linear"), "linear", "activation", False),
        (L.Add(), "+", "merge", False),
        (L.Concatenate(), "concat", "merge", False),
        (L.Dropout(0.5), "dropout 0.5", "other", False),
        (L.UpSampling2D(2), "upsample ×2×2", "other", True),
        (L.Resizing(4, 4), "Resizing", "other", False),
    ],
)
def test_a_layer_in_a_few_words(layer, text, kind, heavy):
    assert describe(layer) == (text, kind, heavy, "")
    assert kind in KINDS


@pytest.mark.parametrize(
    ("layer", "activation"),
    [
        (L.Dense(10, activation="softmax"), "softmax"),
        (L.Conv2D(8, 3, activation="relu"), "ReLU"),
        (L.Conv2D(8, 3, activation="linear"), ""),
        (L.Conv2D(8, 3), ""),
    ],
)
def test_activations_that_a_layer_applies_itself(layer, activation):
    assert describe(layer).activation == activation
