import keras
import pytest

from keras_convnets.analysis.describe import describe

L = keras.layers


@pytest.mark.parametrize(
    ("layer", "text", "heavy"),
    [
        (L.Conv2D(64, 7, strides=2), "7×7 conv, 64, /2", True),
        (L.Conv2D(64, (1, 7), strides=(1, 2)), "1×7 conv, 64, /1×2", True),
        (L.Conv2D(8, 3, groups=4, activation="relu"), "3×3 conv, 8, 4 groups, ReLU", True),
        (L.Conv2D(8, 3, dilation_rate=2), "3×3 conv, 8, dilated 2×2", True),
        (L.MaxPooling2D(3, 2), "3×3 max pool, /2", True),
        (L.AveragePooling2D(2), "2×2 average pool, /2", True),
        (L.GlobalAveragePooling2D(), "global average pool", True),
        (L.Dense(10, activation="softmax"), "dense, 10, softmax", True),
        (L.Dense(10), "dense, 10", True),
        (L.BatchNormalization(), "BN", False),
        (L.Activation("relu"), "ReLU", False),
        (L.Activation("linear"), "linear", False),
        (L.Dropout(0.5), "dropout 0.5", False),
        (L.UpSampling2D(), "UpSampling2D", False),
    ],
)
def test_a_layer_in_a_few_words(layer, text, heavy):
    assert describe(layer) == (text, heavy)
