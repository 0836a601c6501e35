"""The parts of a report about classes and the run's configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.shares import Share

_CONFUSIONS = 12


@dataclasses.dataclass(frozen=True)
class ClassBar:
    """The name of a class, its number of images, and how many are classified correctly."""

    name: str
    images: int
    right: int

    @property
    def share(self) -> float:
        """The share of images that are classified correctly; NaN if there are none."""
        return self.right / self.images if self.images else float("nan")


def confusions(evaluation: Evaluation, class_names: Sequence[str]) -> Table:
    """Return the most frequent confusions, the most frequent first."""
    columns = (
        Column("class", "true class"),
        Column("taken_for", "predicted"),
        Column("images", "images", is_number=True),
        Column("share", "of the class", is_number=True),
    )
    rows = tuple(
        (class_names[pair.label], class_names[pair.predicted], pair.count, Share(pair.share))
        for pair in evaluation.most_confused(_CONFUSIONS)
    )
    return Table(columns, rows)


def class_bars(evaluation: Evaluation, class_names: Sequence[str]) -> list[ClassBar]:
    """Return a bar for each class."""
    images = evaluation.confusion.sum(axis=1).tolist()
    right = evaluation.confusion.diagonal().tolist()
    return list(map(ClassBar, class_names, images, right))


def worst_first(bars: Sequence[ClassBar]) -> list[ClassBar]:
    """Return the bars sorted by share, the worst first; classes without images come last."""
    return sorted(bars, key=lambda bar: (not bar.images, bar.share if bar.images else 0))


def configuration(
    config: Mapping[str, Any], preprocessing: Preprocessing | None
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the configuration of the run: a title for each part, with names and values."""
    parts = {name: dict(value) for name, value in config.items() if isinstance(value, Mapping)}
    rest = {name: value for name, value in config.items() if name not in parts}
    for hidden in ("class_names", "skipped"):
        parts.get("data", {}).pop(hidden, None)
    if "preprocessing" in parts and preprocessing is not None:
        parts["preprocessing"] = {"in words": str(preprocessing)} | parts["preprocessing"]
    return [
        (title, [(name.replace("_", " "), _said(value)) for name, value in values.items()])
        for title, values in (parts | {"other": rest}).items()
        if values
    ]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "–"
    if isinstance(value, dict):
        told = {name: each for name, each in value.items() if each is not None}
        return ", ".join(f"{name}={_said(each)}" for name, each in told.items()) or "–"
    return str(value)
