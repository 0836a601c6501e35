"""Figures of a model: stages, blocks or layers as boxes, drawn in-process by Graphviz."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis.plot.figure import DETAILS, TooSmallTypeError, figure
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.look import DIRECTIONS, Look, heading, page_size
from keras_convnets.analysis.plot.target import Figure, Target
from keras_convnets.typed import explaining


@explaining
def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    *,
    detail: str | None = None,
    show_shapes: bool = True,
    show_cost: bool = True,
    fold_repeats: bool = True,
    rankdir: str | None = None,
    size: str | tuple[float, float] | None = None,
    title: str | None = None,
    legend: bool = True,
    transparent: bool = False,
    dpi: int = 120,
    expand_nested: bool | None = None,
    show_layer_names: bool | None = None,
    show_layer_activations: bool | None = None,
    show_dtype: bool = False,
    show_trainable: bool = False,
) -> Figure:
    """Draw a readable figure of a functional model. No program other than Python is required.

    Stages are frames, and blocks are boxes that show their layers in one line. A shortcut is a line
    around its block: solid for an identity; dashed and labelled for a projection, or for an
    identity that is resized without weights. Branches are drawn in parallel, and auxiliary heads
    next to the main path. A run of equal blocks is one box labelled with their number. A very long
    figure is broken into columns, which are connected by numbered marks. For a model of this
    package, the layer names determine blocks and stages. For any other model, they are inferred
    from common prefixes of the names, or else from the graph: a block is the part between two
    layers that are on every path.

    Arguments of ``keras.utils.plot_model`` have the same meaning as there; those about single
    layers imply ``detail="layer"``.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not.
        to_file: the file to write. Its suffix sets the format: svg, png, pdf, dot, or html for an
            interactive page, where a click on a box shows its layers.
        detail: ``"stage"``, ``"block"`` (the default), or ``"layer"`` for every layer.
        show_shapes: whether to show ``channels × rows × cols`` on lines where the shape changes.
        show_cost: whether to show the parameters and multiply-adds of each box.
        fold_repeats: whether to draw consecutive equal blocks as one box; never done at
            ``detail="layer"``.
        rankdir: the direction: ``"TB"`` for top to bottom, ``"LR"`` for left to right, ``"BT"`` or
            ``"RL"``. By default, stages go from left to right, as do blocks for which a ``size`` is
            given, and everything else from top to bottom.
        size: the width and height of the page in inches, or ``"slide"`` for a slide of 13.333 x
            7.5. All type is of at least 9 points there; a figure for which there is no room is
            refused. By default, stages and blocks from left to right are laid out for a slide, but
            never refused, and any other figure is as large as it needs to be.
        title: the heading, by default the model's name; ``""`` for no heading.
        legend: whether to explain the colours, lines and numbers.
        transparent: whether to leave out the background, as for a dark slide. Text and lines
            outside the boxes are then grey, to be read on white and on black.
        dpi: the dots per inch of a png; other formats ignore it.
        expand_nested: whether nested models are expanded; otherwise each is one box. By default,
            those are that have several blocks of their own; at ``detail="layer"``, all.
        show_layer_names: whether to show layer names; by default only at ``detail="layer"``.
        show_layer_activations: whether to show the activation that a layer applies to its own
            result; by default for all layers at ``detail="layer"``, otherwise for dense layers.
        show_dtype: whether to show the data type of each layer's output.
        show_trainable: whether to show if each layer is trainable.

    Returns:
        The figure, which a notebook displays.

    Raises:
        ValueError: if the model is not functional; for an unknown format, detail or direction; if
            the figure does not fit the size; if the file cannot be written; or if a png would be
            too large to draw. In all these cases, an existing file is left unchanged.

    Examples:
        >>> from keras_convnets import ResnetBuilder, plot_model
        >>> model = ResnetBuilder.build_resnet_34((3, 224, 224), 10)
        >>> plot_model(model, "resnet_34.svg")
        Figure('resnet_34.svg')
    """
    target = Target(to_file, dpi)
    if rankdir is not None:
        checks.choice("rankdir", rankdir, DIRECTIONS)
    of_layers = {
        "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations,
        "show_dtype": show_dtype,
        "show_trainable": show_trainable,
    }
    detail = _detail(detail, [name for name, value in of_layers.items() if value])
    page = page_size(size)
    look = Look(
        shapes=show_shapes,
        cost=show_cost,
        layer_names=show_layer_names is not False,
        activations=show_layer_activations is not False,
        dtype=show_dtype,
        trainable=show_trainable,
        rankdir=rankdir or ("LR" if detail == "stage" or (page and detail == "block") else "TB"),
        size=page,
        title=heading(title),
        legend=legend,
        transparent=transparent,
    )
    expand = True if expand_nested is None and detail == "layer" else expand_nested
    graph = block_graph(model, expand_nested=expand)
    folded = fold(graph) if fold_repeats else graph
    try:
        return target.drawn(graph if detail == "layer" else folded, detail, look)
    except TooSmallTypeError as error:
        raise ValueError(_too_small(error.points, folded, detail, look)) from None


def _too_small(points: float, graph: Graph, detail: str, look: Look) -> str:
    """Return the refusal of a size, with the detail that fits it."""
    width, height = look.page
    coarser = DETAILS[: DETAILS.index(detail) + (0 if look.goes_across else 1)]
    across = dataclasses.replace(look, rankdir="LR")
    fits = [found for found in coarser if found != "layer" and _fits(graph, found, across)]
    larger = math.ceil(10 * width * 9 / points) / 10, math.ceil(10 * height * 9 / points) / 10
    shown = math.floor(10 * points) / 10  # 8.96 points are not 9.0
    advice = f"Draw detail={fits[-1]!r} with rankdir='LR', which fits" if fits else "Leave size out"
    return (
        f"size: received {width:.4g} x {height:.4g} inches, where the smallest type at "
        f"detail={detail!r} would have {shown} points; expected at least 9. "
        f"{advice}, or pass a larger size, such as ({larger[0]:g}, {larger[1]:g})."
    )


def _fits(graph: Graph, detail: str, look: Look) -> bool:
    try:
        figure(graph, detail, look)
    except TooSmallTypeError:
        return False
    return True


def _detail(given: str | None, of_layers: list[str]) -> str:
    """Return the level of detail; arguments about single layers require ``"layer"``."""
    if given is None:
        return "layer" if of_layers else "block"
    checks.choice("detail", given, DETAILS)
    if of_layers and given != "layer":
        raise ValueError(
            f"{of_layers[0]}: received True with detail={given!r}; expected detail='layer', for "
            "only there single layers are drawn. Leave one of the two out."
        )
    return given
