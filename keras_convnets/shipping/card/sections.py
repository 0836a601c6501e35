"""The sections of a card: facts in words and tables, not yet Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_convnets.analysis.tables import sizes
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.shares import Area, Share
from keras_convnets.shipping.card.calling import calling
from keras_convnets.shipping.card.facts import Card, Export
from keras_convnets.shipping.card.outputs import said_of

NOT_KNOWN = "not known"
_MOST_NAMES, _MOST_CLASSES = 20, 50
_COLUMNS = {
    "class": "class",
    "images": "images",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
}
_AREAS = ("roc_auc", "average_precision")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a card.

    Attributes:
        title: its title.
        texts: paragraphs.
        header: of its table.
        rows: of its table; there is none without rows.
        is_numeric: whether all columns but the first are numbers.
        codes: programs.
    """

    title: str
    texts: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    is_numeric: bool = False
    codes: tuple[str, ...] = ()


def sections(card: Card) -> list[Section]:
    """Return the sections of a card; those of which nothing is known are left out."""
    found = [
        _model(card),
        Section("Training", header=("what", "how"), rows=card.training),
        *_metrics(card),
        _exports(card),
        _speeds(card),
        *calling_sections(card),
        Section("Versions", header=("package", "version"), rows=card.versions),
    ]
    return [section for section in found if section.rows or section.codes or section.texts]


def calling_sections(card: Card) -> list[Section]:
    """Return how the model is called: a section with the programs of its files."""
    texts, codes = calling(card)
    return [Section("How to call it", texts=texts, codes=codes)]


def summary(card: Card) -> str:
    """Return the model in a sentence."""
    accuracy = card.metrics.get("accuracy")
    measured = ""
    if accuracy is not None:
        images = f"{card.metrics['images']:,} {card.metrics['split']} images"
        measured = f", with an accuracy of {Share(accuracy)} on {images} of {card.metrics['data']}"
    return f"A classifier of images into {card.classes:,} classes{measured}."


def _model(card: Card) -> Section:
    rows = [
        ("network", card.network),
        ("source", card.source or NOT_KNOWN),
        ("images", _images(card)),
        ("preprocessing", _preprocessing(card)),
        ("outputs", said_of(card)),
        ("classes, by label", _names(card.class_names)),
        ("parameters", f"{card.parameters:,}"),
        ("multiply-adds of an image", _count(card.multiply_adds)),
        ("batch normalisations", f"{card.normalisations:,}"),
    ]
    if card.weights:
        rows += [
            ("published weights", card.weights),
            ("licence of these weights", card.licence or NOT_KNOWN),
        ]
    rows += [("digest of the weights", card.fingerprint)]
    return Section("Model", header=("what", "is"), rows=tuple(rows))


def _images(card: Card) -> str:
    return sizes(["any" if size is None else size for size in card.input_shape])


def _preprocessing(card: Card) -> str:
    if card.preprocessing is None:
        return NOT_KNOWN
    return str(Preprocessing.from_config(card.preprocessing))


def _names(names: Sequence[str]) -> str:
    if not names:
        return NOT_KNOWN
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _count(number: int | None) -> str:
    return NOT_KNOWN if number is None else f"{number:,}"


def _metrics(card: Card) -> list[Section]:
    """Return the metrics of all classes together, and of each."""
    found = card.metrics
    if not found:
        return []
    averages = [
        (f"{name} average of {_COLUMNS[key]}", _cell(key, found[name].get(key)))
        for name in ("macro", "weighted")
        for key in ("precision", "recall", "f1", "roc_auc")
    ]
    rows = [
        ("accuracy", _share(found.get("accuracy"))),
        *([("top-5 accuracy", _share(found["top5"]))] if "top5" in found else []),
        *([("exact match", _share(found["exact_match"]))] if "exact_match" in found else []),
        ("loss", _number(found.get("loss"))),
        ("expected calibration error", _share(found.get("ece"))),
        *averages,
    ]
    of = f"Measured on the {found['images']:,} {found['split']} images of {found['data']}."
    together = Section("Metrics", (of,), ("metric", "value"), tuple(rows), is_numeric=True)
    return [together, _of_classes(found["classes"])]


def _of_classes(classes: Sequence[dict[str, Any]]) -> Section:
    columns = [name for name in _COLUMNS if name in classes[0]]
    ranked = sorted(classes, key=lambda row: row["f1"] if row["f1"] is not None else -1)
    shown = classes if len(classes) <= _MOST_CLASSES else ranked[:_MOST_CLASSES]
    rows = [tuple(_cell(name, row[name]) for name in columns) for row in shown]
    few = f"The {_MOST_CLASSES} of {len(classes):,} classes with the lowest F1."
    return Section(
        "Metrics of each class",
        (few,) if len(shown) < len(classes) else (),
        tuple(_COLUMNS[name] for name in columns),
        tuple(rows),
        is_numeric=True,
    )


def _cell(name: str, value: Any) -> str:
    if name == "class":
        return str(value)
    if name == "images":
        return f"{value:,}"
    return _area(value) if name in _AREAS else _share(value)


def _area(value: float | None) -> str:
    return "–" if value is None else f"{Area(value)}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{Share(value)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _exports(card: Card) -> Section:
    header = (
        *("file", "runtime", "precision", "takes", "size", "normalisations folded"),
        *("largest difference", "same first class", "accuracy before and after"),
    )
    rows = tuple(_export(one, card.normalisations) for one in card.exports)
    text = (
        "Each was opened by its runtime, and it and the model were run on the same images. The "
        "difference is that of a probability."
    )
    return Section("Exports", (text, *_checked_on(card)) if rows else (), header, rows)


def _checked_on(card: Card) -> list[str]:
    """Return on which images the exports were compared with the model, in sentences."""
    files: dict[str, list[str]] = {}
    for one in card.exports:
        if "of" in one.proof:
            files.setdefault(str(one.proof["of"]), []).append(name_of(one))
    return [f"Compared on {of}: {', '.join(names)}." for of, names in files.items()]


def _export(one: Export, normalisations: int) -> tuple[str, ...]:
    proof = one.proof
    takes = "images of any size" if one.has_preprocessing else "prepared images"
    before, after = proof.get("accuracy_before"), proof.get("accuracy_after")
    agreement = proof.get("agreement")
    same = "–" if agreement is None else f"{_share(agreement)} of {proof['images']:,}"
    return (
        *(name_of(one), one.runtime, one.precision, f"{one.input_dtype}: {takes}"),
        *(_bytes(one.bytes), f"{one.folded:,} of {normalisations:,}"),
        *(_difference(proof.get("difference")), same),
        "–" if before is None or after is None else f"{_share(before)}, {_share(after)}",
    )


def name_of(one: Export) -> str:
    """Return the file of an export as people read it."""
    return "this folder" if one.file == "." else one.file


def _difference(value: float | None) -> str:
    return "–" if value is None else f"{value:.1e}"


def _bytes(number: int) -> str:
    return f"{number / 1e6:,.2f} MB"


def _speeds(card: Card) -> Section:
    header = ("file", "images at once", "median", "95 %", "images a second", "machine")
    rows = tuple(
        (
            *(name_of(one), f"{speed.batch:,}"),
            *(f"{1000 * speed.median:,.2f} ms", f"{1000 * speed.p95:,.2f} ms"),
            *(f"{speed.batch / speed.median:,.1f}", speed.machine),
        )
        for one in card.exports
        for speed in one.speeds
    )
    return Section("Speed", header=header, rows=rows)
