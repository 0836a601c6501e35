"""The parts of a report about metrics: the headline, the classes, calibration, several outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.inference.by_class import UNDEFINED, by_class
from keras_convnets.inference.evaluation import TOP, Evaluation
from keras_convnets.inference.shares import Area, Share
from keras_convnets.training.report import reliability, roc


def headline(evaluation: Evaluation) -> dict[str, str | None]:
    """Return the headline numbers in words, by name; ``None`` for what is undefined."""
    images, classes = evaluation.probabilities.shape
    wrong = round((1 - evaluation.exact_match) * images)
    several = evaluation.has_several
    macro = evaluation.macro
    is_binary = classes == 2 and not several
    return {
        "test binary accuracy" if several else "test accuracy": f"{Share(evaluation.accuracy)}",
        "top-5 accuracy": f"{Share(evaluation.top5)}" if not several and classes > TOP else None,
        "macro F1": _said(Share, macro.f1),
        "ROC-AUC" if is_binary else "macro ROC-AUC": _said(Area, macro.roc_auc),
        "mAP": _said(Share, macro.average_precision) if several else None,
        "calibration error (ECE)": f"{Share(evaluation.ece)}",
        "test images wrong": f"{wrong:,} of {images:,}",
        "test loss": f"{evaluation.loss:.4f}",
    }


def _said(kind: Callable[[float], float], value: float) -> str | None:
    return None if np.isnan(value) else f"{kind(value)}"


def of_probabilities(
    evaluation: Evaluation, class_names: Sequence[str], title: str
) -> dict[str, Any]:
    """Return the page's content about the metrics of each class, and about probabilities."""
    has_curves = np.isfinite(evaluation.roc_auc).any()
    return {
        "metrics": by_class(evaluation, class_names, title).for_people(),
        "reliability": reliability.svg(evaluation),
        "several": evaluation.has_several,
        "roc": roc.svg(evaluation, class_names) if has_curves else None,
        "most_curves": roc.MOST,
        "outputs": _outputs(evaluation) if evaluation.others else None,
    }


def _outputs(evaluation: Evaluation) -> Table:
    """Return a row for each output of a model that has several."""
    columns = (
        Column("output", "output"),
        *(
            Column(name, name, is_number=True, missing=UNDEFINED)
            for name in ("loss", "accuracy", "macro F1", "macro AUC", "ECE")
        ),
    )
    named = {"the main output": evaluation} | dict(evaluation.others)
    return Table(columns, tuple((name, *_of_output(one)) for name, one in named.items()))


def _of_output(one: Evaluation) -> tuple[str | None, ...]:
    return (
        f"{one.loss:.4f}",
        f"{Share(one.accuracy)}",
        _said(Share, one.macro.f1),
        _said(Area, one.macro.roc_auc),
        f"{Share(one.ece)}",
    )
