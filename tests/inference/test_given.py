"""The same picture gives the same probabilities, whatever it is handed over as."""

import io
import json
from pathlib import Path

import keras
import numpy as np
import odd_images
import pytest
import tensorflow as tf
from PIL import Image

from finished import write_run
from helpers import lively
from keras_convnets import ResnetBuilder, classify, cli
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.given import at_once
from keras_convnets.inference.predict import predict
from keras_convnets.training import Data, load_data
from keras_convnets.training.run.saved_run import SavedRun

NAMES = ("cat", "dog", "owl")
SCENE = np.asarray(odd_images.SCENE)
PNG = odd_images.photograph(1, "PNG")


def a_run(preprocessing):
    keras.utils.set_random_seed(0)
    shape = preprocessing.image_shape
    model = lively(ResnetBuilder.build(shape, 3, "basic_block", (1,)), kernels=1)
    return SavedRun(Path("run"), model, preprocessing, NAMES, {})


@pytest.fixture(scope="module", params=[1, 3])
def run(request):
    return a_run(Preprocessing(request.param, 8, 8, resize="crop"))


class Stream:
    """It has only what is needed of a file."""

    def __init__(self, data):
        self.read = lambda: data


def ways(data):
    """Return all that a script may have of a file."""
    Path("x.dat").write_bytes(data)
    opened = Image.open(io.BytesIO(data))
    return {
        "path": "x.dat",
        "pathlib": Path("x.dat"),
        "list": ["x.dat"],
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "open file": Path("x.dat").open("rb"),
        "BytesIO": io.BytesIO(data),
        "stream": Stream(data),
        "generator": (one for one in [data]),
        "Pillow": opened,
    }


def alike(run, way):
    for found in (predict(run, way), classify(run, way) if way_again(way) else None):
        if found is not None:
            assert (len(found), found.refused, found.skipped) == (1, (), ())
            yield found.probabilities


def way_again(way):
    """Return whether a way can be gone twice."""
    return not hasattr(way, "read") and not hasattr(way, "__next__")


@pytest.mark.parametrize("kind", ["PNG", "rotated PNG", "rotated TIFF", "16 bits", "GIF", "PGM"])
def test_a_picture_gives_the_same_however_it_is_handed_over(run, kind):
    files = {name: data for name, (data, _) in odd_images.read().items()}
    data = {
        "PNG": PNG,
        "rotated PNG": files["rotated 6.png"],
        "rotated TIFF": files["rotated 6 lzw.tiff"],
        "16 bits": files["16 bits grey.png"],
        "GIF": files["transparent.gif"],
        "PGM": files["16 bits.pgm"],
    }[kind]
    Path("x.png").write_bytes(data)
    one = predict(run, "x.png").probabilities
    for name, way in ways(data).items():
        for found in alike(run, way):
            assert np.array_equal(found, one), name
        if name == "open file":
            assert not way.closed  # it is the caller's
            way.close()


def test_arrays_are_pixels(run):
    Path("x.png").write_bytes(PNG)
    one = predict(run, "x.png").probabilities
    for way in (
        SCENE,
        SCENE[np.newaxis],
        [SCENE],
        SCENE.astype("int32"),
        SCENE.astype("float64"),
        tf.constant(SCENE),
        keras.ops.convert_to_tensor(SCENE),
        np.dstack([SCENE, SCENE[..., 0]]),  # with alpha
        Image.fromarray(SCENE),
    ):
        for found in alike(run, way):
            np.testing.assert_allclose(found, one, atol=1e-6)
    many = predict(run, [SCENE, "x.png", PNG, SCENE[:9, :11], Image.fromarray(SCENE)])
    assert many.files == ("image 0", "x.png", "image 2", "image 3", "image 4")
    assert not np.array_equal(many.probabilities[3], many.probabilities[0])
    np.testing.assert_allclose(many.probabilities[[0, 1, 2, 4]], one.repeat(4, 0), atol=1e-6)


def test_a_photograph_that_pillow_opened_is_turned_and_differs_by_a_shade(run):
    data = odd_images.photograph(6, quality=95)
    upright = predict(run, odd_images.photograph(1, quality=95)).probabilities
    for way in (data, Image.open(io.BytesIO(data))):
        assert np.abs(predict(run, way).probabilities - upright).max() < 0.02
    by_hand = odd_images.stored(6)
    by_hand.getexif()[0x112] = 6
    assert np.array_equal(
        predict(run, by_hand).probabilities, predict(run, odd_images.SCENE).probabilities
    )


