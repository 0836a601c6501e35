"""The figure of several models side by side."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import keras

from keras_convnets import checks
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.level.aligning import aligned, folded, ordered
from keras_convnets.analysis.plot.level.drawing import SMALLEST_TYPE, Drawing, drawn
from keras_convnets.analysis.plot.look import Look, heading, page_size
from keras_convnets.analysis.plot.target import FORMATS, Figure, Target
from keras_convnets.graph.unique import unique_names
from keras_convnets.received import shown
from keras_convnets.typed import explaining

_FORMATS = tuple(name for name in FORMATS if name != "html")
_EXPECTED = "expected a list of two or more functional models, such as [plain, residual]"


@explaining
def plot_models(
    models: Iterable[Any],
    to_file: str | os.PathLike[str] = "models.png",
    *,
    names: Sequence[str] | None = None,
    show_shapes: bool = True,
    show_cost: bool = True,
    fold_repeats: bool = True,
    size: str | tuple[float, float] | None = None,
    title: str = "",
    legend: bool = True,
    transparent: bool = False,
    dpi: int = 120,
    expand_nested: bool | None = None,
) -> Figure:
    """Draw several models side by side, block by block, with their differences marked.

    Each model is a column, and blocks that correspond are level: those of the same resolution,
    name, stage and contents. Where models differ, the row has a band, which says what differs:
    the layers, their activations or normalisations, the shortcut, settings such as the padding,
    the shape of the output; or which models have the block at all. The data format does not count
    as a difference. A box that is not as that of the first model has a border of another colour.
    Everything else is drawn as by [`plot_model`][keras_convnets.plot_model].

    Args:
        models: two or more functional ``keras.Model`` or built ``keras.Sequential``.
        to_file: the file to write. Its suffix sets the format: svg, png, pdf or dot.
        names: the heads of the columns, by default the models' names.
        show_shapes: whether to show ``channels × rows × cols`` on lines where the shape changes.
        show_cost: whether to show the parameters and multiply-adds of each box and model.
        fold_repeats: whether to draw a run of equal rows as one.
        size: the width and height of the page in inches, or ``"slide"`` for 13.333 x 7.5; a figure
            whose type would be smaller than 9 points there is refused. By default, the figure is
            as large as it needs to be.
        title: the heading; by default there is none.
        legend: whether to explain the colours, lines and numbers.
        transparent: whether to leave out the background, as for a dark slide.
        dpi: the dots per inch of a png; other formats ignore it.
        expand_nested: whether nested models are expanded; by default, those are that have several
            blocks of their own.

    Returns:
        The figure, which a notebook displays.

    Raises:
        ValueError: if there are fewer than two models, or one is not functional; for names that do
            not fit; for an unknown format; if the figure does not fit the size; or if the file
            cannot be written. In all these cases, an existing file is left unchanged.

    Examples:
        >>> from keras_convnets import create_model, plot_models
        >>> nets = [create_model(name, (3, 32, 32), 10) for name in ("plain_18", "resnet_v1_18")]
        >>> plot_models(nets, "both.svg")
        Figure('both.svg')
    """
    target = Target(to_file, dpi, _FORMATS)
    look = Look(
        shapes=show_shapes,
        cost=show_cost,
        size=page_size(size),
        title=heading(title),
        legend=legend,
        transparent=transparent,
    )
    graphs = _graphs(models, names, expand_nested)
    if fold_repeats:
        graphs, rows = folded(graphs)
    else:
        rows = aligned(graphs)
    found = drawn(graphs, rows, look, folded=any(b.repeats > 1 for g in graphs for b in g.blocks))
    _check_type(found, look)
    return target.written(found.dot)


def _graphs(
    models: Iterable[Any], names: Sequence[str] | None, expand_nested: bool | None
) -> list[Graph]:
    if isinstance(models, keras.Model):
        raise ValueError(f"models: received one model, {models.name!r}; {_EXPECTED}.")
    given = checks.items("models", models)
    if len(given) < 2:
        raise ValueError(f"models: received {len(given)}; {_EXPECTED}.")
    graphs = [ordered(block_graph(model, expand_nested=expand_nested)) for model in given]
    heads = _names([graph.name for graph in graphs], names)
    return [dataclasses.replace(g, name=name) for g, name in zip(graphs, heads, strict=True)]


def _names(own: Sequence[str], names: Sequence[str] | None) -> list[str]:
    """Return the heads of the columns; models of one name are numbered."""
    if names is None:
        return unique_names(own)
    given = checks.items("names", names)
    if len(given) != len(own) or not all(isinstance(name, str) and name for name in given):
        raise ValueError(
            f"names: received {shown(names)}; expected a text for each of the {len(own)} models. "
            "Pass as many, or leave names out."
        )
    return list(given)


def _check_type(found: Drawing, look: Look) -> None:
    if look.size and found.smallest_type < SMALLEST_TYPE - 0.01:
        width, height = look.size
        points = math.floor(10 * found.smallest_type) / 10
        larger = [math.ceil(10 * side * 9 / found.smallest_type) / 10 for side in look.size]
        raise ValueError(
            f"size: received {width:.4g} x {height:.4g} inches, where the smallest type would have "
            f"{points} points; expected at least 9. Leave size out, or pass a larger one, such as "
            f"({larger[0]:g}, {larger[1]:g})."
        )
