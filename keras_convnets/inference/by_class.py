"""An evaluation as a table with one row per class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.inference.calibration import BINS
from keras_convnets.inference.class_scores import Means
from keras_convnets.inference.evaluable import check_class_names
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Area, Share
from keras_convnets.typed import explaining

UNDEFINED = "-"  # what people see where a metric has no value
_Cells = tuple[Column, Sequence[Any], Any]  # a column, the value of each class, and their mean


@explaining
def by_class(evaluation: Evaluation, class_names: Sequence[str], heading: str) -> Table:
    """Return a table with one row per class, and the overall figures as total and notes.

    A metric that is undefined, such as the recall of a class without images, is shown as "-"; in
    plain data it is ``None``. The total has the means over the classes that have images.

    Args:
        evaluation: the evaluation, from `evaluate`.
        class_names: the class names, by label.
        heading: the words before the overall figures, such as ``"digits test"``.

    Raises:
        ValueError: there is not one name for each class.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.training import Evaluation, by_class
        >>> found = Evaluation(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]], "float32"))
        >>> print(by_class(found, ("cat", "dog"), "pets").to_csv().splitlines()[-1])
        dog,1,0,0.0,,0.0,0.0,1.0,1.0,cat (1)
    """
    check_class_names(class_names, evaluation.probabilities.shape[1])
    columns, cells, total = zip(*_columns(evaluation, class_names), strict=True)
    notes = [_headline(evaluation, heading), *_means(evaluation)]
    for name, other in evaluation.others.items():
        notes += [_headline(other, f"output {name}"), *_means(other)]
    return Table(columns, tuple(zip(*cells, strict=True)), tuple(notes), total)


def _columns(evaluation: Evaluation, class_names: Sequence[str]) -> Iterator[_Cells]:
    yield Column("class", "class"), class_names, "macro mean"
    images = Column("images", "images", is_number=True, is_optional=True)
    yield images, evaluation.class_images.tolist(), len(evaluation.labels)
    of_one = not evaluation.has_several
    if of_one:
        right = evaluation.confusion.diagonal().tolist()
        yield Column("correct", "correct", is_number=True, is_optional=True), right, sum(right)
        accuracy = Column("accuracy", "accuracy", is_number=True, is_detail=True)  # the recall
        yield accuracy, _all(Share, evaluation.recall), Share(evaluation.accuracy)
    yield _metric(evaluation, "precision", "precision", Share)
    yield _metric(evaluation, "recall", "recall", Share)
    yield _metric(evaluation, "f1", "F1", Share)
    yield _metric(evaluation, "roc_auc", "AUC", Area)
    yield _metric(evaluation, "average_precision", "AP", Share, is_detail=of_one)
    if of_one:
        taken = Column("taken_for", "most often taken for", is_optional=True)
        yield taken, _taken_for(evaluation, class_names), None


def _metric(
    evaluation: Evaluation,
    key: str,
    title: str,
    kind: Callable[[float], float],
    is_detail: bool = False,
) -> _Cells:
    column = Column(key, title, is_number=True, missing=UNDEFINED, is_detail=is_detail)
    [mean] = _all(kind, [getattr(evaluation.macro, key)])
    return column, _all(kind, getattr(evaluation, key)), mean


def _all(kind: Callable[[float], float], values: Any) -> list[float | None]:
    return [None if np.isnan(value) else kind(value) for value in values]


def _taken_for(evaluation: Evaluation, class_names: Sequence[str]) -> list[str | None]:
    taken = {mistake.label: mistake for mistake in reversed(evaluation.most_confused())}
    found = map(taken.get, range(len(class_names)))
    return [f"{class_names[most.predicted]} ({most.count})" if most else None for most in found]


def _headline(evaluation: Evaluation, heading: str) -> str:
    is_binary = evaluation.are_independent or evaluation.has_several
    entropy = "binary cross-entropy" if is_binary else "cross-entropy"
    loss = f"{heading}: loss {evaluation.loss:.4f} ({entropy}, without penalties)"
    accuracy = Share(evaluation.accuracy)
    if evaluation.has_several:
        exact = Share(evaluation.exact_match)
        return f"{loss}, binary accuracy {accuracy}, all of an image's labels right {exact}."
    return f"{loss}, accuracy {accuracy}, top-5 {Share(evaluation.top5)}."


def _means(evaluation: Evaluation) -> Iterator[str]:
    yield f"Macro means: {_words(evaluation.macro)}."
    if evaluation.has_several:
        yield f"Micro means: {_words(evaluation.micro)}."
    yield f"Calibration: ECE {Share(evaluation.ece)} ({BINS} bins)."
    without = int((evaluation.class_images == 0).sum())
    if without:
        yield f"Classes without images, left out of the means: {without:,}."


def _words(means: Means) -> str:
    named: tuple[tuple[str, float, Callable[[float], float]], ...] = (
        ("precision", means.precision, Share),
        ("recall", means.recall, Share),
        ("F1", means.f1, Share),
        ("AUC", means.roc_auc, Area),
        ("AP", means.average_precision, Share),
    )
    return ", ".join(f"{name} {kind(x)}" for name, x, kind in named if not np.isnan(x))
