import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_convnets.images.decoding import decode
from keras_convnets.images.kinds import KINDS
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.normalisation import normalised

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)
SMOOTH = np.linspace(0, 255, 20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)


def file(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_pixels_are_scaled_then_normalised_by_channel():
    preprocessing = Preprocessing(3, 20, 30, 255, (0.1, 0.2, 0.3), (0.5, 0.25, 1))
    expected = (COLOUR / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.25, 1]
    found = preprocessing(COLOUR)
    assert found.dtype == tf.float32
    assert np.allclose(found, expected, atol=1e-6)
    assert np.array_equal(preprocessing(np.stack([COLOUR, COLOUR]))[1], found)


def test_grey_becomes_colour_and_colour_grey():
    grey = COLOUR[..., :1]
    as_colour = Preprocessing(3, 20, 30, 1)(grey).numpy()
    assert np.array_equal(as_colour, np.repeat(grey, 3, axis=2))
    as_grey = Preprocessing(1, 20, 30, 1)(COLOUR).numpy()
    assert np.allclose(as_grey[..., 0], COLOUR @ [0.299, 0.587, 0.114], atol=0.1)
    with_alpha = np.concatenate([COLOUR, grey], axis=2)
    assert np.array_equal(Preprocessing(3, 20, 30, 1)(with_alpha), COLOUR.astype("float32"))
    assert np.array_equal(Preprocessing(1, 20, 30, 1)(with_alpha[..., 2:]), COLOUR[..., 2:])


def test_stretch_resizes_rows_and_columns_alike():
    found = Preprocessing(3, 40, 60, 1, resize="stretch")(SMOOTH).numpy()
    expected = tf.image.resize(SMOOTH.astype("float32"), (40, 60)).numpy()
    assert np.allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("rows", "cols"), [(256, 320), (320, 256), (256, 256), (512, 1024)])
def test_crop_takes_the_middle_as_imagenet_evaluations_do(rows, cols):
    """Image of which the first channel is the row, in parts of the shorter side."""
    image = np.zeros((rows, cols, 3), "float32")
    image[..., 0] = (np.arange(rows)[:, np.newaxis] + 0.5) / rows
    image[..., 1] = (np.arange(cols) + 0.5) / cols
    found = Preprocessing(3, 224, 224, 1, resize="crop")(image).numpy()
    for channel, side in ((0, rows), (1, cols)):
        seen = found[..., channel] * side / min(rows, cols) * 256  # pixels of the scaled image
        first = (side / min(rows, cols) * 256 - 224) / 2
        assert np.isclose(seen.min(), first + 0.5, atol=0.6)
        assert np.isclose(seen.max(), first + 223.5, atol=0.6)


def test_large_images_are_averaged_not_sampled():
    """Without antialiasing, stripes of one pixel would be seen as they happen to fall."""
    stripes = np.tile(np.array([0, 255], "uint8"), (64, 32))[..., np.newaxis]
    for resize in ("stretch", "crop", "none"):
        found = Preprocessing(1, 8, 8, 255, resize=resize)(stripes).numpy()
        assert np.allclose(found, 0.5, atol=0.02)


def test_none_leaves_the_right_size_alone_and_cuts_any_other():
    preprocessing = Preprocessing(3, 20, 20, 1)
    assert np.array_equal(preprocessing(COLOUR[:, :20]), COLOUR[:, :20].astype("float32"))
    assert np.allclose(preprocessing(COLOUR), COLOUR[:, 5:25], atol=1e-3)
    of_any_size = tf.function(preprocessing, [tf.TensorSpec((None, None, 3), tf.uint8)])
    assert np.allclose(of_any_size(COLOUR), COLOUR[:, 5:25], atol=1e-3)
    assert of_any_size(np.zeros((7, 3, 3), "uint8")).shape == (20, 20, 3)


@pytest.mark.parametrize("resize", ["none", "stretch", "crop"])
def test_it_comes_back_from_json(resize):
    means = tuple(RANDOM.random(3))
    preprocessing = Preprocessing(3, 224, 192, 255, means, (1 / 3, 0.1, 2), resize)
    again = Preprocessing.from_config(json.loads(json.dumps(preprocessing.to_config())))
    assert again == preprocessing
    assert again.std == (0.333333, 0.1, 2)
    assert np.array_equal(again(COLOUR), preprocessing(COLOUR))
    assert again.image_shape == (3, 224, 192)


