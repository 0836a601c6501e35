"""The parts of a report that are about images and classes, and its configuration."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import Evaluation, Mistake, Share
from keras_convnets.training.data.data import Data
from keras_convnets.training.report.confusion_figure import confusion_figure
from keras_convnets.training.report.markup import Markup, joined, of_table, tag

_MISTAKES = 16
_CONFUSIONS = 12
_MOST_BARS = 24  # classes up to which all have a bar that is seen at once
_LETTERS = 18  # of a class's name beside its bar, at most
_PIXELS = 128  # of the longer side of an image, at most
_CRISP = 64  # pixels of an image that is enlarged so that each can be seen


def confusion(evaluation: Evaluation, class_names: Sequence[str]) -> Markup:
    """Return what is taken for what: the figure, and the most frequent confusions."""
    found = evaluation.most_confused(_CONFUSIONS)
    columns = (
        Column("class", "class"),
        Column("taken_for", "taken for"),
        Column("images", "images", is_number=True),
        Column("share", "of the class", is_number=True),
    )
    rows = tuple(
        (class_names[pair.label], class_names[pair.predicted], pair.count, Share(pair.share))
        for pair in found
    )
    most = tag("div", tag("h3", "Most frequent confusions"), of_table(Table(columns, rows)))
    figure = tag("div", confusion_figure(evaluation, class_names), class_="matrix")
    return tag("div", figure, most if rows else None, class_="beside")


def classes(evaluation: Evaluation, class_names: Sequence[str]) -> Markup:
    """Return a bar for each class: the share of its images that is classified right.

    Of many classes those that are classified worst come first, and all are behind a click.
    """
    accuracy = evaluation.class_accuracy
    labels = range(len(class_names))
    if len(class_names) <= _MOST_BARS:
        return _bars(evaluation, class_names, labels)
    # A class without images has no accuracy, and comes last.
    order = sorted(labels, key=lambda label: (np.isnan(accuracy[label]), accuracy[label]))
    worst = order[:_MOST_BARS]
    every = tag(
        "details",
        tag("summary", f"All {len(class_names):,} classes, the worst first"),
        _bars(evaluation, class_names, order),
    )
    return joined([tag("h3", "The worst"), _bars(evaluation, class_names, worst), every])


def _bars(evaluation: Evaluation, class_names: Sequence[str], labels: Iterable[int]) -> Markup:
    matrix = evaluation.confusion
    longest = max(map(len, class_names))

    def bar(label: int) -> Markup:
        images, right = int(matrix[label].sum()), int(matrix[label, label])
        share = right / images if images else 0.0
        says = f"{share:.1%}" if images else "no images"
        return tag(
            "li",
            tag("span", class_names[label], class_="name", title=class_names[label]),
            tag("span", tag("i", style=f"width:{share:.1%}"), class_="bar"),
            tag("span", says, class_="number"),
            title=f"{class_names[label]}: {right:,} of {images:,} right",
        )

    style = f"--letters:{min(longest, _LETTERS)}"
    return tag("ul", [bar(label) for label in labels], class_="bars", style=style)


def mistakes(
    evaluation: Evaluation,
    images: Images,
    preprocessing: Preprocessing,
    class_names: Sequence[str],
) -> Markup:
    """Return the images that the model is surest of while it is wrong."""
    found = evaluation.most_wrong(_MISTAKES)
    if not found:
        return tag("p", "None: every test image is classified right.", class_="note")

    def card(mistake: Mistake) -> Markup:
        name = images.describe(mistake.index)
        picture = _picture(images.read(tf.constant(mistake.index, tf.int64)), preprocessing.scale)
        lines = {
            "class": tag("b", class_names[mistake.label]),
            "taken for": tag("b", class_names[mistake.predicted], class_="wrong"),
            "sure to": f"{mistake.confidence:.1%}",
        }
        says = [tag("div", tag("span", what), " ", value) for what, value in lines.items()]
        caption = tag("figcaption", says, tag("small", name))
        return tag("figure", picture, caption)

    return tag("div", [card(mistake) for mistake in found], class_="cards")


def _picture(image: Any, scale: float) -> Markup:
    """Return an image that the page holds itself: as it is, or smaller if it is large."""
    pixels = np.asarray(image, np.float32) / scale
    pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    longest = max(pixels.shape[:2])
    if longest > _PIXELS:
        size = [max(1, round(side * _PIXELS / longest)) for side in pixels.shape[:2]]
        pixels = tf.image.resize(pixels, size, antialias=True).numpy()
    values = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    # What had to be made smaller is a photograph, and those are small as JPEG.
    kind, encode = ("jpeg", tf.io.encode_jpeg) if longest > _PIXELS else ("png", tf.io.encode_png)
    source = f"data:image/{kind};base64,{base64.b64encode(encode(values).numpy()).decode('ascii')}"
    crisp = "crisp" if longest <= _CRISP else None
    return tag("div", tag("img", src=source, alt="", class_=crisp), class_="picture")


def configuration(config: Mapping[str, Any], data: Data) -> Markup:
    """Return what was run: a table for each part, and the files that were left out."""
    parts = {name: dict(value) for name, value in config.items() if isinstance(value, Mapping)}
    rest = {name: value for name, value in config.items() if name not in parts}
    for hidden in ("class_names", "skipped"):
        parts.get("data", {}).pop(hidden, None)
    if "preprocessing" in parts:
        parts["preprocessing"] = {"in words": str(data.preprocessing)} | parts["preprocessing"]
    tables = [_values(name, values) for name, values in (parts | {"other": rest}).items() if values]
    return joined([tag("div", tables, class_="settings"), _skipped(data.skipped)])


def _values(name: str, values: Mapping[str, Any]) -> Markup:
    rows = [
        tag("tr", tag("th", key.replace("_", " ")), tag("td", _said(value)))
        for key, value in values.items()
    ]
    return tag("section", tag("h3", name), tag("table", tag("tbody", rows)))


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "–"
    return json.dumps(value, default=str) if isinstance(value, dict) else str(value)


def _skipped(skipped: Sequence[str]) -> Markup | None:
    if not skipped:
        return None
    summary = tag("summary", f"{len(skipped):,} files were left out")
    return tag("details", summary, tag("ul", [tag("li", file) for file in skipped]))
