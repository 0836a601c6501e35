import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import FORMATS, lively
from keras_convnets import ResnetBuilder
from keras_convnets.errors import RunStopped
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Images, from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.answers import answers
from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.compiled import kept
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.evaluation import Confusion, Evaluation, Mistake

COUNT, CLASSES = 23, 7
PREPROCESSING = Preprocessing(1, 16, 16, mean=(0.4,), std=(0.3,))


def build(data_format="channels_last", **options):
    keras.utils.set_random_seed(0)
    size = {"data_format": data_format, **options}
    return lively(ResnetBuilder.build((1, 16, 16), CLASSES, "basic_block", (1,), **size), kernels=1)


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (COUNT, 16, 16, 1), np.uint8)
    return from_array(array, rng.integers(0, CLASSES, COUNT), "random {}".format)


@pytest.fixture(scope="module")
def found(model, images):
    return evaluate(model, images, PREPROCESSING, batch_size=10)


def by_hand(labels, *rows):
    return Evaluation(np.array(labels), np.array(rows, np.float32))


def test_numbers_by_hand():
    found = by_hand([0, 1, 1], [0.5, 0.25, 0.25], [0.7, 0.2, 0.1], [0.2, 0.5, 0.3])
    assert found.loss == pytest.approx(-(np.log(0.5) + np.log(0.2) + np.log(0.5)) / 3, rel=1e-6)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.top5 == 1
    assert found.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]  # rows are the classes
    assert found.class_accuracy[:2].tolist() == [1, 0.5]
    assert np.isnan(found.class_accuracy[2])
    assert found.most_wrong(5) == [Mistake(1, 1, 0, pytest.approx(0.7))]
    assert found.most_confused() == [Confusion(1, 0, 1, 0.5)]


def test_the_surest_mistakes_come_first():
    rows = [[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]
    found = by_hand([1, 1, 1, 1], *rows)
    assert [mistake.index for mistake in found.most_wrong(2)] == [1, 3]


def test_top_5_agrees_with_a_sort_and_with_accuracy_where_classes_are_equal():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 4, (200, 8)).astype(np.float32)  # full of equal ones
    labels = rng.integers(0, 8, 200)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :5]
    found = Evaluation(labels, rows)
    assert found.top5 == np.mean([label in best for label, best in zip(labels, order, strict=True)])
    assert found.accuracy <= found.top5 < 1


def test_a_class_that_is_ruled_out_costs_no_infinity():
    assert by_hand([1], [1.0, 0.0]).loss == pytest.approx(-np.log(1e-7))


def test_every_image_counts_once_whatever_the_batches(model, images, found):
    assert found.probabilities.shape == (COUNT, CLASSES)
    assert found.probabilities.dtype == np.float32
    for size in (1, 8, COUNT, 256):
        again = evaluate(model, images, PREPROCESSING, batch_size=size)
        np.testing.assert_allclose(again.probabilities, found.probabilities, atol=1e-6)
        assert again.loss == pytest.approx(found.loss, abs=1e-6)
        assert again.accuracy == found.accuracy


def test_keras_says_the_same_but_for_the_penalties(model, images, found):
    batches = evaluation_batches(images, PREPROCESSING, 10)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(batches, verbose=0)
    penalties = float(sum(model.losses))
    assert penalties > 0.001
    assert found.loss == pytest.approx(loss - penalties, abs=1e-5)
    assert found.accuracy == pytest.approx(accuracy)
    assert 0 < found.accuracy < 1


def test_the_preprocessing_matters(model, images, found):
    other = evaluate(model, images, Preprocessing(1, 16, 16))
    assert np.abs(other.probabilities - found.probabilities).max() > 0.001


@pytest.mark.parametrize("data_format", FORMATS)
def test_logits_get_their_softmax(data_format, images, found):
    logits = build(data_format, classifier_activation=None)
    again = evaluate(logits, images, PREPROCESSING)
    np.testing.assert_allclose(again.probabilities, found.probabilities, atol=1e-5)


def test_the_model_is_traced_once(images):
    traces = []

    class Counting(keras.layers.Layer):
        def call(self, x):
            traces.append(isinstance(x, tf.Tensor) and not hasattr(x, "numpy"))
            return x

    x = inputs = keras.Input((16, 16, 1))
    x = keras.layers.Flatten()(Counting()(x))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(x))
    traces.clear()
    evaluate(model, images, PREPROCESSING, batch_size=5)
    assert traces == [True]  # in a graph, and one for the smaller last batch too


