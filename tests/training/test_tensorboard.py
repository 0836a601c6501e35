from pathlib import Path

import pytest
import tensorflow as tf

from keras_convnets.training import run_folder
from keras_convnets.training.run.tensorboard import TensorBoardLog


def row(epoch):
    return {name: epoch + place / 8 for place, name in enumerate(run_folder.COLUMNS)}


def points(folder):
    """Return the points of each curve: its folder and name, and a value at each epoch."""
    found = {}
    for file in sorted((folder / "logs").rglob("*tfevents*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                curve = found.setdefault((file.parent.name, value.tag), {})
                curve[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_a_resumed_run_continues_its_curves():
    with TensorBoardLog(Path(), {}) as log:
        log.epoch(1, row(1))
        assert points(Path())["training", "loss"] == {1: 1.0}  # at once: a run may be killed
        log.epoch(2, row(2))
    history = {name: [row(1)[name], row(2)[name]] for name in run_folder.COLUMNS}
    with TensorBoardLog(Path(), history) as log:
        log.epoch(3, row(3))
    names = [
        ("training", "loss"),
        ("training", "accuracy"),
        ("validation", "loss"),
        ("validation", "accuracy"),
        ("training", "learning rate"),
        ("training", "seconds an epoch"),
    ]
    expected = zip(names, run_folder.COLUMNS, strict=True)
    assert points(Path()) == {
        name: {epoch: pytest.approx(row(epoch)[column]) for epoch in (1, 2, 3)}
        for name, column in expected
    }
    assert len(list(Path("logs").rglob("*tfevents*"))) == 2  # not one for each epoch


def test_a_process_without_a_folder_writes_nothing():
    with TensorBoardLog(None, {}) as log:
        log.epoch(1, row(1))
    assert list(Path().iterdir()) == []
