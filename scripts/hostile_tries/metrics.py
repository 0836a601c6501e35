"""Metrics of evaluations of any labels and probabilities: scikit-learn's numbers, or a refusal."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.forks import Fault
from hostile_tries.nasty import TEXTS
from hostile_tries.trying import REFUSED, WORKED, Count, Try, each, refused_or_worked

_DRAWN = 80
_TYPES = ("int64", "uint8", "bool", "float16", "float64", "object")
_SHAPES = ((), (0,), (3,), (3, 1), (3, 2), (3, 3), (0, 2), (3, 2, 2))
_VALUES = (0, 1, 0.5, 2, -1, 1e30, float("nan"), float("inf"))


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries."""
    yield from each(
        {
            "random evaluations": lambda: _drawn(),
            "arrays of any kind": lambda: _arrays(),
            "figures of odd names": lambda: _figures(place),
        }
    )


def _drawn() -> Count:
    """Compare evaluations of few or equal numbers, and classes that nobody has, to scikit-learn."""
    warnings.simplefilter("error")
    drawn = np.random.default_rng(0)
    for _ in range(_DRAWN):
        images, classes = (int(drawn.integers(1, most)) for most in (30, 8))
        scores = drawn.integers(0, int(drawn.integers(2, 30)), (images, classes)) / 30
        has = max(1, classes - int(drawn.integers(0, 3)))
        if drawn.random() < 0.5:
            _check(drawn.integers(0, has, images), scores, False)
        else:
            _check((drawn.random(scores.shape) < drawn.random()).astype(int), scores, True)
    return {WORKED: _DRAWN}


def _check(labels: np.ndarray, scores: np.ndarray, independent: bool) -> None:
    from sklearn import metrics

    from keras_convnets.inference.by_class import by_class
    from keras_convnets.inference.numbers import numbers
    from keras_convnets.training import Evaluation

    found = Evaluation(labels, np.float32(scores), None, independent)
    names = tuple(map(str, range(scores.shape[1])))
    by_class(found, names, "x").to_text(40)
    if "NaN" in json.dumps(numbers(found, names, "m", "d", "test")):
        raise Fault(f"NaN in the JSON of {labels} and {scores}")
    truth = labels if labels.ndim == 2 else np.eye(scores.shape[1], dtype=int)[labels]
    binary = scores.shape[1] == 2 and not independent
    for label, name in itertools.product(range(scores.shape[1]), ("roc_auc", "average_precision")):
        column = found.probabilities[:, 1 if binary else label]
        column = -column if binary and label == 0 else column
        shares = truth[:, label].mean()
        expected = np.nan
        if 0 < shares < 1 or (shares == 1 and name == "average_precision"):
            expected = getattr(metrics, f"{name}_score")(truth[:, label], column)
        if not np.isclose(getattr(found, name)[label], expected, equal_nan=True):
            raise Fault(f"{name} of {labels} and {scores}: {getattr(found, name)}, not {expected}")


def _arrays() -> Count:
    """Make evaluations of arrays of any type, shape and values: refused, or with all metrics."""
    from keras_convnets.inference.numbers import as_numbers
    from keras_convnets.training import Evaluation

    warnings.simplefilter("ignore")
    counts = {REFUSED: 0, WORKED: 0}
    right = (np.array([0, 1, 1]), np.full((3, 2), 0.5, np.float32))
    for kind, shape, value in itertools.product(_TYPES, _SHAPES, _VALUES):
        odd = np.full(shape, value).astype(kind)
        for arrays in ((odd, right[1]), (right[0], odd), (odd, odd)):
            counts[refused_or_worked(lambda arrays=arrays: as_numbers(Evaluation(*arrays)))] += 1
    return counts


def _figures(place: Path) -> Count:
    from keras_convnets.training import Evaluation, plot_reliability, plot_roc

    labels = np.arange(20) % 2
    found = Evaluation(labels, np.random.default_rng(0).random((20, 2), np.float32) / 2)
    counts = {REFUSED: 0, WORKED: 0}
    draws: tuple[Callable[..., Any], ...] = (
        lambda text, file: plot_reliability(found, file, text),
        lambda text, file: plot_roc(found, (text, text), file, text),
    )
    for number, text in enumerate(TEXTS[::4]):
        for draw in draws:
            file = place / f"{number}.svg"
            counts[refused_or_worked(draw, text, file)] += 1
            if b"\0" in file.read_bytes():
                raise Fault(f"a figure of {text!r} has a NUL")
    return counts