def test_it_says_what_it_does():
    assert str(Preprocessing(1, 28, 28)) == "1 x 28 x 28, pixels divided by 255"
    assert str(Preprocessing(3, 224, 224, resize="crop")) == (
        "3 x 224 x 224, shorter side resized to 256, centre-cropped, pixels divided by 255"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": 0}, "channels: received 0; expected an integer of at least 1"),
        ({"rows": 0}, "rows: received 0"),
        ({"scale": 0}, "scale: received 0"),
        ({"resize": "zoom"}, "resize: received 'zoom'; expected one of 'none', 'stretch', 'crop'"),
        ({"mean": (0.5,)}, "mean: received .*; expected 3 numbers, one a channel"),
        ({"std": (1, 0, 1)}, "std: received .*; expected numbers above 0"),
        ({"mean": (0.5, 0.5, float("nan"))}, "mean: received"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Preprocessing(**{"channels": 3, "rows": 20, "cols": 30} | arguments)


def test_means_and_deviations_are_those_of_the_images():
    array = RANDOM.integers(0, 256, (700, 6, 5, 3), np.uint8)
    array[..., 2] = 51
    images = from_array(array, np.zeros(700), str)
    found = normalised(Preprocessing(3, 6, 5), images, seed=0)
    pixels = array.reshape(-1, 3) / 255
    assert np.allclose(found.mean, pixels.mean(0), atol=1e-6)
    assert np.allclose(found.std, [*pixels.std(0)[:2], 1], atol=1e-6)  # one shade: left alone
    assert abs(found(array).numpy()[..., :2].mean()) < 1e-5


MODES = [
    *[("PNG", mode) for mode in ("RGB", "L", "P", "1", "RGBA", "LA")],
    *[("JPEG", mode) for mode in ("RGB", "L", "CMYK")],
    *[("GIF", mode) for mode in ("RGB", "L", "P")],
    *[("BMP", mode) for mode in ("RGB", "L", "P", "1", "RGBA")],
]


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_all_kinds_of_files_become_colour(tmp_path, kind, mode):
    image = Image.fromarray(SMOOTH).convert(mode)
    path = tmp_path / f"image.{kind.lower()}"
    path.write_bytes(file(image, kind))
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert("RGB"))
    found = Preprocessing(3, 20, 30, 1).read_file(path)
    assert found.shape == (20, 30, 3)
    assert np.abs(found - expected).max() <= (4 if kind == "JPEG" else 0)


def test_sixteen_bits_become_eight(tmp_path):
    deep = Image.fromarray(SMOOTH[..., 0].astype(np.uint16) * 256 + 7)
    deep.save(tmp_path / "deep.png")
    found = Preprocessing(1, 20, 30, 1).read_file(tmp_path / "deep.png")
    assert np.allclose(found[..., 0], SMOOTH[..., 0], atol=0.1)


def test_an_animation_gives_its_first_frame():
    frames = [Image.fromarray(COLOUR), Image.fromarray(SMOOTH)]
    contents = file(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.array_equal(decode(contents), decode(file(frames[0], "GIF")))


def test_a_file_goes_by_what_it_holds_not_by_its_name(tmp_path):
    (tmp_path / "wrong.jpg").write_bytes(file(Image.fromarray(COLOUR), "PNG"))
    assert np.array_equal(Preprocessing(3, 20, 30, 1).read_file(tmp_path / "wrong.jpg"), COLOUR)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_truncated_files_are_refused(tmp_path, kind):
    contents = file(Image.fromarray(COLOUR), kind)
    path = tmp_path / f"short.{kind.lower()}"
    path.write_bytes(contents[: len(contents) * 3 // 4])
    with pytest.raises(ValueError, match=f"^{path}: not a complete image$"):
        Preprocessing(3, 20, 30).read_file(path)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "an empty file"),
        (b"<html>", f"not an image: expected a {KINDS}"),
        *((start, "not a complete image") for start in (b"BM", b"\xff\xd8\xff", b"II*\0", b"GIF8")),
        *((start, "not a complete image") for start in (b"\x89PNG\r\n\x1a\n", b"P6\n", b"MM\0+")),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, contents, reason):
    (tmp_path / "no.jpg").write_bytes(contents)
    with pytest.raises(ValueError, match=f"no.jpg: {reason}$"):
        Preprocessing(3, 20, 30).read_file(tmp_path / "no.jpg")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere.png: no such file$"):
        Preprocessing(3, 20, 30).read_file("nowhere.png")
    with pytest.raises(ValueError, match="^[^\n]*: it is a folder; expected a file$"):
        Preprocessing(3, 20, 30).read_file(tmp_path)


@pytest.mark.parametrize(
    ("rows", "cols", "shorter_side", "sizes", "place"),
    [
        (427, 640, 256, (256, 383), (16, 80)),  # 79.5 is rounded to the even number
        (640, 427, 232, (347, 232), (62, 4)),  # 61.5 as well
        (300, 301, 299, (299, 299), (38, 38)),  # 37.5 as well
        (100, 1000, 342, (342, 3420), (59, 1598)),
    ],
)
def test_a_given_shorter_side_has_the_geometry_of_torchvision(
    rows, cols, shorter_side, sizes, place
):
    image = RANDOM.integers(0, 256, (rows, cols, 3), np.uint8)
    prepare = Preprocessing(3, 224, 224, 1, resize="crop", shorter_side=shorter_side)
    top, left = place
    whole = np.asarray(Image.fromarray(image).resize(sizes[::-1], Image.Resampling.BILINEAR))
    expected = whole[top : top + 224, left : left + 224]
    assert np.abs(prepare(image) - expected).max() <= 1


def test_bicubic_interpolation_stays_within_the_range_of_pixels():
    edge = np.repeat(np.array([[0, 0, 0, 0, 255, 255, 255, 255]], np.uint8), 8, axis=0)[..., None]
    for resize, shorter_side in (("crop", 40), ("crop", None), ("stretch", None)):
        prepare = Preprocessing(
            *(1, 32, 32, 255.0),
            resize=resize,
            shorter_side=shorter_side,
            interpolation="bicubic",
        )
        found = prepare(edge).numpy()
        assert found.min() == 0
        assert found.max() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"shorter_side": 40},
            "shorter_side: received 40 with resize='none'; expected at",
        ),
        ({"shorter_side": 31, "resize": "crop"}, "shorter_side: received 31 with resize='crop'"),
        ({"interpolation": "nearest"}, "interpolation: received 'nearest'; expected one of"),
    ],
)
def test_what_cannot_be_cropped_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Preprocessing(3, 32, 32, **options)


