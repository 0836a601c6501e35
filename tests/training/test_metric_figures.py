"""The reliability diagram and the ROC curves: what they show, and in which files."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import auc

from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.training.report import reliability, roc
from keras_convnets.training.report.reliability import plot_reliability
from keras_convnets.training.report.roc import plot_roc

RNG = np.random.default_rng(0)


def made_up(classes=10, count=300):
    labels = np.arange(count) % classes
    logits = RNG.normal(size=(count, classes)) + 2 * np.eye(classes)[labels]
    found = np.exp(logits)
    return Evaluation(labels, np.float32(found / found.sum(axis=1, keepdims=True)))


FOUND = made_up()
TAGS = Evaluation((RNG.random((50, 3)) < 0.4).astype(int), RNG.random((50, 3), np.float32))
NAMES = tuple(f"class $ {number}" for number in range(10))


@pytest.mark.parametrize("found", [FOUND, TAGS], ids=["one class", "several"])
def test_bars_are_the_accuracy_and_the_gaps_of_each_bin(found):
    figure = reliability._figure(found, "pets")
    above, below = figure.axes
    accuracy, gaps = above.containers
    bins = found.calibration
    some = bins.images > 0
    heights = np.array([bar.get_height() for bar in accuracy])
    np.testing.assert_allclose(heights, bins.accuracy[some])
    ends = np.array([[bar.get_y(), bar.get_y() + bar.get_height()] for bar in gaps])
    expected = np.sort([bins.accuracy, bins.confidence], axis=0).T
    np.testing.assert_allclose(ends, expected[some])
    [histogram] = below.containers
    shares = [bar.get_height() for bar in histogram]
    np.testing.assert_allclose(shares, bins.images / bins.images.sum())
    assert above.get_title() == f"pets: ECE {found.ece:.2%}"


def curves(found, names):
    """Return the area under each curve that is drawn, by its label."""
    [axes] = roc._figure(found, names, "").axes
    return {line.get_label(): auc(*line.get_data()) for line in axes.lines[1:]}


def test_the_area_under_each_curve_is_that_of_its_class():
    areas = curves(FOUND, NAMES)
    expected = sorted(FOUND.roc_auc.tolist())[:8]
    assert sorted(areas.values()) == pytest.approx(expected)
    for said, area in areas.items():
        assert said.endswith(f": {area:.4f}")


def test_a_class_without_images_has_no_curve_and_two_classes_have_one():
    labels = np.where(FOUND.labels % 3 == 2, 0, FOUND.labels % 3)
    assert len(curves(Evaluation(labels, FOUND.probabilities[:, :3]), NAMES[:3])) == 2
    two = made_up(2)
    assert list(curves(two, ("no", "yes"))) == [f"yes: {two.roc_auc[1]:.4f}"]
    alone = Evaluation(np.zeros(3, int), np.full((3, 2), 0.5, np.float32))
    assert curves(alone, ("no", "yes")) == {}


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_formats_are_those_of_curves(suffix):
    plot_reliability(TAGS, f"a.{suffix}", r"$\frac$ 犬")
    plot_roc(TAGS, ("犬", r"$\frac$", "x" * 100), f"b.{suffix}", r"$\frac$")
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert Path(f"a.{suffix}").read_bytes().startswith(begins)
    assert Path(f"b.{suffix}").read_bytes().startswith(begins)


@pytest.mark.parametrize("draw", [reliability.svg, lambda found: roc.svg(found, NAMES)])
def test_on_a_page_they_have_its_colours(draw):
    drawn = draw(FOUND)
    assert drawn == draw(FOUND)
    assert drawn.count("var(--ink)") > 10
    assert "var(--line)" in drawn


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="^evaluation: received a value of type int"):
        plot_reliability(3, "a.png")
    with pytest.raises(ValueError, match="^class_names: received 2 for an evaluation of 10 cl"):
        plot_roc(FOUND, ("a", "b"), "a.png")
    with pytest.raises(ValueError, match="nowhere"):
        plot_reliability(FOUND, "nowhere/a.png")
    assert not list(Path().iterdir())
