"""A person's own arrays: the same splits and normalisation as data sets of a name."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from keras_convnets.inference.classify import classify
from keras_convnets.inference.predict import predict
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run.run import resume, train
from keras_convnets.training.run.saved_run import open_run

COUNT = 60
RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (COUNT, 6, 5, 3), np.uint8)
GREY = COLOUR[..., 0]
LABELS = np.arange(COUNT) % 3
SEVERAL = np.stack([LABELS == 0, LABELS > 0, RANDOM.random(COUNT) > 0.5], axis=1)


def same(first, second):
    return np.array_equal(first.array, second.array) and np.array_equal(first.labels, second.labels)


def test_they_are_split_and_normalised_as_a_data_set_is():
    digits = load_data("digits", image_size=8)
    images = np.concatenate([digits.train.array, digits.test.array])
    labels = np.concatenate([digits.train.labels, digits.test.labels])
    data = Data.from_arrays(images, labels, validation_split=0.25)
    assert (len(data.train), len(data.validation), len(data.test)) == (1077, 360, 360)
    for part in (data.train, data.validation, data.test):
        assert np.all(np.abs(np.bincount(part.labels) / len(part) - 0.1) < 0.01)
    pixels = data.train.array / 255
    assert data.preprocessing.mean == pytest.approx([pixels.mean()], abs=1e-4)
    assert data.preprocessing.std == pytest.approx([pixels.std()], abs=1e-4)
    again = Data.from_arrays(images, labels, validation_split=0.25)
    assert same(data.train, again.train)
    assert not same(data.train, Data.from_arrays(images, labels, seed=1).train)


def test_tests_of_ones_own_and_names():
    data = Data.from_arrays(
        COLOUR, LABELS[:, None], COLOUR[:9], LABELS[:9].tolist(), class_names=["a", "b", "c"]
    )
    assert np.array_equal(data.train.array, COLOUR)
    assert np.array_equal(data.test.array, COLOUR[:9])
    assert data.validation is data.test
    assert (data.class_names, data.image_shape) == (("a", "b", "c"), (3, 6, 5))
    assert (data.augmentation, data.arguments, data.name) == ("none", {}, "arrays")
    assert data.test.describe(2) == "arrays test 2"


def test_sizes_and_kinds():
    assert Data.from_arrays(GREY, LABELS).image_shape == (1, 6, 5)
    assert Data.from_arrays(COLOUR, LABELS, image_size=8).image_shape == (3, 8, 8)
    scales = {
        255.0: (COLOUR, COLOUR.astype("int64"), COLOUR.astype("float64")),
        1.0: (COLOUR / 255, COLOUR / 127.5 - 1, COLOUR * 3.0),
    }
    for scale, kinds in scales.items():
        for images in kinds:
            assert Data.from_arrays(images, LABELS).preprocessing.scale == scale
    with_alpha = np.concatenate([COLOUR, COLOUR[..., :1]], axis=-1)
    assert Data.from_arrays(with_alpha, LABELS).image_shape == (3, 6, 5)
    given = Data.from_arrays(COLOUR, LABELS, image_size=8).preprocessing
    assert Data.from_arrays(COLOUR, LABELS, preprocessing=given).preprocessing == given


def test_images_of_any_number_of_channels_and_of_unequal_sides():
    seven = np.random.default_rng(2).integers(0, 256, (60, 6, 5, 7), np.uint8)
    data = Data.from_arrays(seven, LABELS, channels=7, image_size=(8, 4))
    assert data.image_shape == (7, 8, 4)
    assert data.preprocessing(seven[:2]).shape == (2, 8, 4, 7)
    again = Data.from_arrays(seven, LABELS, preprocessing=data.preprocessing, image_size=(8, 4))
    assert again.preprocessing == data.preprocessing
    with_alpha = np.concatenate([COLOUR, COLOUR[..., :1]], axis=-1)
    assert Data.from_arrays(with_alpha, LABELS, channels=4).image_shape == (4, 6, 5)
    model = keras.Sequential([keras.Input((8, 4, 7)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3, activation="softmax"))
    assert classify(model, seven[:2], data.preprocessing).probabilities.shape == (2, 3)
    with pytest.raises(ValueError, match=r"received an array of 6 × 5 × 3; .* with 7 channels"):
        classify(model, COLOUR[:2], data.preprocessing)
    with pytest.raises(ValueError, match="image_size: received 8, but .* makes images of 8 x 4;"):
        Data.from_arrays(seven, LABELS, preprocessing=data.preprocessing, image_size=8)
    for images, channels in ((COLOUR, 5), (GREY, 5)):
        with pytest.raises(ValueError, match="^channels: received 5 for images in"):
            Data.from_arrays(images, LABELS, channels=channels)


def test_one_hot_labels_are_a_class_and_others_several():
    assert np.array_equal(
        Data.from_arrays(COLOUR, np.eye(3)[LABELS]).train.labels,
        Data.from_arrays(COLOUR, LABELS).train.labels,
    )
    data = Data.from_arrays(COLOUR, SEVERAL, validation_split=0.2)
    assert data.train.labels.shape == (len(data.train), 3)
    assert len(data.train) + len(data.validation) + len(data.test) == COUNT


NAN = np.where(np.arange(5)[:, None] == 2, np.nan, COLOUR / 255.0)
FIRST = np.moveaxis(COLOUR, -1, 1)
UNEVEN = [[[1, 2], [3]], [[4]]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((COLOUR[0, 0], LABELS), "train_images: received an array of shape .5, 3.; expected an ar"),
        ((COLOUR[:0], LABELS[:0]), "train_images: .*at least one image"),
        ((FIRST, LABELS), r"train_images: .*channels first; .* Pass np.moveaxis\(train_images, 1"),
        ((COLOUR[..., :2], LABELS), "train_images: received shape .60, 6, 5, 2.; expected an arr"),
        ((NAN, LABELS), "train_images: received NaN or infinity"),
        ((COLOUR.astype(object), LABELS), "train_images: received an array of objects"),
        ((COLOUR > 9, LABELS), "train_images: received an array of type bool"),
        ((COLOUR.astype(int) - 1, LABELS), "train_images: received integers of -1 to 254"),
        ((UNEVEN, LABELS), "train_images: received no array"),
        ((None, LABELS), "train_images: received nothing"),
        ((COLOUR, LABELS[:-1]), r"train_labels: received shape \(59,\) for 60 images"),
        ((COLOUR, 1.5), r"train_labels: received shape \(\) for 60 images"),
        ((COLOUR, LABELS - 1), "train_labels: received -1; expected labels of 0"),
        ((COLOUR, LABELS * 10**9), r"train_labels: received the label 2000000000 in 60 images"),
        ((COLOUR, LABELS + 0.5), "train_labels: received an array of type float64"),
        ((COLOUR, LABELS.astype(str)), "train_labels: received an array of type <U"),
        ((COLOUR, np.stack([LABELS] * 2, 1)), "train_labels: received 2 in shape"),
        ((COLOUR, LABELS * 0), "train_labels: received one class"),
        ((COLOUR, LABELS + 1, COLOUR, LABELS + 1), "train_labels: received no image of class 0"),
        ((COLOUR[:2], LABELS[:2], COLOUR, LABELS), "train_labels: received no image of class 2"),
        ((COLOUR * 0, LABELS), "train_images: received 60 images whose pixels are all 0"),
        ((COLOUR * 1.0, LABELS, COLOUR / 255, LABELS), "test_images: received values of 0 to 1; "),
        ((COLOUR / 255, LABELS, COLOUR * 1.0, LABELS), "test_images: received values of 0 to 255"),
        ((COLOUR, LABELS, COLOUR), "test_labels: received nothing"),
        ((COLOUR, LABELS, None, LABELS), "test_images: received nothing"),
        ((COLOUR, LABELS, COLOUR[:, :4], LABELS), "test_images: received uint8 of shape .60, 4, "),
        ((COLOUR, LABELS, COLOUR, SEVERAL), "test_labels: received .60, 3.; expected them as tr"),
    ],
)
def test_what_no_images_are_is_refused_in_a_line(arguments, words):
    with pytest.raises(ValueError, match=f"^{words}") as caught:
        Data.from_arrays(*arguments)
    assert "\n" not in str(caught.value)


def test_arguments_out_of_range():
    for changes, words in (
        ({"class_names": ("a", "b")}, "class_names: received 2 names; expected 3"),
        ({"validation_split": 1}, "validation_split: received 1"),
        ({"augmentation": "flip"}, "augmentation: received 'flip'"),
        ({"image_size": 0}, "image_size: received 0"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            Data.from_arrays(COLOUR, LABELS, **changes)
    with pytest.raises(ValueError, match="^data: received one image of the class '0', or none"):
        Data.from_arrays(COLOUR[:3], [0, 1, 2])


def head(units, activation):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(units, activation=activation)]
    return keras.Sequential([keras.Input((6, 5, 3)), *layers], name="small")


@pytest.mark.parametrize(
    ("labels", "units", "words"),
    [(LABELS % 2, 1, "Confusion matrix"), (SEVERAL, 3, "Metrics by class")],
    ids=["yes or no", "several"],
)
def test_a_run_on_them_from_training_to_prediction(labels, units, words):
    data = Data.from_arrays(COLOUR, labels)
    quick = RECIPES["quick"].replace(epochs=1, batch_size=16)
    outcome = train(head(units, "sigmoid"), data, Path("run"), quick, console=Console(quiet=True))
    assert 0 <= outcome.test_accuracy <= 1
    assert words in Path("run/report.html").read_text()
    run = open_run("run")
    Image.fromarray(COLOUR[0]).save("0.png")
    best = predict(run, ["0.png"]).to_dict()["images"][0]["top"]
    assert {one["class"] for one in best} == set(data.class_names)


def test_a_run_on_them_goes_on_with_the_same_arrays_alone():
    data = Data.from_arrays(COLOUR, LABELS)
    quick = RECIPES["quick"].replace(epochs=1, batch_size=16)
    train(head(3, "softmax"), data, Path("run"), quick, console=Console(quiet=True))
    turned = Data.from_arrays(COLOUR[::-1], LABELS, preprocessing=data.preprocessing)
    with pytest.raises(ValueError, match="resume: data: the images, their labels or their order"):
        resume(Path("run"), turned, head(3, "softmax"))
    other = Data.from_arrays(255 - COLOUR, LABELS)
    model = head(3, "softmax")
    with pytest.raises(ValueError, match="resume: data: the images are prepared in another way"):
        resume(Path("run"), other, model, Console(quiet=True))
    with pytest.raises(ValueError, match="resume: data: received train_images 40"):
        resume(Path("run"), Data.from_arrays(COLOUR[:50], LABELS[:50]), model, Console(quiet=True))
    assert resume(Path("run"), data, model, Console(quiet=True)).epochs == 1
