"""An evaluation as a table with one row per class, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.inference.evaluation import Evaluation, Share
from keras_convnets.typed import explaining


@explaining
def by_class(evaluation: Evaluation, class_names: Sequence[str], heading: str) -> Table:
    """Return a table with one row per class, and the overall figures as total and notes.

    Args:
        evaluation: the evaluation, from `evaluate`.
        class_names: the class names, by label.
        heading: the words before the overall figures, such as ``"digits test"``.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets.training import Evaluation, by_class
        >>> found = Evaluation(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]], "float32"))
        >>> print(by_class(found, ("cat", "dog"), "pets").to_csv().splitlines()[-1])
        dog,1,0,0.0,cat (1)
    """
    loss = f"{heading}: loss {evaluation.loss:.4f}"
    if evaluation.has_several:
        return _of_several(evaluation, class_names, loss)
    entropy = "binary cross-entropy" if evaluation.are_independent else "cross-entropy"
    note = (
        f"{loss} ({entropy}, without penalties), "
        f"accuracy {Share(evaluation.accuracy)}, top-5 {Share(evaluation.top5)}."
    )
    taken = {mistake.label: mistake for mistake in reversed(evaluation.most_confused())}
    rows = []
    for label, name in enumerate(class_names):
        images = int(evaluation.confusion[label].sum())
        share = Share(evaluation.class_accuracy[label]) if images else None
        most = taken.get(label)
        other = f"{class_names[most.predicted]} ({most.count})" if most else None
        rows.append((name, images, int(evaluation.confusion[label, label]), share, other))
    columns = (
        Column("class", "class"),
        Column("images", "images", is_number=True),
        Column("correct", "correct", is_number=True),
        Column("accuracy", "accuracy", is_number=True),
        Column("taken_for", "most often taken for"),
    )
    right = int(evaluation.confusion.trace())
    total = ("total", len(evaluation.labels), right, Share(evaluation.accuracy), None)
    return Table(columns, tuple(rows), (note,), total)


def _of_several(evaluation: Evaluation, class_names: Sequence[str], loss: str) -> Table:
    """Return the table for multi-label images."""
    note = (
        f"{loss} (binary cross-entropy, without penalties), binary accuracy "
        f"{Share(evaluation.accuracy)}, all of an image's labels right "
        f"{Share(evaluation.exact_match)}."
    )
    columns = (
        Column("class", "class"),
        Column("images", "images", is_number=True),
        Column("precision", "precision", is_number=True),
        Column("recall", "recall", is_number=True),
    )
    precision, recall = (
        [None if np.isnan(share) else Share(share) for share in shares]
        for shares in evaluation.precision_and_recall
    )
    images = evaluation.labels.sum(axis=0).tolist()
    rows = tuple(zip(class_names, images, precision, recall, strict=True))
    return Table(columns, rows, (note,))


def as_numbers(evaluation: Evaluation) -> dict[str, Any]:
    """Return the numbers of an evaluation, ready for JSON."""
    numbers: dict[str, Any] = {"loss": evaluation.loss, "accuracy": evaluation.accuracy}
    if evaluation.has_several:
        return numbers | {"exact_match": evaluation.exact_match}
    return numbers | {"top5": evaluation.top5, "confusion": evaluation.confusion.tolist()}