def test_the_share_that_a_crop_keeps():
    assert Preprocessing(3, 224, 224, resize="crop").crop_share == 0.875
    assert Preprocessing(3, 224, 224, resize="crop", shorter_side=232).crop_share == 224 / 232
    assert Preprocessing(3, 224, 224).crop_share == 1
    words = str(Preprocessing(3, 32, 32, resize="crop", shorter_side=40, interpolation="bicubic"))
    assert words.startswith("3 x 32 x 32, shorter side resized to 40 (bicubic), centre-cropped, ")


def test_configurations_of_earlier_versions_mean_what_they_meant():
    old = {"channels": 3, "rows": 32, "cols": 32, "scale": 255.0, "mean": [0.0, 0.0, 0.0]}
    old |= {"std": [1.0, 1.0, 1.0], "resize": "crop"}
    assert Preprocessing.from_config(old) == Preprocessing(3, 32, 32, resize="crop")
    with pytest.raises(ValueError, match="'sharpen' is unknown or missing"):
        Preprocessing.from_config(old | {"sharpen": 1})
    del old["rows"]
    with pytest.raises(ValueError, match="'rows' is unknown or missing"):
        Preprocessing.from_config(old)


@pytest.mark.parametrize("shape", [(1, 60_000, 3), (60_000, 1, 3)])
def test_a_very_long_image_takes_little_memory_and_time(shape):
    long = np.broadcast_to(np.array([50, 100, 150], np.uint8), shape)
    found = Preprocessing(3, 224, 224, 1, resize="crop", shorter_side=256)(long).numpy()
    assert np.array_equal(found[0, 0], [50, 100, 150])
    assert found.std(axis=(0, 1)).max() < 1e-4


def test_images_of_any_size_are_cropped_within_a_dataset_and_in_batches():
    prepare = Preprocessing(3, 24, 32, 255.0, resize="crop", shorter_side=40)
    images = [COLOUR, COLOUR.transpose(1, 0, 2), COLOUR[:5, :7]]
    made = tf.data.Dataset.from_generator(
        lambda: images, output_signature=tf.TensorSpec((None, None, 3), tf.uint8)
    )
    for image, found in zip(images, made.map(prepare), strict=True):
        assert np.array_equal(found, prepare(image))
        assert np.array_equal(prepare(np.stack([image, image]))[1], found)
        halves = prepare(image.astype("float32")).numpy()
        assert np.abs(halves - found).max() <= 1.5 / 255
