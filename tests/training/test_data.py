import numpy as np
import pytest

from keras_convnets.training.data import digits
from keras_convnets.training.settings import Settings


def arrays(dataset):
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


@pytest.fixture(scope="module")
def data():
    return digits(Settings(batch_size=100))


def test_a_fifth_is_kept_for_testing_every_class_in_proportion(data):
    _, train_labels = arrays(data.train)
    _, test_labels = arrays(data.test)
    assert (data.train_images, data.test_images) == (len(train_labels), len(test_labels))
    assert (len(train_labels), len(test_labels)) == (1437, 360)
    share = np.bincount(test_labels) / (np.bincount(train_labels) + np.bincount(test_labels))
    assert np.all(np.abs(share - 0.2) < 0.01)


def test_images_are_resized_and_scaled(data):
    images, _ = arrays(data.test)
    assert images.shape == (360, 32, 32, 1)
    assert data.image_shape == (1, 32, 32)
    assert images.min() == 0
    assert images.max() == pytest.approx(1)


def test_training_images_are_shifted_anew_in_each_epoch_and_test_images_are_not(data):
    first, first_labels = arrays(data.train)
    second, second_labels = arrays(data.train)
    assert not np.array_equal(first_labels, second_labels)  # shuffled
    assert sorted(image.sum() for image in first) != sorted(image.sum() for image in second)
    assert np.array_equal(arrays(data.test)[0], arrays(data.test)[0])


def test_the_seed_decides_the_split():
    same = [digits(Settings(seed=3)) for _ in range(2)]
    assert np.array_equal(arrays(same[0].test)[1], arrays(same[1].test)[1])
    assert not np.array_equal(arrays(same[0].test)[1], arrays(digits(Settings(seed=4)).test)[1])


def test_channels_first_is_the_same_transposed(data):
    first = digits(Settings(batch_size=100), "channels_first")
    images, labels = arrays(first.test)
    expected, expected_labels = arrays(data.test)
    assert np.array_equal(np.moveaxis(images, 1, -1), expected)
    assert np.array_equal(labels, expected_labels)


def test_a_batch_larger_than_the_data():
    with pytest.raises(ValueError, match="batch_size: received 1438; expected at most the 1437"):
        digits(Settings(batch_size=1438))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", -1),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("seed", -1),
        ("seed", 0.5),
    ],
)
def test_settings_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"^{name}: received"):
        Settings(**{name: value})
