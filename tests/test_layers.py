import subprocess
import sys

import keras
import numpy as np
import pytest

from helpers import FORMATS
from keras_convnets import create_model
from keras_convnets.layers import (
    AdaptiveAveragePooling2D,
    CaffeAveragePooling2D,
    LocalResponseNormalization,
    PadChannels,
)

AXES = (1, -1)


def batch(axis, channels=7):
    x = np.random.default_rng(0).standard_normal((2, 4, 5, channels)).astype("float32") * 3
    return x if axis == -1 else np.moveaxis(x, -1, axis)


def after_saving(layer, x):
    """Return what a layer makes of ``x`` in a model that was saved and loaded."""
    inputs = keras.Input(x.shape[1:])
    keras.Model(inputs, layer(inputs)).save("model.keras")
    return np.asarray(keras.models.load_model("model.keras")(x))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("size", [1, 3, 5, 15])
def test_local_response_normalisation_is_the_formula_of_the_paper(size, axis):
    alpha, beta, k = 0.3, 0.6, 1.5
    x = batch(-1)
    expected = np.empty_like(x)
    for i in range(7):  # Krizhevsky et al. 2012, section 3.3, at every position
        first, last = max(0, i - size // 2), min(7 - 1, i + size // 2)
        total = np.square(x[..., first : last + 1]).sum(axis=-1)
        expected[..., i] = x[..., i] / (k + alpha * total) ** beta
    expected = expected if axis == -1 else np.moveaxis(expected, -1, axis)
    layer = LocalResponseNormalization(size, alpha, beta, k, axis=axis)
    np.testing.assert_allclose(layer(batch(axis)), expected, rtol=1e-5)
    assert np.array_equal(after_saving(layer, batch(axis)), layer(batch(axis)))
    assert layer.weights == []


def test_local_response_normalisation_has_the_constants_of_the_paper():
    layer = LocalResponseNormalization()
    assert (layer.size, layer.alpha, layer.beta, layer.bias) == (5, 1e-4, 0.75, 2.0)


@pytest.mark.parametrize("size", [0, 4, -3])
def test_the_channels_that_are_summed_are_odd_in_number(size):
    with pytest.raises(ValueError, match=f"^size: received {size}; expected an odd integer"):
        LocalResponseNormalization(size)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("channels", [7, 12])
def test_channels_of_zeros_stand_behind_those_that_there_are(channels, axis):
    x, layer = batch(axis), PadChannels(channels, axis=axis)
    padded = np.asarray(layer(x))
    assert padded.shape == layer.compute_output_shape(x.shape)
    assert padded.shape[axis] == channels
    kept, zeros = np.split(padded, [7], axis=axis)
    assert np.array_equal(kept, x)
    assert not zeros.any()
    assert np.array_equal(after_saving(layer, x), padded)
    assert layer.weights == []


@pytest.mark.parametrize("axis", AXES)
def test_fewer_channels_are_refused(axis):
    shape = (8, 8, 7) if axis == -1 else (7, 8, 8)
    with pytest.raises(ValueError, match="channels: received 6; expected at least 7.* projection"):
        PadChannels(6, axis=axis)(keras.Input(shape))


def test_local_response_normalisation_holds_large_values_in_half_precision():
    layer = LocalResponseNormalization(dtype="mixed_float16")
    x = np.full((1, 2, 2, 8), 300, "float32")
    expected = LocalResponseNormalization()(x)
    np.testing.assert_allclose(layer(x), expected, rtol=2e-3)


def means(x, rows, cols):
    """Return the means over these windows of rows and columns, given as first and last + 1."""
    return np.stack(
        [np.stack([x[:, a:b, c:d].mean((1, 2)) for c, d in cols], axis=1) for a, b in rows], axis=1
    )


def in_format(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    ("layer", "size", "rows", "cols"),
    [
        (CaffeAveragePooling2D(3, 2), (7, 6), [(0, 3), (2, 5), (4, 7)], [(0, 3), (2, 5), (4, 6)]),
        (CaffeAveragePooling2D(5, 3), (3, 7), [(0, 3)], [(0, 5), (3, 7)]),
        (CaffeAveragePooling2D((3, 2), (2, 1)), (4, 3), [(0, 3), (2, 4)], [(0, 2), (1, 3)]),
        (AdaptiveAveragePooling2D(2), (6, 7), [(0, 3), (3, 6)], [(0, 4), (3, 7)]),
        (AdaptiveAveragePooling2D((4, 1)), (2, 3), [(0, 1), (0, 1), (1, 2), (1, 2)], [(0, 3)]),
        (AdaptiveAveragePooling2D(3), (3, 5), [(0, 1), (1, 2), (2, 3)], [(0, 2), (1, 4), (3, 5)]),
    ],
)
def test_windows_of_average_pooling(layer, size, rows, cols, data_format):
    config = layer.get_config() | {"data_format": data_format}
    layer = type(layer).from_config(config)
    x = np.random.default_rng(0).standard_normal((2, *size, 3)).astype("float32")
    expected = in_format(means(x, rows, cols), data_format)
    x = in_format(x, data_format)
    assert layer.compute_output_shape(x.shape) == expected.shape
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    assert np.array_equal(after_saving(layer, x), layer(x))
    assert layer.weights == []


def test_average_pooling_of_unknown_sizes_predicts_trains_and_is_exported():
    inputs = keras.Input((None, None, 2))
    x = CaffeAveragePooling2D(3, 2)(keras.layers.Conv2D(2, 1)(inputs))
    model = keras.Model(inputs, AdaptiveAveragePooling2D(4)(x))
    assert x.shape == (None, None, None, 2)
    model.compile("sgd", "mse")
    for size in ((9, 12), (17, 4), (8, 8)):  # a graph of the second is for any size
        images = np.random.default_rng(0).standard_normal((2, *size, 2)).astype("float32")
        expected = keras.ops.convert_to_numpy(model(images))
        np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-5)
        assert model.train_on_batch(images, np.zeros((2, 4, 4, 2))) > 0
    if keras.backend.backend() == "tensorflow":
        model.export("exported", verbose=False)


IMPORTS = ["import keras, keras_convnets", "import keras_convnets.layers"]


@pytest.mark.slow
@pytest.mark.parametrize("imports", IMPORTS)
def test_saved_models_load_where_the_package_is_imported(imports):
    create_model("cifar_resnet_20", (3, 8, 8), 2).save("model.keras")
    load = f"{imports}\nimport keras\nkeras.models.load_model('model.keras')"
    subprocess.run([sys.executable, "-c", load], check=True)
