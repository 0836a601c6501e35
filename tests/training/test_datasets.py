"""A ``tf.data.Dataset`` is read as the arrays that it yields, or refused in a line."""

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.training.data import datasets
from keras_convnets.training.data.data import Data

COUNT = 30
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5, 3), np.uint8)
LABELS = np.arange(COUNT) % 3
PAIRS = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]


def unknown(dataset):
    """Return a data set whose shapes and length are not known beforehand."""

    def changed(image, label):
        return tf.ensure_shape(
            tf.py_function(lambda x: x, [image], image.dtype), None
        ), tf.ensure_shape(tf.py_function(lambda x: x, [label], label.dtype), None)

    return dataset.map(changed).filter(lambda *_: True)


@pytest.mark.parametrize(
    "dataset",
    [
        PAIRS,
        PAIRS.batch(7),
        tf.data.Dataset.from_tensor_slices((IMAGES, ONE_HOT)),
        tf.data.Dataset.from_tensor_slices((IMAGES, ONE_HOT)).batch(7).prefetch(1),
        unknown(PAIRS),
        unknown(PAIRS.batch(7)),
    ],
    ids=("single", "batched", "one-hot", "one-hot, batched", "unknown", "unknown, batched"),
)
def test_a_data_set_is_the_arrays_it_yields(dataset):
    data, expected = Data.from_dataset(dataset), Data.from_arrays(IMAGES, LABELS)
    for one, other in ((data.train, expected.train), (data.test, expected.test)):
        assert np.array_equal(one.array, other.array)
        assert np.array_equal(one.labels, other.labels)
    assert (data.preprocessing, data.contents) == (expected.preprocessing, expected.contents)
    assert data.name == "dataset"


def test_grey_images_without_channels_and_tests_of_their_own():
    grey = tf.data.Dataset.from_tensor_slices((IMAGES[..., 0], LABELS))
    for dataset in (grey, grey.batch(4)):
        data = Data.from_dataset(dataset, dataset.take(2), class_names=("a", "b", "c"))
        assert data.image_shape == (1, 6, 5)
        assert np.array_equal(data.train.array[..., 0], IMAGES[..., 0])
        assert len(data.test) == (2 if dataset is grey else 8)


def uneven():
    yield from ((np.zeros((size, 4, 3), np.uint8), size % 2) for size in (4, 4, 5))


SPEC = (tf.TensorSpec((None, 4, 3), tf.uint8), tf.TensorSpec((), tf.int64))
UNEVEN = tf.data.Dataset.from_generator(uneven, output_signature=SPEC)
RAGGED = tf.data.Dataset.from_tensors((tf.ragged.constant([[1], [1, 2]]), [0, 1]))
FAILING = PAIRS.map(lambda image, label: (tf.io.decode_png(tf.strings.as_string(label)), label))


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (IMAGES, "train: received array.*Pass arrays to Data.from_arrays"),
        (None, "train: received None; expected a finite tf.data.Dataset of"),
        (PAIRS.repeat(), "train: received a data set without an end.*Leave repeat"),
        (PAIRS.take(0), "train: received an empty data set"),
        (PAIRS.map(lambda image, _: image), "train: received TensorSpec.*dataset.map"),
        (PAIRS.map(lambda *pair: (*pair, 1.0)), "train: received elements of 3 parts.*class_weig"),
        (PAIRS.map(lambda a, b: {"a": a, "b": b}), r"train: received \['a', 'b'\].*dataset.map"),
        (PAIRS.map(lambda a, b: ((a, a), b)), "train: received ragged, sparse or nested"),
        (RAGGED, "train: received ragged"),
        (PAIRS.map(lambda _, b: ("a.png", b)), "train: received images that are texts.*decode"),
        (
            tf.data.Dataset.from_generator(uneven, output_signature=SPEC),
            "image 2 of 5 x 4 x 3, and",
        ),
        (FAILING, "train: its images cannot be read .*Mend its functions"),
        (PAIRS.map(lambda a, b: (a, tf.cast(b, tf.float32) / 2)), "train_labels: .*for image 1;"),
        (
            PAIRS.map(lambda a, b: (tf.cast(a, tf.float32) / tf.cast(b - 1, tf.float32), b)),
            "train_images: received NaN or infinity, first in image 1;",
        ),
    ],
)
def test_what_is_no_data_set_of_images_is_refused_in_a_line(dataset, words):
    with pytest.raises(ValueError, match=words) as caught:
        Data.from_dataset(dataset)
    assert "\n" not in str(caught.value)


def test_what_does_not_fit_into_the_memory(monkeypatch):
    monkeypatch.setattr(datasets.memory, "available", lambda: 3 * 10 * IMAGES[0].nbytes)
    endless = PAIRS.repeat().filter(lambda *_: True)
    with pytest.raises(ValueError, match="received more than 11 images, which do not fit into"):
        Data.from_dataset(endless)
