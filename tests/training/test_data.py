import json

import numpy as np
import pytest

from keras_convnets.images.batches import evaluation_batches
from keras_convnets.training.data.loading import load_data


@pytest.fixture(scope="module")
def digits():
    return load_data("digits")


def test_a_fifth_of_the_digits_is_kept_for_testing_every_class_in_proportion(digits):
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    assert digits.validation is digits.test
    train, test = (np.bincount(images.labels) for images in (digits.train, digits.test))
    assert np.all(np.abs(test / (train + test) - 0.2) < 0.01)


def test_digits_are_resized_and_scaled_and_not_normalised(digits):
    batches = evaluation_batches(digits.test, digits.preprocessing, 360)
    [(images, labels)] = batches.as_numpy_iterator()
    assert images.shape == (360, 32, 32, 1)
    assert digits.image_shape == (1, 32, 32)
    assert (images.min(), images.max()) == (0, 1)
    assert np.array_equal(labels, digits.test.labels)
    assert digits.augmentation == "shift"
    assert digits.class_names == tuple("0123456789")
    assert digits.skipped == ()
    assert load_data("digits", image_size=16).image_shape == (1, 16, 16)
    assert load_data("digits", image_size=8).preprocessing.resize == "none"


def same(first, second):
    return np.array_equal(first.array, second.array) and np.array_equal(first.labels, second.labels)


def test_the_seed_alone_decides_the_splits():
    first, again, other = (load_data("digits", seed=s, validation_split=0.1) for s in (3, 3, 4))
    for part in ("train", "validation", "test"):
        assert same(getattr(first, part), getattr(again, part))
        assert not same(getattr(first, part), getattr(other, part))
    assert same(first.test, load_data("digits", seed=3).test)
    assert same(first.test, load_data("digits", seed=3, image_size=8, augmentation="none").test)


def test_validation_is_a_share_of_each_class_of_the_training_images(digits):
    data = load_data("digits", validation_split=0.25)
    train, validation = (np.bincount(images.labels) for images in (data.train, data.validation))
    assert len(data.validation) == 360
    assert len(data.train) + len(data.validation) == len(digits.train)
    assert np.all(np.abs(validation / (train + validation) - 0.25) < 0.01)
    names = [
        {images.describe(number) for number in range(len(images))}
        for images in (data.train, data.validation, data.test)
    ]
    assert len(set().union(*names)) == sum(map(len, names)) == 1797


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "digit",
            {},
            "data: received 'digit'; expected 'digits', 'mnist', .*Did you mean 'digits'",
        ),
        ("", {}, "data: received ''; expected 'digits'"),
        ("a_folder", {}, "data: received 'a_folder'; .* Did you mean 'folder:a_folder'"),
        ("folder:", {}, "data: received 'folder:'; expected a folder that exists"),
        ("digits", {"seed": -1}, "seed: received -1"),
        (
            "digits",
            {"validation_split": 1},
            "validation_split: received 1; expected a number of at",
        ),
        ("digits", {"validation_split": -0.1}, "validation_split: received -0.1"),
        ("digits", {"validation_split": float("nan")}, "validation_split: received nan"),
        ("digits", {"validation_split": "0.1"}, "validation_split: received '0.1'"),
        ("digits", {"image_size": 0}, "image_size: received 0"),
        ("digits", {"image_size": (32, 32, 3)}, "image_size: received .32, 32, 3."),
        (
            "digits",
            {"augmentation": "flip"},
            "augmentation: received 'flip'; expected one of 'none",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(tmp_path, name, arguments, words):
    (tmp_path / "a_folder").mkdir()
    with pytest.raises(ValueError, match=f"^{words}") as caught:
        load_data(name, **arguments)
    assert "\n" not in str(caught.value)


def test_the_arguments_of_data_load_them_again():
    data = load_data("digits", image_size=(8, 12), validation_split=0.1, augmentation="shift")
    again = load_data(**json.loads(json.dumps(dict(data.arguments))))
    assert (again.arguments, again.image_shape) == (data.arguments, data.image_shape)
