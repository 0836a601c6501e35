from pathlib import Path

import pytest

from keras_convnets.training.report import curves
from keras_convnets.training.report.curves import plot_curves

FULL = {
    "loss": [2.0, 1.0, 0.5],
    "accuracy": [0.4, 0.7, 0.9],
    "val_loss": [1.8, 1.1, 0.7],
    "val_accuracy": [0.5, 0.6, 0.8],
    "learning_rate": [0.1, 0.1, 0.01],
    "seconds": [3.0, 2.0, 2.0],
}


def panels(history):
    """Return what each panel of the figure shows: its lines, by their names."""
    figure = curves._figure(history, "")
    return {
        axes.get_ylabel(): {
            line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
            for line in axes.lines
        }
        for axes in figure.axes
    }


def test_each_column_is_drawn_by_epoch():
    found = panels(FULL)
    assert found == {
        "loss": {
            "training": ([1, 2, 3], [2.0, 1.0, 0.5]),
            "validation": ([1, 2, 3], [1.8, 1.1, 0.7]),
        },
        "accuracy": {
            "training": ([1, 2, 3], [0.4, 0.7, 0.9]),
            "validation": ([1, 2, 3], [0.5, 0.6, 0.8]),
        },
        "learning rate": {"learning rate": ([1, 2, 3], [0.1, 0.1, 0.01])},
    }


def test_a_history_that_begins_late_has_its_own_epochs():
    found = panels(FULL | {"epoch": [7, 8, 9]})
    assert found["loss"]["training"] == ([7, 8, 9], [2.0, 1.0, 0.5])


@pytest.mark.parametrize(
    "history",
    [
        {},
        {name: [] for name in FULL},
        {"loss": [1.0]},
        {"loss": [1.0, 0.5], "val_loss": [None, 0.7], "accuracy": [0.1, 1.0]},
        {"loss": [float("nan"), float("inf")], "val_loss": [0.0, -1.0]},
        {"loss": [1.0, 0.9], "learning_rate": [0.0, 0.0]},
        {"loss": [1.0, 0.9, 0.8], "accuracy": [0.1]},
    ],
)
def test_whatever_a_history_lacks_is_left_out(history):
    plot_curves(history, "curves.png", "some run")
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
    assert "learning rate" not in panels(history)


@pytest.mark.parametrize(
    ("rates", "scale"),
    [([0.1, 0.1, 0.01], "log"), ([0.1, 0.07, 0.02, 0.001], "linear")],
)
def test_a_learning_rate_that_drops_is_drawn_in_powers_of_ten(rates, scale):
    figure = curves._figure(FULL | {"learning_rate": rates}, "")
    assert figure.axes[2].get_yscale() == scale


def test_the_curves_of_a_page_have_its_colours_and_change_nothing_else_in_it():
    drawn = curves.svg(FULL)
    assert drawn.startswith("<svg")
    assert "var(--ink)" in drawn
    assert "var(--line)" in drawn
    assert "<style" not in drawn
    assert ">epoch</text>" in drawn  # letters, not outlines
    assert drawn == curves.svg(FULL)


def test_a_title_is_no_formula():
    plot_curves(FULL, "curves.png", r"resnet on folder:/data/$\frac$ 犬")
    assert Path("curves.png").exists()
