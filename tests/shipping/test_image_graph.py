import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.shipping.image_graph.image_graph import SCOPE, channels_of, image_graph

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

COLOURS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
KINDS = {
    "none": {},
    "stretch": {"resize": "stretch"},
    "crop": {"resize": "crop"},
    "shorter side": {"resize": "crop", "shorter_side": 24},
}
CASES = {
    f"{kind}, {interpolation}, {channels}": Preprocessing(
        *(channels, 17, 20), **options, interpolation=interpolation, **extra
    )
    for kind, options in KINDS.items()
    for interpolation in ("bilinear", "bicubic")
    for channels, extra in ((1, {}), (3, COLOURS))
}
SIZES = ((1, 1), (1, 31), (13, 1), (17, 20), (20, 17), (34, 40), (97, 101), (7, 300), (240, 320))
ROUNDING = 2e-5  # of the range of pixels
# The most pixels that are halfway between two whole numbers, and may become either of them. They
# are so many for some small sizes of noise alone, such as 30 rows that become 24.
HALVES = 0.08


def pixels_of(rows, cols, images=1, channels=3):
    return np.random.default_rng(rows).integers(0, 256, (images, rows, cols, channels), np.uint8)


@functools.cache
def graph_of(preprocessing):
    """The graph for images of any size, which all tests of a preprocessing share."""
    shape = (None, None, None, channels_of(preprocessing))
    signature = [tf.TensorSpec(shape, tf.uint8)]
    graph = tf.function(image_graph(preprocessing), input_signature=signature, autograph=False)
    return graph.get_concrete_function()


def levels(preprocessing, prepared):
    """What a network takes, as levels of pixels."""
    prepared = np.asarray(prepared) * preprocessing.std + preprocessing.mean
    return prepared * preprocessing.scale


def check_same(preprocessing, images, graph=None):
    """The graph prepares images as the preprocessing does, but for few pixels that are rounded."""
    found = (graph or graph_of(preprocessing))(tf.constant(images))
    expected = levels(preprocessing, preprocessing(images))
    off = np.abs(levels(preprocessing, found) - expected)
    if preprocessing.shorter_side is None:
        assert off.max() < ROUNDING * 255
    else:
        assert off.max() < 1 + ROUNDING * 255
        assert (off > ROUNDING * 255).mean() <= HALVES


@pytest.mark.parametrize("case", CASES)
def test_images_of_all_sizes_are_prepared_as_the_package_does(case):
    for rows, cols in SIZES:
        check_same(CASES[case], pixels_of(rows, cols, images=2))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(CASES)), st.integers(1, 90), st.integers(1, 90))
def test_images_of_any_size_are_prepared_as_the_package_does(case, rows, cols):
    check_same(CASES[case], pixels_of(rows, cols))


def pillow(preprocessing, image):
    """The levels after torchvision's ``Resize`` and ``CenterCrop``."""
    sides, size = image.shape[:2], (preprocessing.rows, preprocessing.cols)
    rows, cols = (side * preprocessing.shorter_side // min(sides) for side in sides)
    kernel = Image.Resampling[preprocessing.interpolation.upper()]
    whole = np.asarray(Image.fromarray(image).resize((cols, rows), kernel))
    top, left = (round((have - need) / 2) for have, need in zip((rows, cols), size, strict=True))
    return whole[top : top + size[0], left : left + size[1]].astype(float)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["bilinear", "bicubic"]), st.integers(1, 90), st.integers(1, 90))
def test_a_shorter_side_is_resized_as_pillow_does(interpolation, rows, cols):
    """As many halves become the other whole number as the package's own: Pillow has 22 bits."""
    preprocessing = CASES[f"shorter side, {interpolation}, 3"]
    (image,) = pixels_of(rows, cols)
    expected = pillow(preprocessing, image)
    found = levels(preprocessing, graph_of(preprocessing)(tf.constant(image[np.newaxis])))[0]
    own = levels(preprocessing, preprocessing(image))
    off, own_off = np.abs(found - expected), np.abs(own - expected)
    assert off.max() <= max(own_off.max() + 1, 2)
    assert (off > 0.5).mean() <= (own_off > 0.5).mean() + HALVES


def test_sizes_that_halves_are_exact_for_flip_no_pixel():
    """Where TensorFlow approximates 1 / 2, each half would be rounded down."""
    preprocessing = Preprocessing(3, 28, 28, 1, resize="crop", shorter_side=32)
    for side in (16, 32, 64, 128):
        images = pixels_of(side, 3 * side // 2)
        assert np.array_equal(graph_of(preprocessing)(tf.constant(images)), preprocessing(images))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_images_of_the_right_size_stay_bit_for_bit_the_same(interpolation):
    for channels in (1, 3):
        preprocessing = Preprocessing(channels, 17, 20, 1, interpolation=interpolation)
        images = pixels_of(17, 20)
        grey = np.repeat(images[..., :1], 3, axis=-1)
        given = images if channels == 3 else grey
        found = graph_of(preprocessing)(tf.constant(given))
        assert np.array_equal(found, given[..., :channels])


def test_blue_can_be_first():
    check_same(Preprocessing(3, 17, 20, 1, (104, 117, 123), order="BGR"), pixels_of(40, 30))


def test_other_channels_are_taken_as_they_are():
    preprocessing = Preprocessing(5, 17, 20, resize="stretch")
    assert channels_of(preprocessing) == 5
    check_same(preprocessing, pixels_of(40, 30, channels=5))


def test_large_networks_and_images_are_computed_in_strips():
    """224 pixels are 8 strips of 28; 100 of 16 end in one of 4."""
    preprocessing = Preprocessing(3, 224, 100, resize="crop", shorter_side=230, **COLOURS)
    check_same(preprocessing, pixels_of(300, 411))


def test_long_images_cost_what_their_crop_costs():
    """Nobody computes weights, or floats, of all of 200 million pixels."""
    preprocessing = CASES["shorter side, bilinear, 3"]
    images = np.broadcast_to(pixels_of(1, 1), (1, 2, 10_000_000, 3))
    check_same(preprocessing, images)


def test_all_operations_are_named_after_the_preprocessing():
    nodes = graph_of(CASES["crop, bilinear, 3"]).graph.get_operations()
    others = [node.name for node in nodes if not node.name.startswith(SCOPE + "/")]
    assert others == ["images", "Identity"]
