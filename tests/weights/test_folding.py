"""A change of the images is moved into the first convolution, and the outputs stay the same."""

import keras
import numpy as np
import pytest

from helpers import blank_kernels, computed, images, lively, random_state
from keras_convnets import create_model, load_weights, preprocessing_of, save_weights
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.placing.placement import Placement, Value
from keras_convnets.weights.transfer.folding import (
    fold_bgr,
    fold_input,
    renormalising,
    stem_of,
)

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5,) * 3, (0.5,) * 3


def network(padding="valid", bias=False, data_format="channels_last", zeros=0):
    shape = (9, 7, 3) if data_format == "channels_last" else (3, 9, 7)
    x = image = keras.Input(shape)
    if zeros:
        x = keras.layers.ZeroPadding2D(zeros, data_format=data_format)(x)
    options = {"use_bias": bias, "data_format": data_format, "padding": padding}
    x = keras.layers.Conv2D(5, 3, 2, name="conv1_conv", **options)(x)
    axis = 3 if data_format == "channels_last" else 1
    x = keras.layers.BatchNormalization(axis, name="conv1_bn")(x)
    return keras.Model(image, x)


def placement_of(model, state):
    """Return values of a model's variables as a file has them."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = zip(variables, [*state[0], *state[1]], strict=True)
    found = {variable.path: Value(value, variable.path) for variable, value in values}
    return Placement("torchvision", found, bgr=True)


def state_of(model, placement):
    kinds = model.trainable_variables, model.non_trainable_variables
    return [[placement.values[variable.path].array for variable in kind] for kind in kinds]


def difference(model, placement, x, state, expected_of):
    (found,) = computed(model, state_of(model, placement), x)
    (expected,) = computed(model, state, expected_of)
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_another_mean_and_deviation(bias, data_format):
    model = network(bias=bias, data_format=data_format)
    state = random_state(model)
    stem = stem_of(layers_of(model))
    assert stem.offset == ("conv1_conv/bias" if bias else "conv1_bn/moving_mean")
    scale, offset = renormalising(IMAGENET, HALVES)
    x = images((3, 9, 7), data_format)
    shape = (-1, 1, 1) if data_format == "channels_first" else (-1,)
    shifted = np.reshape(scale, shape) * x + np.reshape(offset, shape)
    placement = fold_input(placement_of(model, state), stem, scale, offset)
    assert difference(model, placement, x, state, shifted.astype("float32")) < 1e-6


@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"zeros": 1}])
def test_blue_green_red(options):
    model = network(**options)
    state, x = random_state(model), images((3, 9, 7), "channels_last")
    placement = fold_bgr(placement_of(model, state), stem_of(layers_of(model)))
    assert not placement.bgr
    assert difference(model, placement, x, state, x[..., ::-1]) < 1e-6


@pytest.mark.parametrize("options", [{"padding": "same"}, {"zeros": 1}])
def test_padded_convolutions_take_a_scale_but_no_offset(options):
    model = network(**options)
    state, x = random_state(model), images((3, 9, 7), "channels_last")
    placement, stem = placement_of(model, state), stem_of(layers_of(model))
    folded = fold_input(placement, stem, (2.0, 3.0, 4.0), (0.0, 0.0, 0.0))
    assert difference(model, folded, x, state, x * np.float32([2, 3, 4])) < 1e-6
    with pytest.raises(ValueError, match="conv1_conv, which pads images with zeros; expected a"):
        fold_input(placement, stem, (1.0, 1.0, 1.0), (0.0, 0.1, 0.0))


def test_the_precision_of_half_precision_files_is_kept():
    kernel = np.full((1, 1, 3, 1), 1 / 3, np.float16)
    values = {"conv1_conv/kernel": kernel, "conv1_conv/bias": np.zeros(1, np.float16)}
    placement = Placement("timm", {name: Value(value, name) for name, value in values.items()})
    model = network(bias=True)
    folded = fold_input(placement, stem_of(layers_of(model)), (0.1, 1, 1), (1, 0, 0)).values
    assert all(value.array.dtype == np.float32 for value in folded.values())
    assert folded["conv1_conv/bias"].array == np.float32(np.float16(1 / 3))


def test_what_cannot_be_folded_is_refused():
    model = network()
    placement, stem = placement_of(model, random_state(model)), stem_of(layers_of(model))
    with pytest.raises(ValueError, match="first kernel of 3 channels for images of 1; expected"):
        fold_input(placement, stem, (1.0,), (0.0,))
    with pytest.raises(ValueError, match="no bias or normalisation after conv1_conv; expected one"):
        fold_input(placement, stem._replace(offset=None), (1.0,) * 3, (1.0,) * 3)
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="first")])
    with pytest.raises(ValueError, match="whose first layer with weights is 'first'; expected"):
        stem_of(layers_of(dense))
    with pytest.raises(ValueError, match="whose first layer with weights is None; expected"):
        stem_of({})


@pytest.mark.slow
def test_published_inception_v3_takes_the_images_of_all_others(tmp_path, monkeypatch):
    """torchvision's network takes ImageNet's mean and deviation, and rescales to -1 to 1 within."""
    monkeypatch.setattr("keras_convnets.weights.published.fetch.check_hash", lambda path, row: None)
    with blank_kernels():
        inner, model = (create_model("inception_v3", (3, 75, 75), 1000) for _ in range(2))
    lively(inner)
    file = tmp_path / "inception_v3_google-0cc3c7bd.pth"
    save_weights(inner, tmp_path / "inner.safetensors", layout="torchvision")
    (tmp_path / "inner.safetensors").rename(file)  # its contents tell what it is
    report = load_weights(model, file)
    assert report.weights == "torchvision"
    images_now = preprocessing_of(model)
    assert (tuple(images_now.mean), tuple(images_now.std)) == IMAGENET
    pixels = np.random.default_rng(0).random((2, 75, 75, 3), "float32")
    found = model((pixels - IMAGENET[0]) / np.float32(IMAGENET[1]), training=False)
    expected = inner((pixels - 0.5) / 0.5, training=False)
    found, expected = map(keras.ops.convert_to_numpy, (found, expected))
    assert np.ptp(expected) > 0
    assert np.abs(found - expected).max() < 1e-5 * np.ptp(expected)
