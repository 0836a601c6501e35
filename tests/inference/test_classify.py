"""`classify`: a few images as a script has them."""

import io
import pickle
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from helpers import FORMATS, lively
from keras_convnets import ResnetBuilder, classify
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.compiled import forward, to_numpy
from keras_convnets.inference.predict import predict
from keras_convnets.known import Known, remember
from keras_convnets.training.run.saved_run import SavedRun

NAMES = ("cat", "dog", "owl")
CROP = Preprocessing(3, 8, 8, resize="crop", mean=(0.5,) * 3, std=(0.25,) * 3)
RANDOM = np.random.default_rng(0)
SMALL = RANDOM.integers(0, 256, (3, 8, 8, 3), np.uint8)
LARGE = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)


def network(data_format="channels_last", channels=3, **options):
    keras.utils.set_random_seed(0)
    options |= {"data_format": data_format}
    shape = (channels, 8, 8)
    return lively(ResnetBuilder.build(shape, 3, "basic_block", (1,), **options), kernels=1)


@pytest.fixture(scope="module")
def model():
    found = network()
    remember(found, Known(preprocessing=CROP.to_config(), class_names=NAMES))
    return found


def expected(model, images):
    batch = np.stack([CROP(image).numpy() for image in images])
    return to_numpy(forward(model)(batch))


def test_images_of_every_kind_give_the_same(model):
    Image.fromarray(LARGE).save("large.png")
    pillow = Image.open("large.png")
    [one] = expected(model, [LARGE])
    for images in (
        "large.png",
        Path("large.png"),
        pillow,
        pillow.convert("RGBA"),
        LARGE,
        LARGE.astype("int64"),
        LARGE.astype("float32"),
        LARGE[np.newaxis],
        tf.constant(LARGE),
        [Path("large.png")],
        (path for path in ["large.png"]),
    ):
        found = classify(model, images)
        assert len(found) == 1
        np.testing.assert_allclose(found.probabilities, [one], atol=1e-6)


def test_images_of_several_sizes_keep_their_order_and_names(model):
    Image.fromarray(LARGE).save("large.png")
    found = classify(model, [SMALL[0], "large.png", Image.fromarray(SMALL[1]), LARGE[:, :9]])
    images = [SMALL[0], LARGE, SMALL[1], LARGE[:, :9]]
    np.testing.assert_allclose(found.probabilities, expected(model, images), atol=1e-6)
    assert found.files == ("image 0", "large.png", "image 2", "image 3")
    assert found.labels.tolist() == found.probabilities.argmax(axis=1).tolist()
    assert found.names == tuple(NAMES[label] for label in found.labels)


def test_as_predict_does_it(model):
    Image.fromarray(LARGE).save("large.png")
    run = SavedRun(Path("run"), model, CROP, NAMES, {})
    of_files = predict(run, ["large.png"])
    for found in (classify(model, "large.png"), classify(run, "large.png")):
        assert np.array_equal(found.probabilities, of_files.probabilities)
        assert found.files == of_files.files
        assert found.class_names == of_files.class_names


@pytest.mark.parametrize("data_format", FORMATS)
def test_prepared_images_go_straight_into_the_network(data_format):
    model = network(data_format)
    batch = RANDOM.normal(size=(70, 8, 8, 3)).astype("float32")
    batch = batch if data_format == "channels_last" else batch.transpose(0, 3, 1, 2)
    found = classify(model, batch, prepared=True)
    np.testing.assert_allclose(found.probabilities, to_numpy(forward(model)(batch)), atol=1e-6)
    few = batch[:2].astype("float64")
    again = classify(model, tf.Variable(few), prepared=True)
    assert np.array_equal(again.probabilities, to_numpy(forward(model)(batch[:2])))
    assert found.class_names == ("0", "1", "2")


@pytest.mark.parametrize("data_format", FORMATS)
def test_grey_images_and_channels_first(data_format):
    model = network(data_format, channels=1)
    one = Preprocessing(1, 8, 8, resize="stretch")
    found = classify(model, [LARGE[..., 0], LARGE], one)
    batch = np.stack([one(LARGE[..., :1]).numpy(), one(LARGE).numpy()])
    batch = batch if data_format == "channels_last" else batch.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found.probabilities, to_numpy(forward(model)(batch)), atol=1e-6)


def test_logits_become_probabilities():
    model = network(classifier_activation=None)
    found = classify(model, SMALL, CROP)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.abs(to_numpy(forward(model)(CROP(SMALL)))).max() > 1e-3


def test_none_gives_none_and_more_than_a_batch_are_no_matter(model, monkeypatch):
    none = classify(model, [])
    assert none.probabilities.shape == (0, 3)
    assert (len(none), none.names, none.top(), repr(none)) == (0, (), [], "no predictions")
    every = classify(model, SMALL)
    monkeypatch.setattr("keras_convnets.inference.classify._BATCH", 2)
    np.testing.assert_allclose(
        classify(model, list(SMALL)).probabilities, every.probabilities, atol=1e-6
    )


def test_the_result_reads_well(model):
    found = classify(model, SMALL[0])
    [best] = found.top(2)
    label, probability = best[0]
    assert (best[0].label, best[0].probability, best[0].name) == (label, probability, NAMES[label])
    assert repr(best[0]) == f"{NAMES[label]} {probability:.2%}"
    assert pickle.loads(pickle.dumps(best[0])).name == NAMES[label]
    assert repr(found) == str(found) == found.table().to_text()
    lines = repr(classify(model, np.repeat(SMALL, 9, axis=0))).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "and 7 more"


def test_the_names_that_are_passed_are_used(model):
    assert classify(model, SMALL, class_names=list("abc")).class_names == tuple("abc")


