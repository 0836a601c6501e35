"""Feature maps, kernels and statistics of activations, against what NumPy computes by hand."""

from pathlib import Path

import keras
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from helpers import FORMATS, outline
from keras_convnets import (
    activation_statistics,
    create_model,
    feature_maps,
    kernels,
)
from keras_convnets.explaining.inside.tiles import grid_shape, tiled

layers = keras.layers


def tiny(data_format="channels_last", seed=0):
    """Return two convolutions with ReLUs; channel 1 of the first and 0 and 2 of the second die."""
    keras.utils.set_random_seed(seed)
    shape = (6, 5, 2) if data_format == "channels_last" else (2, 6, 5)
    x = image = keras.Input(shape)
    for number, dead in ((1, [1]), (2, [0, 2])):
        conv = layers.Conv2D(
            3, 3, padding="same", data_format=data_format, name=f"conv{number}_conv",
            activation="relu" if number == 1 else None,
        )  # fmt: skip
        x = conv(x)
        kernel, bias = conv.get_weights()
        kernel[..., dead], bias[dead] = 0, -1
        conv.set_weights([kernel, bias])
    x = layers.ReLU(name="conv2_relu")(x)
    x = layers.GlobalAveragePooling2D(data_format=data_format, name="head_pool")(x)
    return keras.Model(image, layers.Dense(4, name="head_dense")(x))


def some_images(count, data_format="channels_last"):
    pixels = np.random.default_rng(1).normal(size=(count, 6, 5, 2)).astype("float32")
    return pixels if data_format == "channels_last" else np.moveaxis(pixels, -1, 1)


def by_hand(image, kernel, bias):
    """Return a 3x3 convolution with zeros around and a ReLU, by loops: (rows, cols, channels)."""
    rows, cols, _ = image.shape
    around = np.pad(image, ((1, 1), (1, 1), (0, 0))).astype(np.float64)
    found = np.zeros((rows, cols, kernel.shape[3]))
    for row in range(rows):
        for col in range(cols):
            found[row, col] = np.einsum("rci,rcio->o", around[row : row + 3, col : col + 3], kernel)
    return np.maximum(found + bias, 0)


@pytest.mark.parametrize("data_format", FORMATS)
def test_feature_maps_are_those_by_hand(data_format):
    model = tiny(data_format)
    found = feature_maps(model, some_images(2, data_format), "conv2")
    assert (found.layer, found.stage, found.maps.shape) == ("conv2_relu", "conv2", (2, 3, 6, 5))
    for image, maps in zip(some_images(2), found.maps, strict=True):
        for name in ("conv1_conv", "conv2_conv"):
            image = by_hand(image, *model.get_layer(name).get_weights())
        np.testing.assert_allclose(maps, np.moveaxis(image, -1, 0), atol=1e-5)
    assert found.dead.tolist() == [0, 2]
    np.testing.assert_array_equal(found.images, np.moveaxis(some_images(2), -1, 1))
    first = feature_maps(model, some_images(2, data_format), "conv1_conv")
    assert first.dead.tolist() == [1]


def test_a_nested_model_is_looked_into():
    base = create_model("lenet_5", (1, 32, 32), 10)
    image = keras.Input((32, 32, 1))
    model = keras.Model(image, layers.Dense(3)(base(layers.Rescaling(0.5)(image))))
    pixels = np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype("float32")
    found = feature_maps(model, pixels, "conv1")
    expected = feature_maps(base, 0.5 * pixels, "conv1")
    assert found.layer == f"lenet_5/{expected.layer}"
    np.testing.assert_allclose(found.maps, expected.maps, atol=1e-6)


