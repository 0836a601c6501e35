"""Photographs as cameras, scanners and the web make them are read right, or named."""

import struct

import numpy as np
import odd_images
import pytest
import tensorflow as tf
from PIL import Image

from keras_convnets.images import contents, decoding, looking, reading, tiff, turning
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.resizing import coloured
from keras_convnets.training import load_data, training_batches

SCENE = np.asarray(odd_images.SCENE)
READ = {
    name: (data, SCENE if shown is None else shown)
    for name, (data, shown) in odd_images.read().items()
}
LEFT_OUT = odd_images.left_out()


@pytest.mark.parametrize("name", READ)
def test_it_shows_what_a_person_sees(tmp_path, name):
    data, shown = READ[name]
    (tmp_path / name).write_bytes(data)
    found = decoding.read_image(tmp_path / name)
    most = 4 if odd_images.is_lossy(name) else 0.2
    assert odd_images.difference(found, shown) <= most
    grey = np.asarray(coloured(tf.constant(found), 1))
    assert odd_images.difference(grey[..., 0], shown @ [0.299, 0.587, 0.114]) <= most


@pytest.mark.parametrize("name", LEFT_OUT)
def test_the_reason_is_told_of_what_is_not_read(tmp_path, name):
    data, words = LEFT_OUT[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"^[^\n]*/{name}: [^\n]*$") as error:
        decoding.read_image(tmp_path / name)
    assert words in str(error.value) or name == "notes.txt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of two classes, each with all odd files."""
    place = tmp_path_factory.mktemp("odd") / "photographs"
    for name in ("cat", "dog"):
        (place / name).mkdir(parents=True)
        for file, (data, _) in (READ | LEFT_OUT).items():
            (place / name / file).write_bytes(data)
    return place


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("memory", [2**30, 0], ids=["in memory", "in files"])
def test_training_evaluation_and_prediction_see_the_same(folder, monkeypatch, channels, memory):
    monkeypatch.setattr(reading, "MEMORY", memory)
    prepare = Preprocessing(channels, *SCENE.shape[:2])
    data = load_data(f"folder:{folder}", preprocessing=prepare)
    left_out = dict(line.split(": ", 1) for line in data.skipped)
    assert {name.split("/")[-1] for name in left_out} == set(LEFT_OUT)
    assert all(LEFT_OUT[name.split("/")[-1]][1] in why for name, why in left_out.items())
    images = data.train
    assert images.array is None
    assert (images.encoded is None) == bool(memory)
    batches = evaluation_batches(images, prepare, 64)
    found = np.concatenate([batch for batch, _ in batches])
    for number, image in enumerate(found):
        path = folder.parent / images.describe(number)
        assert np.array_equal(image, prepare.read_file(path)), path


def test_headers_tell_which_may_have_to_be_turned(tmp_path):
    for name, (data, _) in READ.items():
        (tmp_path / name).write_bytes(data)
        [look] = looking.looks([str(tmp_path / name)])
        assert look.turns or not contents.checked(data).startswith(turning.MARK)
        assert look.turns or not name.endswith(" 6.jpg")
        assert not look.turns or " " in name, "an upright one"


@pytest.mark.parametrize("augmentation", ["none", "resized-crop"])
def test_a_photograph_that_was_upright_when_it_was_listed_is_turned(
    tmp_path, monkeypatch, augmentation
):
    """No JPEG of these is to be turned, so none is in TensorFlow: Pillow turns what has changed."""
    monkeypatch.setattr(reading, "MEMORY", 0)
    prepare = Preprocessing(3, *SCENE.shape[:2], scale=1.0)
    for number in range(4):
        path = tmp_path / "pets" / f"{number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(odd_images.photograph(1, quality=95))
    where = f"folder:{tmp_path / 'pets'}"
    data = load_data(where, preprocessing=prepare, augmentation=augmentation)
    assert not data.train.encoded.turns
    total = len(data.train)

    def batches():
        of_epoch = training_batches(data, total, seed=0, epoch=0)
        for images in (of_epoch, evaluation_batches(data.train, prepare, total)):
            yield from (batch for batch, _ in images.as_numpy_iterator())

    before = list(batches())
    for number in range(4):
        path = tmp_path / "pets" / f"{number % 2}" / f"{number}.jpg"
        path.write_bytes(odd_images.photograph(6, quality=95))
    assert all(map(lambda a, b: odd_images.difference(a, b) < 5, before, batches()))
    again = load_data(where, preprocessing=prepare, augmentation=augmentation)
    assert again.train.encoded.turns


