"""Pixels of another range than those of a model: brought to it where it is certain, or refused."""

import numpy as np
import pytest
from PIL import Image

from keras_convnets.images.doubts import doubt_of
from keras_convnets.images.pixel_range import PixelRange, Seen, range_of, taken_for
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training import Data, load_data
from keras_convnets.training.data.loading import load_labelled

DIGITS, BYTES, UNIT = (
    Preprocessing(1, 8, 8, scale=16.0),
    Preprocessing(1, 8, 8, mean=(0.3,), std=(0.2,)),
    Preprocessing(1, 8, 8, scale=1.0, pixels=(0.0, 1.0)),
)
NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", image_size=8)


@pytest.fixture
def files(digits, tmp_path):
    """Write the first digits as images of 8 bits, and return the name of their data."""
    for number in range(40):
        label = digits.test.labels[number]
        folder = tmp_path / "png" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(digits.test.array[number, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return f"folder:{tmp_path / 'png'}"


@pytest.mark.parametrize("preprocessing", [DIGITS, BYTES, UNIT])
def test_files_and_digits_look_alike_to_any_run(preprocessing, digits, files):
    seen = [load_labelled(name, None, None, preprocessing, NAMES) for name in ("digits", files)]
    small, bright = (found.images for found in seen)
    first = int(bright.describe(0).rsplit("/", 1)[1].removesuffix(".png"))
    image = seen[1].preprocessing(bright.read(0))
    same = seen[0].preprocessing(digits.test.array[first])
    np.testing.assert_allclose(image, same, atol=0.02)
    assert (len(small), len(bright)) == (1797, 40)
    said = [len(found.words) for found in seen]
    assert said == [preprocessing != DIGITS, preprocessing != BYTES]


@pytest.mark.parametrize(
    ("scale", "shift", "dtype", "preprocessing"),
    [
        (1 / 16, 0, "float32", BYTES),
        (1 / 16, 0, "float32", DIGITS),
        (255 / 16, 0, "uint8", DIGITS),
        (255 / 16, 0, "float32", UNIT),
    ],
)
def test_arrays_whose_range_is_certain_are_brought_to_it(
    scale, shift, dtype, preprocessing, digits
):
    array, labels = digits.test.array, digits.test.labels
    data = Data.from_arrays(
        np.rint(array * scale).astype(dtype) if dtype == "uint8" else (array * scale).astype(dtype),
        labels,
        preprocessing=preprocessing,
    )
    [line] = data.words
    assert "are multiplied by" in line
    _, high = range_of(preprocessing)
    expected = preprocessing(array[:9] * (high / 16))
    np.testing.assert_allclose(
        data.preprocessing((array[:9] * scale + shift).astype(dtype)), expected, atol=0.02
    )


@pytest.mark.parametrize(
    ("change", "preprocessing"),
    [
        (lambda array: array, BYTES),  # integers up to 16: dark, or of another range?
        (lambda array: array / 8 - 1, BYTES),
        (lambda array: array / 8 - 1, DIGITS),
        (lambda array: (array - 5.0) / 6, UNIT),
        (lambda array: array, UNIT),
        (lambda array: array * 200.0, BYTES),
    ],
)
def test_arrays_whose_range_is_not_certain_are_refused(change, preprocessing, digits):
    array = change(digits.test.array)
    array = array if array.dtype == np.uint8 else array.astype("float32")
    with pytest.raises(ValueError, match=r"^data: received pixels of .*Scale them to that\.$"):
        Data.from_arrays(array, digits.test.labels, preprocessing=preprocessing)


def test_a_run_on_arrays_knows_their_range(digits):
    array, labels = digits.test.array, digits.test.labels
    for given, expected in (
        (array, (0, 16)),
        ((array / 16).astype("float32"), (0, 1)),
        ((array / 8 - 1).astype("float32"), (-1, 1)),
        (array * 15, (0, 255)),
    ):
        own = Data.from_arrays(given, labels).preprocessing
        assert range_of(own) == expected
        assert Preprocessing.from_config(own.to_config()) == own
        again = Data.from_arrays(given, labels, preprocessing=own)
        assert (again.preprocessing, again.words) == (own, ())


def test_blue_first():
    image = np.zeros((8, 8, 3), np.uint8) + np.array([10, 20, 30], np.uint8)
    caffe = Preprocessing(3, 8, 8, scale=1.0, mean=(1, 2, 3), order="BGR", pixels=(0, 255))
    assert caffe(image).numpy()[0, 0].tolist() == [29, 18, 7]
    assert str(caffe) == "3 x 8 x 8, blue first, pixels as they are, minus (1.0, 2.0, 3.0)"
    with pytest.raises(ValueError, match="^order: received 'BGR'"):
        Preprocessing(1, 8, 8, order="BGR")
    with pytest.raises(ValueError, match="^pixels: received"):
        Preprocessing(1, 8, 8, pixels=(1.0, 1.0))


def test_dark_images_are_doubtful_together_though_each_may_be_dark():
    assert doubt_of(Seen(0, 15, are_whole=True, images=7), BYTES) is None
    assert "all 8 images are 0 to 15" in doubt_of(Seen(0, 15, are_whole=True, images=8), BYTES)
    assert doubt_of(Seen(0, 15, are_whole=True, images=8), DIGITS) is None


def test_many_images_without_a_negative_pixel_are_not_those_of_a_model_of_both_signs():
    signed, ringing = PixelRange(-0.99, 0.98), PixelRange(-0.01, 1.0)
    assert taken_for(signed, Seen(0.1, 0.9, are_whole=False, images=1), False) == signed
    assert taken_for(signed, Seen(-0.9, 0.9, are_whole=False, images=99), False) == signed
    assert taken_for(signed, Seen(0.0, 0.9, are_whole=False, images=99), False) is None
    assert taken_for(ringing, Seen(0.0, 0.9, are_whole=False, images=99), False) == ringing