@pytest.mark.parametrize("data_format", FORMATS)
def test_statistics_are_those_by_hand_and_dead_units_are_found(data_format):
    model = tiny(data_format)
    pixels = some_images(40, data_format)  # more than the network takes at once
    found = activation_statistics(model, pixels)
    first, second, head = found.stages
    maps = [feature_maps(model, pixels, name).maps for name in ("conv1", "conv2")]
    for stage, expected in zip((first, second), maps, strict=True):
        assert stage.mean == pytest.approx(expected.mean(dtype=np.float64), rel=1e-6)
        assert stage.std == pytest.approx(expected.std(dtype=np.float64), rel=1e-5)
        assert stage.zeros == (expected == 0).mean()
    assert first.dead == {"conv1_conv": (1,)}
    assert second.dead == {"conv2_relu": (0, 2)}
    assert (first.units, second.units, found.units, found.dead_units) == (3, 3, 6, 3)
    assert (head.layers, head.units, head.dead) == (("head_dense",), None, None)
    text = str(found)
    assert "Over 40 images." in text
    assert [row["dead"] for row in found.to_dict()["rows"]] == [1, 2, None]


def test_a_unit_that_responds_to_one_image_is_not_dead():
    model = tiny()
    dense = model.get_layer("conv1_conv")
    kernel, bias = dense.get_weights()
    kernel[...] = 0
    kernel[1, 1, 0, 2], bias[:] = 1, (-1, -1, -5)
    dense.set_weights([kernel, bias])
    pixels = np.zeros((35, 6, 5, 2), "float32")
    assert activation_statistics(model, pixels).stages[0].dead_units == 3
    pixels[34, 2, 3, 0] = 6
    found = activation_statistics(model, pixels).stages[0]
    assert found.dead == {"conv1_conv": (0, 1)}
    assert found.mean == pytest.approx(1 / (35 * 6 * 5 * 3))


@pytest.mark.parametrize("data_format", FORMATS)
def test_kernels_have_output_channels_first(data_format):
    shape = (8, 8, 4) if data_format == "channels_last" else (4, 8, 8)
    image = keras.Input(shape)
    options = {"padding": "same", "data_format": data_format}
    x = layers.Conv2D(6, (3, 5), groups=2, name="grouped", **options)(image)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise", **options)(x)
    x = layers.Conv2DTranspose(5, 2, name="transposed", **options)(x)
    x = layers.SeparableConv2D(7, 3, depth_multiplier=2, name="separable", **options)(x)
    model = keras.Model(image, x)
    shapes = {layer.name: kernels(model, layer.name).weights.shape for layer in model.layers[1:]}
    assert shapes == {
        "grouped": (6, 2, 3, 5),
        "depthwise": (12, 1, 3, 3),
        "transposed": (5, 12, 2, 2),
        "separable": (7, 5, 3, 3),
    }
    kernel = model.get_layer("grouped").get_weights()[0]
    found = kernels(model)
    assert found.layer == "grouped"
    assert found.weights[4, 1, 2, 3] == kernel[2, 3, 1, 4]
    assert found.norms[5, 0] == pytest.approx(np.linalg.norm(kernel[:, :, 0, 5]))
    depthwise = model.get_layer("depthwise").get_weights()[0]
    assert kernels(model, "depthwise").weights[7, 0, 2, 1] == depthwise[2, 1, 3, 1]


def test_the_kernels_of_a_separable_convolution_are_those_that_it_computes():
    image = keras.Input((5, 5, 3))
    separable = layers.SeparableConv2D(4, 3, depth_multiplier=2, padding="same", name="separable")
    model = keras.Model(image, separable(image))
    found = kernels(model).weights
    impulse = np.zeros((3, 5, 5, 3), "float32")
    impulse[np.arange(3), 2, 2, np.arange(3)] = 1
    response = keras.ops.convert_to_numpy(model(impulse))[:, 1:4, 1:4]  # turned by 180 degrees
    np.testing.assert_allclose(response[:, ::-1, ::-1].transpose(3, 0, 1, 2), found, atol=1e-6)


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (2, (1, 2)), (64, (6, 11)), (512, (16, 32)), (2048, None)]
)
def test_a_grid_is_nearly_of_the_shape_of_a_slide(count, shape):
    down, across = grid_shape(count)
    assert shape in (None, (down, across))
    assert down * across >= count > (down - 1) * across
    assert count < 5 or 1.2 < across / down < 2.6


