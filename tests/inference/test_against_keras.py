"""An evaluation's numbers are those of Keras' own ``model.evaluate``, whatever the outputs are."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.numbers import as_numbers
from keras_convnets.inference.predict import predict
from keras_convnets.training.run.saved_run import SavedRun

COUNT, CLASSES = 60, 3
PREPROCESSING = Preprocessing(1, 4, 4)
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (COUNT, 4, 4, 1), np.uint8)
ONE = RANDOM.integers(0, CLASSES, COUNT)
YES = RANDOM.integers(0, 2, COUNT)
SEVERAL = RANDOM.integers(0, 2, (COUNT, CLASSES))


def classifier(units, activation, *layers):
    """A network whose outputs are spread wide, so that no two ways to read them agree."""
    keras.utils.set_random_seed(3)
    wide = keras.initializers.RandomNormal(0, 2)
    head = keras.layers.Dense(units, activation=activation, kernel_initializer=wide)
    return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), head, *layers])


def evaluated(model, labels):
    return evaluate(model, from_array(PIXELS, labels, str), PREPROCESSING)


def by_keras(model, labels, loss, accuracy):
    batches = evaluation_batches(from_array(PIXELS, np.zeros(COUNT), str), PREPROCESSING, COUNT)
    [(images, _)] = batches.as_numpy_iterator()
    model.compile(loss=loss, metrics=[accuracy])
    return model.evaluate(images, labels, verbose=0)


SPARSE, SPARSE_LOGITS = (
    keras.losses.SparseCategoricalCrossentropy(from_logits=logits) for logits in (False, True)
)
BINARY, BINARY_LOGITS = (
    keras.losses.BinaryCrossentropy(from_logits=logits) for logits in (False, True)
)
RESHAPED = (keras.layers.Softmax(), keras.layers.Reshape((CLASSES,)))


@pytest.mark.parametrize(
    ("model", "labels", "loss", "accuracy", "for_keras"),
    [
        (classifier(CLASSES, "softmax"), ONE, SPARSE, "accuracy", ONE),
        (classifier(CLASSES, None, *RESHAPED), ONE, SPARSE, "accuracy", ONE),
        (classifier(CLASSES, None), ONE, SPARSE_LOGITS, "accuracy", ONE),
        (classifier(1, "sigmoid"), YES, BINARY, "accuracy", YES[:, None]),
        (
            classifier(1, None),
            YES,
            BINARY_LOGITS,
            keras.metrics.BinaryAccuracy(threshold=0.0),
            YES[:, None],
        ),
        (classifier(CLASSES, "sigmoid"), ONE, BINARY, "accuracy", np.eye(CLASSES)[ONE]),
        (classifier(CLASSES, "sigmoid"), SEVERAL, BINARY, "binary_accuracy", SEVERAL),
    ],
    ids=["softmax", "reshaped", "logits", "one", "one logit", "one of several", "several"],
)
def test_loss_and_accuracy(model, labels, loss, accuracy, for_keras):
    found = evaluated(model, labels)
    expected_loss, expected_accuracy = by_keras(model, for_keras, loss, accuracy)
    assert found.loss == pytest.approx(expected_loss, abs=1e-5)
    assert found.accuracy == pytest.approx(expected_accuracy)
    assert 0 < found.accuracy < 1


def test_sigmoids_are_probabilities_already():
    model = classifier(CLASSES, "sigmoid")
    found = evaluated(model, ONE)
    batches = evaluation_batches(from_array(PIXELS, ONE, str), PREPROCESSING, COUNT)
    np.testing.assert_allclose(found.probabilities, model.predict(batches, verbose=0), atol=1e-6)
    assert np.ptp(found.probabilities.sum(axis=1)) > 0.5
    assert "binary cross-entropy" in by_class(found, ("a", "b", "c"), "x").notes[0]


def test_yes_or_no_has_both_classes():
    sigmoid, logit = classifier(1, "sigmoid"), classifier(1, None)
    found, again = evaluated(sigmoid, YES), evaluated(logit, YES)
    assert found.probabilities.shape == (COUNT, 2)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(again.probabilities, found.probabilities, atol=1e-6)
    assert found.confusion.sum() == COUNT
    assert by_class(found, ("no", "yes"), "x").to_dict()["rows"][1]["images"] == YES.sum()
    Image.fromarray(PIXELS[0, ..., 0]).save("0.png")
    run = SavedRun(Path("run"), sigmoid, PREPROCESSING, ("no", "yes"), {})
    best = predict(run, ["0.png"]).to_dict()["images"][0]["top"]
    assert {one["class"] for one in best} == {"no", "yes"}
    assert sum(one["probability"] for one in best) == pytest.approx(1)
    assert best[0]["probability"] == pytest.approx(float(found.probabilities[0].max()))


def test_several_classes_an_image():
    found = evaluated(classifier(CLASSES, "sigmoid"), SEVERAL)
    said = found.probabilities > 0.5
    assert found.exact_match == (said == SEVERAL).all(axis=1).mean()
    precision, recall = found.precision_and_recall
    for label in range(CLASSES):
        both = (said[:, label] & (SEVERAL[:, label] == 1)).sum()
        assert precision[label] == both / said[:, label].sum()
        assert recall[label] == found.class_accuracy[label] == both / SEVERAL[:, label].sum()
    table = by_class(found, ("a", "b", "c"), "tags")
    assert [row["images"] for row in table.to_dict()["rows"]] == SEVERAL.sum(axis=0).tolist()
    assert "binary accuracy" in table.notes[0]
    expected = "loss accuracy exact_match macro weighted micro ece reliability"
    assert list(as_numbers(found)) == expected.split()
    for of_one_class in ("predictions", "top5", "confusion"):
        with pytest.raises(ValueError, match="^evaluation: received labels of several classes"):
            getattr(found, of_one_class)


def test_a_class_that_none_has_and_none_is_said_to_have():
    found = Evaluation(np.array([[1, 0]]), np.float32([[0.9, 0.2]]), None, True)
    rows = by_class(found, ("a", "b"), "x").to_dict()["rows"]
    assert [(row["precision"], row["recall"]) for row in rows] == [(1, 1), (None, None)]


@pytest.mark.parametrize(
    ("model", "labels", "words"),
    [
        (classifier(CLASSES, "softmax"), SEVERAL, "received several labels an image, but the out"),
        (classifier(CLASSES, None), SEVERAL, ".*expected a sigmoid for each class"),
        (classifier(1, "sigmoid"), SEVERAL, "received several labels an image"),
        (classifier(4, "sigmoid"), SEVERAL, "received labels of 3 classes, but .* has 4 outputs"),
        (classifier(1, "sigmoid"), ONE, "received 3 classes, but .* has 1 outputs"),
    ],
)
def test_labels_that_do_not_suit_the_outputs(model, labels, words):
    with pytest.raises(ValueError, match=f"^images: {words}"):
        evaluated(model, labels)