def test_a_table_by_class():
    found = by_hand([0, 1, 1], [0.5, 0.25, 0.25], [0.7, 0.2, 0.1], [0.2, 0.5, 0.3])
    table = by_class(found, ("cat", "dog", "owl"), "pets test")
    lines = table.to_text().splitlines()
    assert [line.split() for line in lines[2:5]] == [
        ["cat", "1", "1", "50.00%", "100.00%", "66.67%", "0.5000"],
        ["dog", "2", "1", "100.00%", "50.00%", "66.67%", "0.5000", "cat", "(1)"],
        ["owl", "0", "0", "-", "-", "-", "-"],
    ]
    assert lines[6].split() == ["macro", "mean", "3", "2", "75.00%", "75.00%", "66.67%", "0.5000"]
    text = " ".join(lines[8:])
    assert text.startswith("pets test: loss 0.9986 (cross-entropy, without penalties), accuracy")
    assert table.to_dict()["rows"][1]["accuracy"] == 0.5
    assert table.to_csv().splitlines()[-2].startswith("dog,2,1,0.5,1.0,0.5,0.6666")


def test_images_that_do_not_suit_the_model(model, images):
    with pytest.raises(ValueError, match=r"takes images of \(1, 16, 16\); expected \(1, 20, 16\)"):
        evaluate(model, images, Preprocessing(1, 20, 16))
    too_many = from_array(images.array, images.labels + 1, "random {}".format)
    with pytest.raises(ValueError, match="received 8 classes, but resnet has 7 outputs"):
        evaluate(model, too_many, PREPROCESSING)
    with pytest.raises(ValueError, match="^images: received none"):
        evaluate(model, images.subset(np.array([], int)), PREPROCESSING)
    with pytest.raises(ValueError, match="^batch_size: received 0"):
        evaluate(model, images, PREPROCESSING, 0)


def test_a_model_that_is_no_classifier(images):
    headless = build(include_top=False)
    with pytest.raises(ValueError, match="expected one input, and one output of shape"):
        evaluate(headless, images, PREPROCESSING)


def test_a_model_that_puts_out_nan(images):
    broken = build()
    head = broken.layers[-1]
    head.set_weights([np.full_like(head.kernel, np.nan), *head.get_weights()[1:]])
    with pytest.raises(ValueError, match="NaN or infinity for 23 of 23 images, random 0 the first"):
        evaluate(broken, images, PREPROCESSING)


def test_an_image_that_cannot_be_read_is_named(model, images):
    def read(number):
        with tf.control_dependencies([tf.debugging.assert_less(number, tf.constant(17, tf.int64))]):
            return tf.gather(images.array, number)

    broken = Images(images.labels, read, None, "flowers/{}.png".format)
    with pytest.raises(RunStopped, match=r"cannot read an image: flowers/17.png: "):
        evaluate(model, broken, PREPROCESSING)


def test_float16_keeps_its_probabilities():
    """Rows that sum up to 1 in few digits are probabilities by their softmax, not by their sums."""
    head = keras.layers.Softmax(dtype="float16")
    model = keras.Sequential([keras.Input((2,)), head])
    logits = np.float32([[1, 2.1], [3, 0.7]])
    found = answers(kept(model), [logits])
    assert np.array_equal(found.probabilities, head(logits).numpy().astype(np.float32))
    assert found.logits is None


def test_evaluation_in_a_loop_is_not_warned_of(model, images, caplog):
    """TensorFlow warns of functions that are traced again and again."""
    for _ in range(6):
        evaluate(model, images, PREPROCESSING)
    assert not [record.message for record in caplog.records if "retracing" in record.message]


def test_no_thread_tunes_a_data_set_of_ones_own(model, images, monkeypatch):
    tuned, stock = [], tf.data.Dataset.__iter__

    def read(dataset):
        tuned.append(dataset.options().autotune.enabled)
        return stock(dataset)

    monkeypatch.setattr(tf.data.Dataset, "__iter__", read)
    own = tf.data.Dataset.from_tensor_slices((np.zeros((4, 16, 16, 1)), np.arange(4))).batch(2)
    evaluate(model, own)
    assert tuned == [False]