def test_pixels_that_are_too_bright_are_doubtful():
    found = classify(network(), SMALL[0], Preprocessing(3, 8, 8, scale=16.0))
    assert found.doubtful[0].startswith("image 0: its pixels go up to")


def test_pixels_that_are_all_dark_are_doubtful_together(model):
    dark = np.random.default_rng(0).integers(0, 15, (8, 8, 8, 3), "uint8")
    assert classify(model, dark[:7]).doubtful == ()
    [line] = classify(model, dark).doubtful
    assert line.startswith("the pixels of all 8 images are 0 to 14")


def test_black_images_that_are_floats(model):
    assert len(classify(model, np.zeros((8, 8, 3), "float32"))) == 1


def test_broken_weights_are_refused_once_they_are_seen(model):
    broken = network()
    kernel = next(w for w in broken.trainable_weights if "conv2_block1_conv1" in w.path)
    kernel.assign(kernel * np.nan)
    with pytest.raises(ValueError, match=r"^model: .* (NaN or infinity)"):
        classify(broken, SMALL, CROP)


def test_weights_that_training_broke_are_refused():
    """Also where the outputs hide it, for a ReLU may turn NaN into 0."""
    ends = keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")
    layers = keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu"), *ends
    broken = keras.Sequential(layers)
    broken.compile("sgd", "mse")
    assert len(classify(broken, SMALL, CROP)) == 3
    kernel = broken.layers[0].kernel
    kernel.assign(kernel * np.nan)
    broken.optimizer.iterations.assign(1)
    with pytest.raises(ValueError, match=r"^model: .* (NaN or infinity)"):
        classify(broken, SMALL, CROP)


def test_a_model_that_does_not_know_how_its_images_are_prepared():
    with pytest.raises(ValueError, match="^preprocessing: received none, and .* does not know how"):
        classify(network(), SMALL)


def test_two_threads(model):
    both = expected(model, SMALL)
    found = []

    def work():
        for image, values in zip(SMALL, both, strict=True):
            close = np.allclose(classify(model, image).probabilities, [values], atol=1e-6)
            found.append(close)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 9


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ("none.png", "none.png: no such file"),
        (["none.png"], "none.png: no such file"),
        (7, "images: received 7; expected a path, a folder, a file's bytes"),
        ({"a": 1}, "images: received {'a': 1}; expected"),
        (b"bytes", "image 0: not an image: expected a JPEG"),
        ([SMALL[0], b""], "image 1: an empty file"),
        (io.StringIO("text"), "images: received a StringIO of str; expected a file opened for byt"),
        (tf.data.Dataset.range(2), "images: received <_RangeDataset .*; expected"),
        ([SMALL[0], 7], r"images\[1\]: received 7; expected a path"),
        ([SMALL], r"images\[0\]: received an array of 3 × 8 × 8 × 3; expected \(rows, cols"),
        (SMALL[0].transpose(2, 0, 1), "images: received an array of 3 × 8 × 8; expected .*Transpo"),
        (np.zeros((0, 8, 3), np.uint8), "images: received an array of 0 × 8 × 3; expected"),
        (np.array(1), "images: received a number; expected"),
        (SMALL[0] / 255, "images: received float32 from .* expected pixels, from 0 to 255"),
        (SMALL[0] - 128.0, "images: received float32 from -.*prepared=True"),
        (np.full((8, 8, 3), np.nan), "images: received float32 from nan"),
        (SMALL[0].astype("int16") - 200, "images: received int16 from -"),
        (SMALL[0] > 9, "images: received an array of type bool; expected pixels"),
        (np.full((8, 8, 3), "a"), "images: received an array of type <U1; expected pixels"),
        (Image.new("F", (8, 8)), "images: received an image of Pillow's mode 'F'; expected 8 bits"),
    ],
)
def test_what_is_no_image_is_refused_in_a_line(model, images, words):
    with pytest.raises(ValueError, match=f"^{words}") as refused:
        classify(model, images)
    assert "\n" not in str(refused.value)


def test_a_file_that_was_cut_off(model):
    Image.fromarray(LARGE).save("whole.png")
    Path("cut.png").write_bytes(Path("whole.png").read_bytes()[:600])
    with pytest.raises(ValueError, match=r"^cut.png: "):
        classify(model, "cut.png")
    words = "^images: received an image that Pillow cannot read"
    with Image.open("cut.png") as cut, pytest.raises(ValueError, match=words):
        classify(model, cut)
    with pytest.raises(ValueError, match=words):
        classify(model, cut)  # which is closed now


@pytest.mark.parametrize(
    ("images", "more", "words"),
    [
        (SMALL, {}, "images: received uint8 of 3 × 8 × 8 × 3 with prepared=True; expected an arr"),
        (SMALL[0] / 255, {}, "images: received float64 of 8 × 8 × 3 with prepared=True"),
        ("a.png", {}, "images: received 'a.png' with prepared=True"),
        ([1.0], {}, r"images: received \[1.0\] with prepared=True"),
        (SMALL / 255, {"preprocessing": CROP}, "preprocessing: received one beside prepared=True"),
    ],
)
def test_images_that_are_not_prepared(model, images, more, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        classify(model, images, prepared=True, **more)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "run"}, "model: received 'run'; expected a Keras model, or a run"),
        ({"preprocessing": "crop"}, "preprocessing: received 'crop'; expected"),
        ({"preprocessing": Preprocessing(3, 9, 9)}, r"model: .* takes images of \(3, 8, 8\); exp"),
        ({"class_names": ["a"]}, "class_names: received 1 names, but .* is for 3 classes"),
    ],
)
def test_other_arguments(model, arguments, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        classify(**{"model": model, "images": SMALL} | arguments)
