"""The report of a run: one page that needs nothing but itself."""

from __future__ import annotations

import importlib.resources
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.analysis.cost.cost import Cost, cost
from keras_convnets.analysis.plot.plot import plot_model
from keras_convnets.analysis.plot.style import short
from keras_convnets.analysis.plot.webpage import figure_style
from keras_convnets.analysis.tables import Table, sizes
from keras_convnets.inference.evaluate import TOP, Evaluation, Share
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.report import curves
from keras_convnets.training.report import parts as report_parts
from keras_convnets.training.report.markup import Markup, joined, of_table, tag
from keras_convnets.training.run_folder import History
from keras_convnets.training.words import duration

_COST_COLUMNS = ("name", "kind", "output_shape", "params", "macs", "flops", "activations")
_LARGEST_GRAPH = 300_000  # letters of a graph that a page has room for: some 250 boxes


def write_report(
    folder: str | os.PathLike[str],
    model: Any,
    data: Data,
    evaluation: Evaluation,
    history: History,
    config: Mapping[str, Any],
) -> None:
    """Write what came of a run as a page: ``report.html`` in its folder.

    The page holds the headline numbers, the learning curves, what is taken for what, the images
    that the model is most wrong about, what the network costs, its graph and the run's
    configuration. It is one file, follows the reader's choice of light or dark, and can be printed.

    Args:
        folder: of the run.
        model: the trained model.
        data: what it was trained and tested on.
        evaluation: what the model says of ``data.test``.
        history: the run's, as `plot_curves` takes it; ``seconds`` is the time of each epoch.
        config: what was run, as in ``config.json``: dictionaries of names and values.

    Raises:
        ValueError: the evaluation is not that of the test images, the model is not functional, or
            the file cannot be written.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import evaluate, load_data, write_report
        >>> model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=8)
        >>> evaluation = evaluate(model, data.test, data.preprocessing)
        >>> write_report(".", model, data, evaluation, {"loss": [2.3]}, {"recipe": {"epochs": 1}})
    """
    _check(data, evaluation)
    found = cost(model, data.image_shape)
    names = data.class_names
    contents = {
        "TITLE": joined([f"{model.name} on {data.name}"]),
        "STYLE": figure_style() + _file("report.css"),
        "SUBTITLE": joined([_subtitle(data, config)]),
        "NUMBERS": _headline(evaluation, found, history, data),
        "CURVES": _curves(history),
        "CONFUSION": report_parts.confusion(evaluation, names),
        "CLASSES": report_parts.classes(evaluation, names),
        "MISTAKES": report_parts.mistakes(evaluation, data.test, data.preprocessing, names),
        "COST": _cost(found),
        "GRAPH": _graph(model),
        "CONFIGURATION": report_parts.configuration(config, data),
    }
    # In one pass, so that a mark within what is filled in stays as it is.
    page = re.sub(r"<!--([A-Z]+)-->", lambda mark: contents[mark[1]], _file("report.html"))
    with files.replacing(Path(folder) / run_folder.REPORT) as path:
        path.write_text(page, encoding="utf-8")


def _check(data: Data, evaluation: Evaluation) -> None:
    given = evaluation.probabilities.shape
    expected = (len(data.test), len(data.class_names))
    if given != expected:
        raise ValueError(
            f"evaluation: received one of {given[0]} images and {given[1]} classes; expected "
            f"{expected[0]} and {expected[1]}, the test images and classes of {data.name}. Pass "
            "evaluate(model, data.test, data.preprocessing)."
        )


def _subtitle(data: Data, config: Mapping[str, Any]) -> str:
    source = config.get("recipe", {}).get("source")
    counts = (
        f"{len(data.train):,} training and {len(data.test):,} test images of "
        f"{sizes(data.image_shape)}, {len(data.class_names)} classes"
    )
    return f"{counts} · {source}" if source else counts


def _headline(evaluation: Evaluation, found: Cost, history: History, data: Data) -> Markup:
    seconds = sum(history.get("seconds", ()))
    top5 = f"{Share(evaluation.top5)}" if len(data.class_names) > TOP else None
    wrong = round((1 - evaluation.accuracy) * len(evaluation.labels))
    numbers = {
        "test accuracy": f"{Share(evaluation.accuracy)}",
        "top-5 accuracy": top5,
        "test images wrong": f"{wrong:,} of {len(evaluation.labels):,}",
        "test loss": f"{evaluation.loss:.4f}",
        "parameters": short(found.params),
        "multiply-adds": short(found.macs),
        "epochs": f"{len(history.get('loss', ())):,}",
        "training time": duration(seconds) if seconds else None,
    }
    return joined(
        tag("div", tag("dt", name), tag("dd", value)) for name, value in numbers.items() if value
    )


def _curves(history: History) -> Markup:
    if not history.get("loss"):
        return tag("p", "No epoch was finished.", class_="note")
    return Markup(curves.svg(history))


def _cost(found: Cost) -> Markup:
    table = found.table(by="stage")
    kept = [n for n, column in enumerate(table.columns) if column.key in _COST_COLUMNS]

    def cut(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
        return tuple((row or ())[n] for n in kept)

    rows = tuple(cut(row) for row in table.rows)
    total = ("total", *cut(table.total)[1:])
    columns = cut(table.columns)
    notes = [tag("p", note, class_="note") for note in table.notes]
    return joined([of_table(Table(columns, rows, (), total)), notes])


def _graph(model: Any) -> Markup:
    """Return the network's graph, in less detail where it is too large to be read."""
    with tempfile.TemporaryDirectory() as folder:
        for detail in ("block", "stage"):
            file = Path(folder) / run_folder.PICTURE
            plot_model(model, file, detail=detail, rankdir="LR")
            drawn = file.read_text(encoding="utf-8")
            if len(drawn) <= _LARGEST_GRAPH:
                return Markup(drawn[drawn.index("<svg") :])
    hint = f"It is too large for a page: plot_model(model, 'graph.html') draws {model.name}."
    return tag("p", hint, class_="note")


def _file(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text(encoding="utf-8")
