"""The metrics of an evaluation, against scikit-learn, published definitions and by hand."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.calibration import calibration
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.numbers import as_numbers
from keras_convnets.printable import to_json

RNG = np.random.default_rng(0)
COUNT, CLASSES = 300, 6


def softmaxed(labels, classes, steps=None):
    """Return probabilities that know something of labels; with few steps, full of equal ones."""
    logits = RNG.normal(size=(len(labels), classes)) + 1.5 * np.eye(classes)[labels]
    logits = logits if steps is None else np.rint(logits * steps) / steps
    return (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)


LABELS = RNG.integers(0, CLASSES, COUNT)
SOFTMAX = softmaxed(LABELS, CLASSES)
TAGS = (RNG.random((COUNT, CLASSES)) < 0.3).astype(np.int32)
SIGMOIDS = (0.7 * RNG.random(TAGS.shape) + 0.3 * TAGS).astype(np.float32)
# The last class has no images, the one before it is never predicted.
SOME = np.where(LABELS == CLASSES - 1, 0, LABELS)
NEVER = SOFTMAX * np.where(np.arange(CLASSES) == CLASSES - 2, 0, 1).astype(np.float32)

CASES = {
    "softmax": Evaluation(LABELS, SOFTMAX),
    "equal ones": Evaluation(LABELS, softmaxed(LABELS, CLASSES, steps=1)),
    "one sigmoid": Evaluation(LABELS % 2, softmaxed(LABELS % 2, 2)),
    "sigmoids": Evaluation(LABELS, SIGMOIDS, are_independent=True),
    "absent classes": Evaluation(SOME, NEVER),
    "tags": Evaluation(TAGS, SIGMOIDS, are_independent=True),
    "tags without images": Evaluation(TAGS * (np.arange(CLASSES) > 1), SIGMOIDS, None, True),
}


@pytest.fixture(params=CASES)
def found(request):
    return CASES[request.param]


def has(found):
    """Return 0 or 1 for each image and class: whether the image has it, and is said to have it."""
    if found.has_several:
        return found.labels, (found.probabilities > 0.5).astype(int)
    every = np.eye(found.probabilities.shape[1], dtype=int)
    return every[found.labels], every[found.probabilities.argmax(axis=1)]


def test_precision_recall_and_f1_are_scikit_learns(found):
    truth, said = has(found)
    some = truth.any(axis=0)
    precision, recall, f1, images = sk.precision_recall_fscore_support(
        truth, said, zero_division=np.nan
    )
    np.testing.assert_array_equal(found.precision, precision)
    np.testing.assert_array_equal(found.recall, recall)
    np.testing.assert_allclose(found.f1[some], f1[some])
    assert np.isnan(found.f1[~some]).all()
    np.testing.assert_array_equal(found.class_images, images)
    for name in ("macro", "weighted", "micro"):
        labels = None if name == "micro" else np.flatnonzero(some)
        expected = sk.precision_recall_fscore_support(
            truth, said, average=name, labels=labels, zero_division=np.nan
        )
        means = getattr(found, name)
        got = (means.precision, means.recall, means.f1)
        assert got == pytest.approx(expected[:3], nan_ok=True), name


def test_the_confusion_matrix_is_scikit_learns():
    expected = sk.confusion_matrix(SOME, NEVER.argmax(axis=1), labels=np.arange(CLASSES))
    assert np.array_equal(CASES["absent classes"].confusion, expected)


def test_areas_are_scikit_learns(found):
    truth, _ = has(found)
    scores = found.probabilities
    if scores.shape[1] == 2:
        scores = np.stack([-scores[:, 1], scores[:, 1]], axis=1)
    for label, (is_one, column) in enumerate(zip(truth.T, scores.T, strict=True)):
        if not is_one.any():
            assert np.isnan([found.roc_auc[label], found.average_precision[label]]).all()
            continue
        assert found.roc_auc[label] == pytest.approx(sk.roc_auc_score(is_one, column), abs=1e-12)
        expected = sk.average_precision_score(is_one, column)
        assert found.average_precision[label] == pytest.approx(expected, abs=1e-12)
    assert found.macro.roc_auc == pytest.approx(np.nanmean(found.roc_auc))
    assert found.macro.average_precision == pytest.approx(np.nanmean(found.average_precision))


def test_several_classes_are_one_against_the_rest():
    expected = sk.roc_auc_score(LABELS, SOFTMAX.astype(float), multi_class="ovr")
    assert CASES["softmax"].macro.roc_auc == pytest.approx(expected, abs=1e-6)
    assert CASES["softmax"].macro.recall == sk.balanced_accuracy_score(
        LABELS, SOFTMAX.argmax(axis=1)
    )


def test_two_classes_have_one_area_however_small_a_probability_is():
    second = np.float32([1e-12, 1e-11, 1e-10, 1e-9])  # 1 minus each of them is 1
    found = Evaluation(np.array([0, 0, 1, 1]), np.stack([1 - second, second], axis=1))
    assert found.roc_auc.tolist() == [1, 1]
    assert found.average_precision.tolist() == [1, 1]


def of_guo(confidence, right, bins=15):
    """Return the ECE as the paper defines it: bins are open below and closed above."""
    found = 0.0
    for lower, upper in zip(*(np.linspace(0, 1, bins + 1)[i:][:bins] for i in (0, 1)), strict=True):
        inside = (confidence > lower) & (confidence <= upper)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean(dtype=float))
            found += gap * inside.mean()
    return found


def test_the_calibration_error_is_that_of_its_paper(found):
    truth, said = has(found)
    confidence, right = found.probabilities, truth
    if not found.has_several:
        confidence, right = confidence.max(axis=1), (truth & said).any(axis=1)
    assert found.ece == pytest.approx(of_guo(confidence.ravel(), right.ravel()), abs=1e-7)
    assert found.calibration.images.sum() == confidence.size


def test_the_calibration_error_by_hand():
    confidence = np.float32([0.55, 0.95, 0.95, 1.0])
    found = calibration(confidence, np.array([True, True, False, True]), bins=10)
    assert found.images.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert found.accuracy[[5, 9]].tolist() == [1, pytest.approx(2 / 3)]
    assert found.confidence[9] == pytest.approx(2.9 / 3)
    assert np.isnan(found.accuracy[0])
    assert found.ece == pytest.approx((0.45 + (2.9 - 2)) / 4)
    on_the_edges = calibration(np.float32([0, 0.2, 0.4, 1]), np.ones(4), bins=5)
    assert on_the_edges.images.tolist() == [2, 1, 0, 0, 1]


def test_a_single_class_in_the_images_has_no_area_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Evaluation(np.zeros(3, int), np.float32([[0.9, 0.1], [0.4, 0.6], [1, 0]]))
        text = by_class(found, ("cat", "dog"), "x").to_text()
        numbers = to_json(as_numbers(found))
    assert "cat 3 2 100.00% 66.67% 80.00% - dog (1)" in " ".join(text.split())
    assert "dog 0 0 0.00% - - -" in " ".join(text.split())
    assert "without images, left out of the means: 1" in text
    assert "NaN" not in numbers
    assert as_numbers(found)["macro"]["roc_auc"] is None


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([0, 1], [[0.5, 0.5], [np.nan, 0.5]], "NaN or infinity for 1 of 2 images, image 1 the f"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "^labels: received 2; expected integers from 0 to 1"),
        ([0, -1], [[0.5, 0.5], [0.5, 0.5]], "^labels: received -1; expected integers from 0"),
        ([[0, 2]], [[0.5, 0.5]], "^labels: received 2; expected integers from 0 to 1"),
        ([0], [[0.5, 0.5], [0.5, 0.5]], r"^labels: received shape \(1,\) for"),
        ([0.5, 1.0], [[0.5, 0.5], [0.5, 0.5]], "^labels: received an array of float64; expected"),
        ([0, 1], [[1, 0], [0, 1]], "^probabilities: received an array of int64; expected"),
        (np.zeros(0, int), np.zeros((0, 2)), r"^probabilities: received shape \(0, 2\); expected"),
        ([0, 1], [0.5, 0.5], r"^probabilities: received shape \(2,\); expected"),
    ],
)
def test_what_no_metric_can_be_computed_from(labels, probabilities, words):
    with pytest.raises(ValueError, match=words):
        Evaluation(np.array(labels), np.array(probabilities))


def test_logits_are_no_probabilities():
    with pytest.raises(ValueError, match="^probabilities: received 3; expected numbers from"):
        Evaluation(np.array([0]), np.float32([[3, 0]])).ece  # noqa: B018