@tf.function(
    input_signature=[tf.TensorSpec((), tf.string), *[tf.TensorSpec((n,), tf.int32) for n in (4, 2)]]
)
def part(data, window, least):
    return decoding.part(data, lambda _: window, 3, tuple(tf.unstack(least)))


@pytest.mark.parametrize("turn", range(1, 9))
def test_parts_of_a_turned_photograph_are_those_of_the_upright_one(turn):
    data = contents.checked(odd_images.photograph(turn, quality=95))
    whole = decoding.decode(data).numpy()
    for window in ((0, 0, 48, 64), (5, 9, 20, 33), (40, 60, 8, 4), (0, 63, 48, 1)):
        top, left, rows, cols = window
        pixels, given = part(data, window, (1000, 1000))
        assert np.array_equal(pixels, whole[top : top + rows, left : left + cols])
        assert given.numpy().tolist() == [48, 64]
    pixels, _ = part(data, (8, 16, 32, 40), (8, 9))  # a quarter of each side is enough
    small = Image.fromarray(whole).crop((16, 8, 56, 40)).reduce(4)
    assert odd_images.difference(pixels.numpy(), np.asarray(small)) < 6


def test_a_comment_of_a_stranger_turns_nothing():
    data = odd_images.photograph(6, quality=95)
    once = contents.checked(data)
    assert np.array_equal(decoding.decode(once), decoding.decode(once))
    upright = odd_images.photograph(1, quality=95)
    strange = once[: len(once) - len(data) + 2] + upright[2:]
    assert strange.startswith(b"\xff\xd8\xff\xfe\x00\x07turn6")
    assert np.array_equal(decoding.decode(strange), decoding.decode(upright))


def test_sizes_are_those_of_the_upright_photograph_however_late_they_come(tmp_path):
    names = ("plain.jpg", "rotated 6.jpg", "thumbnail 6.jpg", "cmyk.jpg", "plain.tif")
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_bytes(READ[path.name][0])
    sizes = [look.size for look in looking.looks(map(str, paths))]
    assert sizes == [(48, 64)] * 4 + [None]


def test_tags_that_would_fill_the_memory_are_not_read(tmp_path):
    """Each of many tags says that its value is the whole file."""
    whole, count = READ["plain.tif"][0], 4_000
    entries = b"".join(struct.pack("<HHII", 1_000 + n, 1, len(whole), 8) for n in range(count - 2))
    sizes = b"".join(struct.pack("<HHII", tag, 4, 1, 9) for tag in (256, 257))
    at = len(whole) + len(whole) % 2
    data = b"II*\0" + struct.pack("<I", at) + whole[8:].ljust(at - 8, b"\0")
    data += struct.pack("<H", count) + sizes + entries + bytes(4)
    with pytest.raises(ValueError, match="larger than the file"):
        tiff.size(data)
    with pytest.raises(contents.RefusedImageError):
        contents.checked(data)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000", "AVIF", "PPM", "GIF"])
def test_large_images_of_other_kinds_are_refused_before_they_are_decoded(monkeypatch, kind):
    data = odd_images.encoded(Image.new("RGB", (64, 48)), kind)
    monkeypatch.setattr(contents, "MOST_PIXELS", 3_000)
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("decoded"))
    with pytest.raises(contents.RefusedImageError, match="64 pixels wide and 48 high; expected"):
        contents.checked(data)
