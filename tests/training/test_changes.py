"""The changes to images are those of Pillow and of hand computations."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from keras_convnets.images.labelled import Images, from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes import colours, geometry, levels
from keras_convnets.training.data.changes.applied import Changes
from keras_convnets.training.data.changes.draws import drawn
from keras_convnets.training.data.changes.pixels import pixels_of
from keras_convnets.training.data.changes.randaugment import OPERATIONS, randaugmented

MANY, SIZE = 6000, 16
RANDOM = np.random.default_rng(0)
# Smooth, so that Pillow's rounding between its steps changes little, and not of the whole range.
BYTES = (40 + 150 * RANDOM.random((3, SIZE, SIZE + 4, 3)) ** 2).astype(np.uint8)
UNIT = tf.constant(BYTES / np.float32(255))


def draws(name, images=MANY, shape=(3, 32, 40), seed=0, epoch=0):
    return drawn(augmentation_named(name), images, shape, seed, epoch)


def by_pillow(function, channels=3):
    images = [function(Image.fromarray(image)) for image in BYTES]
    return np.stack([np.asarray(image) for image in images]) / 255


def each(factor):
    return tf.fill((len(BYTES),), np.float32(factor))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (colours.brightness, ImageEnhance.Brightness),
        (colours.contrast, ImageEnhance.Contrast),
        (colours.saturation, ImageEnhance.Color),
        (colours.sharpness, ImageEnhance.Sharpness),
    ],
)
@pytest.mark.parametrize("factor", [0, 0.4, 1, 1.8])
def test_factors_do_what_pillows_do(change, kind, factor):
    expected = by_pillow(lambda image: kind(image).enhance(factor))
    assert np.abs(change(UNIT, each(factor)) - expected).max() < 2.1 / 255


@pytest.mark.parametrize(
    ("change", "theirs"),
    [
        (lambda images: levels.posterize(images, 4), lambda image: ImageOps.posterize(image, 4)),
        (lambda images: levels.posterize(images, 8), lambda image: image),
        (lambda images: levels.solarize(images, 0.5), lambda image: ImageOps.solarize(image, 128)),
        (levels.equalize, ImageOps.equalize),
    ],
)
def test_levels_change_as_pillows_do(change, theirs):
    assert np.abs(change(UNIT) - by_pillow(theirs)).max() < 1e-6


def test_contrast_is_stretched_to_the_whole_range():
    expected = by_pillow(ImageOps.autocontrast)
    assert np.abs(levels.autocontrast(UNIT) - expected).max() < 1.1 / 255
    flat = tf.fill((1, 4, 4, 3), 0.3)
    for change in (levels.autocontrast, levels.equalize):
        assert np.abs(change(flat) - 0.3).max() < 0.5 / 255


def test_hues_go_around_the_circle():
    found = colours.hue(UNIT[:1, :3], tf.constant([0.3]))
    for ours, pixel in zip(
        found[0].numpy().reshape(-1, 3), BYTES[0, :3].reshape(-1, 3), strict=True
    ):
        hue, *rest = colorsys.rgb_to_hsv(*pixel / 255)
        assert ours == pytest.approx(colorsys.hsv_to_rgb((hue + 0.3) % 1, *rest), abs=1e-5)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rotation_is_anticlockwise_around_the_centre(turns):
    image = RANDOM.random((1, 7, 7, 2), np.float32)
    found = geometry.moved(tf.constant(image), geometry.rotations(np.array([90.0 * turns]), 7, 7))
    assert np.abs(found[0] - np.rot90(image[0], turns)).max() < 1e-5


def test_images_are_shifted_by_whole_pixels_and_sheared_by_a_share():
    image = RANDOM.random((1, 5, 6, 1), np.float32)
    shift = geometry.shifts(np.array([2.0]), np.array([-1.0]))
    found = geometry.moved(tf.constant(image), shift)[0].numpy()
    assert np.array_equal(found[1:, :4], image[0, :-1, 2:])
    assert not found[0].any()
    assert not found[:, 4:].any()
    shear = geometry.shears(np.array([1.0]), np.array([0.0]))
    found = geometry.moved(tf.constant(image), shear)[0].numpy()
    for row in range(5):
        assert np.array_equal(found[row, : 6 - row], image[0, row, row:])


def test_what_is_outside_is_the_mean_colour():
    images = from_array(BYTES, np.zeros(3), str)
    made = Preprocessing(3, SIZE, SIZE + 4, mean=(0.2, 0.4, 0.6), std=(0.1, 0.2, 0.3))
    transforms = geometry.shifts(np.array([100.0]), np.array([0.0]))
    found = {
        "operations": np.full((1, 2), OPERATIONS.index("translate_x"), np.int32),
        "signs": np.ones((1, 2), np.float32),
        "moves": np.stack([transforms, transforms], axis=1),
    }
    pixels = pixels_of(images, made)
    moved = randaugmented(pixels.of_input(made(BYTES[:1])), found, 9, pixels.mean)
    assert np.abs(moved - np.array([0.2, 0.4, 0.6], "float32")).max() < 1e-6
    assert np.abs(pixels.to_input(moved)).max() < 1e-5
    rotated = Changes(augmentation_named("rotation"), images, made)(
        made(BYTES[:1]), {"rotation": transforms}
    )
    assert not rotated.numpy().any()


def test_operations_are_as_likely_and_those_of_colour_are_left_out_of_grey_images():
    for channels, count in ((3, len(OPERATIONS)), (1, len(OPERATIONS) - 1)):
        found = draws("randaugment:5", shape=(channels, 32, 40))
        for operations in found["operations"].T:
            counts = np.bincount(operations)
            assert len(counts) == count
            spread = 5 * np.sqrt(MANY / count * (1 - 1 / count))
            assert np.abs(counts - MANY / count).max() < spread
        assert set(np.unique(found["signs"])) == {-1, 1}
        assert abs(found["signs"].mean()) < 5 / np.sqrt(2 * MANY)
    assert OPERATIONS[-1] == "saturation"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_what_its_name_says(operation):
    """Two of three images have another operation, so that parts are put back in order."""
    magnitude, sign = 5.0, 1.0
    number = OPERATIONS.index(operation)
    identity = OPERATIONS.index("identity")
    moves = np.tile(np.array(geometry.IDENTITY, np.float32), (3, 2, 1))
    theirs = {
        "shear_x": geometry.shears(np.array(0.15), np.array(0)),
        "shear_y": geometry.shears(np.array(0), np.array(0.15)),
        "rotate": geometry.rotations(np.array(15), SIZE, SIZE + 4),
        "translate_x": geometry.shifts(np.array(4), np.array(0)),
        "translate_y": geometry.shifts(np.array(0), np.array(3)),
    }
    if operation in theirs:
        moves[1] = theirs[operation]
    found = {
        "operations": np.array([[identity] * 2, [number, identity], [identity] * 2], np.int32),
        "signs": np.full((3, 2), sign, np.float32),
        "moves": moves,
    }
    changed = randaugmented(UNIT, found, magnitude, (0, 0, 0)).numpy()
    assert np.array_equal(changed[[0, 2]], UNIT.numpy()[[0, 2]])
    one = UNIT[1:2]
    expected = {
        "identity": lambda: one,
        "brightness": lambda: colours.brightness(one, tf.constant([1.45])),
        "contrast": lambda: colours.contrast(one, tf.constant([1.45])),
        "saturation": lambda: colours.saturation(one, tf.constant([1.45])),
        "sharpness": lambda: colours.sharpness(one, tf.constant([1.45])),
        "posterize": lambda: levels.posterize(one, 6),
        "solarize": lambda: levels.solarize(one, 0.5),
        "autocontrast": lambda: levels.autocontrast(one),
        "equalize": lambda: levels.equalize(one),
    }.get(operation, lambda: geometry.moved(one, moves[1:2, 0]))
    assert np.abs(changed[1] - expected()[0]).max() < 1e-6
    assert operation == "identity" or np.abs(changed[1] - UNIT[1]).max() > 0.01


def test_moves_are_those_of_their_operations():
    found = draws("randaugment:5", 400, (3, SIZE, SIZE + 4))
    for name, expected in (("translate_x", 4), ("translate_y", 3)):
        are = found["operations"] == OPERATIONS.index(name)
        places = found["moves"][are][:, 2 if name == "translate_x" else 5]
        assert np.array_equal(places, expected * found["signs"][are])
    still = np.isin(found["operations"], [0, *range(6, len(OPERATIONS))])
    assert np.array_equal(found["moves"][still], [geometry.IDENTITY] * still.sum())


def test_angles_and_factors_are_spread_over_their_range():
    angles = np.degrees(np.arctan2(*draws("rotation:30")["rotation"][:, [3, 0]].T))
    assert np.abs(angles).max() <= 30.001
    assert abs(angles.std() - 30 / np.sqrt(3)) < 0.6
    found = draws("color-jitter:0.8")
    for factors, (low, high) in zip(
        found["jitter"].T, [(0.2, 1.8)] * 3 + [(-0.2, 0.2)], strict=True
    ):
        assert low <= factors.min() < low + 0.01 * (high - low)
        assert high >= factors.max() > high - 0.01 * (high - low)


def test_erased_areas_and_their_share_are_those_of_the_paper():
    boxes = draws("erasing:0.25")["erased"]
    top, left, bottom, right = boxes.T
    erased = bottom > top
    assert abs(erased.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / MANY)
    rows, cols = (bottom - top)[erased], (right - left)[erased]
    areas = rows * cols / (32 * 40)
    assert 0.015 < areas.min() < 0.03
    assert 0.3 < areas.max() < 0.35
    assert abs(areas.mean() - (0.02 + 1 / 3) / 2) < 0.02
    assert (rows / cols).min() < 0.4
    assert (rows / cols).max() > 2.5
    assert np.all((boxes >= 0) & (boxes <= [32, 40, 32, 40]))
    assert not boxes[~erased].any()


def test_erased_pixels_are_the_mean_colour_and_the_rest_stays():
    change = Changes(augmentation_named("erasing"), from_array(BYTES, np.zeros(3), str), _plain())
    found = change(UNIT, {"erased": np.array([[1, 2, 5, 9], [0] * 4, [0, 0, 1, 1]], np.int32)})
    expected = UNIT.numpy().copy()
    expected[0, 1:5, 2:9] = 0
    expected[2, 0, 0] = 0
    assert np.array_equal(found, expected)


def test_the_largest_erasures_of_small_images_fit():
    for shape in ((1, 1, 1), (1, 1, 9), (1, 2, 2)):
        boxes = draws("erasing:1", shape=shape)["erased"]
        assert np.all(boxes[:, 2:] <= shape[1:])


@pytest.mark.parametrize(
    ("array", "preprocessing", "white"),
    [
        (BYTES, {}, 255),
        (BYTES, {"scale": 1.0}, 255),  # bytes that were not scaled
        (BYTES, {"scale": 1.0, "mean": (103.9, 116.8, 123.7)}, 255),
        (BYTES // 16, {"scale": 16.0}, 16),  # digits
        (BYTES / np.float32(255), {"scale": 1.0}, 1),
    ],
)
def test_white_is_the_largest_pixel_that_images_may_have(array, preprocessing, white):
    made = _plain(**preprocessing)
    pixels = pixels_of(from_array(array, np.zeros(3), str), made)
    found = pixels.of_input(made(array))
    assert np.abs(found - array / np.float32(white)).max() < 1e-5
    assert np.abs(pixels.to_input(found) - made(array)).max() < 1e-3


def test_images_from_minus_1_to_1_are_black_and_white_there():
    array = BYTES / np.float32(127.5) - 1
    array[0, 0, 0], array[0, 0, 1] = -1, 1
    made = _plain(scale=1.0)
    pixels = pixels_of(from_array(array, np.zeros(3), str), made)
    assert np.abs(pixels.of_input(made(array)) - (array + 1) / 2).max() < 1e-6


def test_files_are_bytes_whatever_their_preprocessing():
    files = Images(np.zeros(3), lambda number: number, None, str)
    assert [pixels_of(files, _plain(scale=scale)).high for scale in (1, 255)] == [255, 255]


def _plain(**changes):
    return Preprocessing(3, SIZE, SIZE + 4, **changes)