def test_what_cannot_be_read_is_named_and_the_others_looked_at(run):
    cut = Image.open(io.BytesIO(PNG[:600]))
    floats = Image.new("F", (8, 8))
    found = predict(run, [b"<html>", SCENE, cut, floats, "none.png", Stream(b"")])
    assert found.files == ("image 1",)
    begins = [line.split(":")[0] for line in found.refused]
    assert begins == ["image 0", "images[2]", "images[3]", "none.png", "image 5"]
    assert "not an image: expected a JPEG" in found.refused[0]
    assert "mode 'F'; expected 8 bits" in found.refused[2]
    assert found.refused[4] == "image 5: an empty file"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (SCENE.transpose(2, 0, 1), "received an array of 3 × 48 × 64; expected .*Transpose"),
        (SCENE[np.newaxis].transpose(0, 3, 1, 2), "an array of 3 × 48 × 64; expected .*Transpose"),
        (np.zeros((5, 28, 28)), "received an array of 5 × 28 × 28; expected"),
        (SCENE / 255, "received float32 from .*expected pixels, from 0 to 255. Scale them"),
        (SCENE - 200.0, "received float32 from -.*expected pixels, from 0 to 255. Scale them"),
        (SCENE * 300.0, "received pixels of .*expected 0 to 255"),
        (np.full((8, 8, 3), np.nan), "received float32 from nan to nan; expected pixels"),
        (7, "received 7; expected a path, a folder, a file's bytes, an open file"),
        (io.StringIO("text"), "received a StringIO of str; expected a file opened for bytes"),
    ],
)
def test_what_is_no_image_is_refused_in_a_line(run, image, words):
    with pytest.raises(ValueError, match=f"^images?.*{words}[^\n]*$"):
        classify(run, image)
    if "received pixels of" not in words:
        with pytest.raises(ValueError, match=f"^images.*{words}[^\n]*$"):
            predict(run, image)


def folder():
    """Make a folder of images, and of what is none."""
    for name in ("b.png", "a.png", "inner/c.PNG", "inner/deep/d.png", ".hidden.png", "notes.txt"):
        path = Path("pictures") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    Path("elsewhere").mkdir()
    Path("pictures/link").symlink_to("../elsewhere")
    Path("pictures/inner/cut.png").write_bytes(PNG[:600])


def test_a_folder_is_gone_through_and_all_of_it_is_named(run):
    folder()
    for found in (predict(run, "pictures"), predict(run, [Path("pictures")])):
        names = [name.removeprefix("pictures/") for name in found.files]
        assert names == ["a.png", "b.png", "inner/c.PNG", "inner/deep/d.png"]
        assert found.refused == ("pictures/inner/cut.png: not a complete image",)
        assert [line.split(": ")[0] for line in found.skipped] == [
            "pictures/notes.txt",
            "pictures/link",
        ]
    with pytest.raises(ValueError, match="^pictures/inner/cut.png: not a complete image$"):
        classify(run, "pictures")
    Path("pictures/inner/cut.png").unlink()
    assert len(classify(run, "pictures").skipped) == 2
    assert predict(run, "elsewhere").refused[0].startswith("elsewhere: it is a folder without")


def test_the_command_takes_folders(capfd):
    write_run(Path("run"), load_data("digits", image_size=8))
    folder()
    assert cli.main(["predict", "run", "pictures", "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert [image["image"] for image in json.loads(out)["images"]][1:3] == [
        "pictures/b.png",
        "pictures/inner/c.PNG",
    ]
    assert len(json.loads(out)["skipped"]) == 2
    assert "error: pictures/inner/cut.png: not a complete image" in err
    assert "left out: pictures/notes.txt: its name is not that of a JPEG" in err


def test_arrays_of_a_range_of_their_own_are_those_that_a_model_was_trained_on():
    """As `Data.from_arrays` takes them, prediction does."""
    drawn = np.random.default_rng(0)
    labels = np.arange(30) % 3
    floats = drawn.normal(size=(30, 8, 8, 3)).astype("float32")
    for images in (floats, drawn.random((30, 8, 8, 3)), 255 * drawn.random((30, 8, 8, 3))):
        run = a_run(Data.from_arrays(images, labels).preprocessing)
        found = predict(run, images[:4])
        assert found.refused == found.doubtful == ()
        prepared = run.preprocessing(images[:4].astype("float32"))
        expected = classify(run.model, np.asarray(prepared), prepared=True).probabilities
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_batches_are_as_large_as_the_images_are_many():
    Path("pictures").mkdir()
    for images, count in (
        ("x.png", 1),
        ("pictures", 9),
        (["x.png", "y.png"], 2),
        (["pictures"], 9),
        (PNG, 1),
        (SCENE, 1),
        (SCENE[np.newaxis], 1),
        (np.zeros((20, 8, 8, 3)), 9),
        ((one for one in ()), 9),
        ([], 1),
    ):
        assert at_once(images, 9) == count
