"""The report of a run: one self-contained page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_convnets import checks, files
from keras_convnets.analysis import pages
from keras_convnets.analysis.cost.cost import Cost, cost
from keras_convnets.analysis.plot.plot import plot_model
from keras_convnets.analysis.plot.style import short
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.printable import printable
from keras_convnets.training import run_folder
from keras_convnets.training.data.data import Data
from keras_convnets.training.report import curves, metrics, parts
from keras_convnets.training.report.confusion_figure import confusion_figure
from keras_convnets.training.report.fitted import columns
from keras_convnets.training.report.image_cards import of_images, of_several
from keras_convnets.training.report.tested import Tested, tested
from keras_convnets.training.report.training_cards import training_cards
from keras_convnets.training.run_folder import History
from keras_convnets.training.words import duration
from keras_convnets.typed import explaining

_COST_COLUMNS = ("name", "kind", "output_shape", "params", "macs", "flops", "activations")
_MOST_BARS = 24  # classes up to which all bars are visible at once
_LETTERS = 18  # the maximum length of a class name next to its bar
_LARGEST_GRAPH = 300_000  # the maximum characters of a graph in the page: about 250 boxes


@explaining
def write_report(
    folder: str | os.PathLike[str],
    model: Any,
    data: Data | Sequence[str],
    evaluation: Evaluation,
    history: Mapping[str, Sequence[float]] | keras.callbacks.History,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Write the report of a run, or of your own ``model.fit``: ``report.html`` in a folder.

    The page contains the headline numbers, the learning curves, the confusion matrix, the metrics
    of each class, the calibration, the most confident mistakes with what the network looked at, the
    most typical image of each class, a map of the test images by their pooled features, 16 training
    images after their augmentations, the cost of the network, its graph and the run's
    configuration. It is a single file, follows the light or dark theme, and can be printed.

    Args:
        folder: the folder, which is created if there is none.
        model: the trained model.
        data: the data it was trained and tested on; or only the class names, by label, if the
            images are from a pipeline of your own. The page then has no pictures of the mistakes.
        evaluation: the evaluation of the model on ``data.test``, or on your own test images.
        history: the history of the run, as in `plot_curves`; ``seconds`` is the time of each epoch.
        config: the configuration, as in ``config.json``: dictionaries of names and values. By
            default the page has none.

    Raises:
        ValueError: the evaluation is not of the test images, an argument is of another type, the
            model is not functional, or the file cannot be written.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import evaluate, load_data, write_report
        >>> model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=8)
        >>> evaluation = evaluate(model, data.test, data.preprocessing)
        >>> write_report(".", model, data, evaluation, {"loss": [2.3]}, {"recipe": {"epochs": 1}})
    """
    checks.instance("model", model, keras.Model, "Pass the classifier.")
    about = tested(model, data, evaluation)
    values = columns(history)
    config = {} if config is None else config
    if not isinstance(config, Mapping):
        raise ValueError(
            f"config: received {config!r}; expected a dictionary, such as "
            '{"optimizer": {"name": "adam"}}. Leave it out if there is nothing to say.'
        )
    found = cost(model, about.image_shape)
    page = pages.render(
        __package__,
        "report.html",
        title=about.title,
        subtitle=_subtitle(about, config),
        numbers=_headline(evaluation, found, values),
        curves=curves.svg(values) if values.get("loss") else None,
        cost=found.table(by="stage").only(_COST_COLUMNS),
        graph=_graph(model),
        model=model.name,
        configuration=parts.configuration(config, about.preprocessing),
        skipped=about.skipped,
        most_bars=_MOST_BARS,
        tested=len(evaluation.labels),
        **_of_classes(model, evaluation, about),
        **training_cards(data, config),
    )
    _write(Path(folder), page)


def _write(folder: Path, page: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"folder: received {str(folder)!r}, which cannot be made: {error.strerror}. Name a "
            "folder in a place that you may write to."
        ) from error
    with files.replacing(folder / run_folder.REPORT) as path:
        path.write_text(page, encoding="utf-8")


def _of_classes(model: Any, evaluation: Evaluation, about: Tested) -> dict[str, Any]:
    """Return the page's content about classes: the metrics, the matrix, bars and mistakes."""
    names = about.class_names
    content = metrics.of_probabilities(evaluation, names, about.title)
    if evaluation.has_several:
        return content | of_several(model, evaluation, about)
    bars = parts.class_bars(evaluation, names)
    return content | {
        "confusion": confusion_figure(evaluation.confusion, names),
        "confusions": parts.confusions(evaluation, names),
        "classes": bars,
        "worst_first": parts.worst_first(bars),
        "letters": min(max(len(printable(name)) for name in names), _LETTERS),
        **of_images(model, evaluation, about),
    }


def _subtitle(about: Tested, config: Mapping[str, Any]) -> str:
    source = config.get("recipe", {}).get("source")
    return f"{about.summary} · {source}" if source else about.summary


def _headline(evaluation: Evaluation, found: Cost, history: History) -> list[tuple[str, str]]:
    seconds = sum(history.get("seconds", ()))
    numbers = metrics.headline(evaluation) | {
        "parameters": short(found.params),
        "multiply-adds": short(found.macs),
        "epochs": f"{len(history.get('loss', ())):,}",
        "training time": duration(seconds) if seconds else None,
    }
    return [(name, value) for name, value in numbers.items() if value]


def _graph(model: Any) -> str | None:
    """Return the network's graph, less detailed if it is large; ``None`` if still too large."""
    with tempfile.TemporaryDirectory() as folder:
        for detail in ("block", "stage"):
            file = Path(folder) / run_folder.PICTURE
            plot_model(model, file, detail=detail, rankdir="LR")
            drawn = file.read_text(encoding="utf-8")
            if len(drawn) <= _LARGEST_GRAPH:
                return drawn
    return None
