"""An evaluation as plain data: what ``evaluate --format json`` prints and ``metrics.json`` has.

Every number that is undefined is ``None``, JSON's null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.calibration import Calibration
from keras_convnets.inference.evaluation import Evaluation


def numbers(
    evaluation: Evaluation, class_names: Sequence[str], model: str, data: str, split: str
) -> dict[str, Any]:
    """Return all metrics of an evaluation, and what was evaluated.

    Args:
        evaluation: the evaluation.
        class_names: the class names, by label.
        model: the name of the model.
        data: the name of the data.
        split: which of its images: ``"test"``.
    """
    what = {"model": model, "data": data, "split": split, "images": len(evaluation.labels)}
    return what | _of_output(evaluation, class_names) | _of_others(evaluation, class_names)


def as_numbers(evaluation: Evaluation) -> dict[str, Any]:
    """Return the metrics of all classes together."""
    found: dict[str, Any] = {"loss": evaluation.loss, "accuracy": evaluation.accuracy}
    if evaluation.has_several:
        found["exact_match"] = evaluation.exact_match
    else:
        found["top5"] = evaluation.top5
    for name in ("macro", "weighted", "micro"):
        found[name] = dataclasses.asdict(getattr(evaluation, name))
    found |= {"ece": evaluation.ece, "reliability": _bins(evaluation.calibration)}
    if not evaluation.has_several:
        found["confusion"] = evaluation.confusion.tolist()
    return _without_nan(found)


def _of_output(evaluation: Evaluation, class_names: Sequence[str]) -> dict[str, Any]:
    return as_numbers(evaluation) | {
        "classes": by_class(evaluation, class_names, "").to_dict()["rows"]
    }


def _of_others(evaluation: Evaluation, class_names: Sequence[str]) -> dict[str, Any]:
    """Return the metrics of a model's further outputs, by their names."""
    if not evaluation.others:
        return {}
    others = evaluation.others.items()
    return {"other_outputs": {name: _of_output(other, class_names) for name, other in others}}


def _bins(found: Calibration) -> list[dict[str, float]]:
    names = ("lower", "upper", "images", "confidence", "accuracy")
    edges = found.edges
    columns = (edges[:-1], edges[1:], found.images, found.confidence, found.accuracy)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(_without_nan, value))
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    return value