def test_tiles_stand_in_order_with_thin_gaps():
    found = tiled(np.arange(6.0).reshape(6, 1, 1) * np.ones((1, 14, 14)), (2, 3))
    assert found.shape == (2 * 14 + 1, 3 * 14 + 2)
    assert [found[row, col] for row in (0, 28) for col in (0, 15, 43)] == [0, 1, 2, 3, 4, 5]
    assert np.isnan(found[14]).all()
    assert np.isnan(found[:, 14]).all()
    assert np.isfinite(found).mean() > 0.9
    assert tiled(np.ones((2, 1, 1)), (1, 2)).shape == (12, 25)  # pixels of one become visible


def test_the_figure_shows_each_channel_and_the_dead_ones_in_grey():
    found = feature_maps(tiny(), some_images(1), "conv2")
    main = found.figure().axes[1]
    picture = main.images[0].get_array()
    grey = np.array(to_rgba("#c9ced3"))
    tiles = [picture[0, number * (5 * 2 + 1)] for number in range(3)]  # a pixel is two, and a gap
    assert [np.allclose(tile, grey) for tile in tiles] == [True, False, True]
    assert [text.get_text() for text in main.texts] == ["0", "1", "2"]
    strongest = found.figure(channels=1).axes[1]
    assert [text.get_text() for text in strongest.texts] == ["1"]
    heading = [text.get_text() for text in found.figure().texts]
    assert heading == [
        "conv2_relu",
        "3 channels of 6 × 5, all of them; 2 are zero everywhere (grey)",
    ]


def test_figures_are_written():
    model = tiny()
    feature_maps(model, some_images(1)).plot("maps.svg")
    kernels(model, "conv2").plot("norms.png")
    kernels(create_model("cifar_plain_20")).plot("first.pdf")
    assert Path("maps.svg").read_text().count("<image") == 3  # the image, the grid, the colours
    assert Path("norms.png").read_bytes()[1:4] == b"PNG"
    assert Path("first.pdf").read_bytes()[:4] == b"%PDF"
    tiles = kernels(model).figure(output=2)
    assert [text.get_text() for text in tiles.axes[0].texts] == ["0", "1"]


def test_what_cannot_be_looked_at_is_refused_in_a_line():
    model, images = tiny(), some_images(1)
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    for call, said in (
        (lambda: feature_maps(model, images, "conv9"), "layer: received 'conv9'; expected one of"),
        (lambda: feature_maps(model, images, "head_dense"), "layer: received 'head_dense', which"),
        (lambda: feature_maps(model, images[0]), "images: received float32 of 6 × 5 × 2; expected"),
        (lambda: feature_maps(model, images.astype("uint8")), "images: received uint8 of"),
        (lambda: feature_maps(model, np.full_like(images, np.nan)), "images: received NaN or inf"),
        (lambda: feature_maps(model, None), "images: received None; expected an array of floats"),
        (lambda: feature_maps(model, images).figure(1), "image: received 1; expected 0 to 0"),
        (lambda: feature_maps(model, images).figure(0, 9), "channels: received 9; expected 1 to 3"),
        (lambda: feature_maps(dense, np.zeros((1, 4), "float32")), "model: .* takes inputs of"),
        (lambda: feature_maps("model", images), "model: received 'model'; expected a functional"),
        (lambda: feature_maps(model, images).plot("a.gif"), "to_file: received 'a.gif'; expected"),
        (
            lambda: activation_statistics(outline("lenet_5"), images),
            "model: the weights of lenet_5",
        ),
        (lambda: activation_statistics(model, images[:0]), "images: received float32 of 0 × 6 ×"),
        (lambda: kernels(model, "head_dense"), "layer: received 'head_dense', which has none; exp"),
        (lambda: kernels(dense), "layer: received .*; expected a 2D convolution. Name one of a"),
        (lambda: kernels(model).figure(3), "output: received 3; expected 0 to 2, as conv1_conv"),
    ):
        with pytest.raises(ValueError, match=f"^{said}") as refused:
            call()
        assert "\n" not in str(refused.value)


def test_activations_that_are_no_numbers_are_refused():
    model = tiny()
    kernel, bias = model.get_layer("conv2_conv").get_weights()
    model.get_layer("conv2_conv").set_weights([np.full_like(kernel, np.inf), bias])
    for call in (feature_maps, activation_statistics):
        with pytest.raises(ValueError, match="^model: the (feature map|activation)s of conv2_relu"):
            call(model, some_images(1))
