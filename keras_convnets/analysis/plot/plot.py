"""Figures of a model: stages, blocks or layers as boxes, drawn by Graphviz in this process."""

from __future__ import annotations

import base64
import html
import os
from pathlib import Path
from typing import Any

import pydot

from keras_convnets import checks, files
from keras_convnets.analysis.plot import render
from keras_convnets.analysis.plot.blocks import block_graph
from keras_convnets.analysis.plot.figure import DETAILS, figure
from keras_convnets.analysis.plot.folding import fold
from keras_convnets.analysis.plot.sheet import Look
from keras_convnets.analysis.plot.webpage import webpage

FORMATS = ("svg", "png", "pdf", "dot", "html")


class Figure:
    """A figure that has been written to a file; as the result of a notebook's cell it shows itself.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, drawing: pydot.Dot) -> None:
        self.path = path
        self._drawing = drawing

    def __repr__(self) -> str:
        return f"Figure({str(self.path)!r})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return what a notebook shows: the file itself, or the figure where that is no picture."""
        if not self.path.exists():
            return {"image/svg+xml": render.svg(self._drawing)}
        if self.path.suffix.lower() == ".png":
            return {"image/png": base64.b64encode(self.path.read_bytes()).decode("ascii")}
        if self.path.suffix.lower() == ".html":
            page = html.escape(self.path.read_text(encoding="utf-8"))
            frame = f'<iframe srcdoc="{page}" width="100%" height="700"></iframe>'
            return {"text/html": frame}
        return {"image/svg+xml": render.svg(self._drawing)}


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    *,
    detail: str | None = None,
    show_shapes: bool = True,
    show_cost: bool = True,
    fold_repeats: bool = True,
    rankdir: str = "TB",
    dpi: int = 120,
    expand_nested: bool = False,
    show_layer_names: bool | None = None,
    show_layer_activations: bool | None = None,
    show_dtype: bool = False,
    show_trainable: bool = False,
) -> Figure:
    """Draw a functional model so that a person can read it: no program but Python is needed.

    Stages are frames, and blocks are boxes that say in one line what is inside. A shortcut is a
    line around its block: solid for an identity, dashed and labelled for a projection, or for an
    identity that is resized without weights. Branches are side by side, and auxiliary heads
    beside the main path. A run of alike blocks is one box marked with their number. A figure that
    would be a ribbon is broken into columns, joined by numbered marks. Blocks and stages of a
    model of this package come from its layers' names; those of any other from the prefixes that
    names share, else from the graph: what is between two layers that every path passes.

    The arguments of ``keras.utils.plot_model`` mean what they mean there; those about single layers
    ask for ``detail="layer"`` by themselves.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not.
        to_file: the file to write; its suffix says the format: svg, png, pdf, dot, or html for a
            page to explore, where a click on a box shows its layers.
        detail: ``"stage"``, ``"block"`` (the default) or ``"layer"``, which is complete.
        show_shapes: whether lines say ``channels × rows × cols`` where a box changes it.
        show_cost: whether boxes say their parameters and multiply-adds.
        fold_repeats: whether alike blocks in a row are one box; at ``detail="layer"`` they never
            are.
        rankdir: ``"TB"`` draws from top to bottom, ``"LR"`` from left to right; ``"BT"``, ``"RL"``.
        dpi: dots per inch of a png; the other formats have no dots.
        expand_nested: whether models within the model are taken apart; else each is one box.
        show_layer_names: whether layers say their names; by default at ``detail="layer"``.
        show_layer_activations: whether layers say the activation that they apply themselves; by
            default all do at ``detail="layer"``, and dense layers elsewhere.
        show_dtype: whether layers say the type of their output.
        show_trainable: whether layers say if they are trainable.

    Returns:
        The figure, which a notebook shows.

    Raises:
        ValueError: not a functional model; an unknown format, detail or direction; a file that
            cannot be written; a png larger than can be drawn. A file that exists stays as it was
            then.

    Examples:
        >>> from keras_convnets import ResnetBuilder, plot_model
        >>> model = ResnetBuilder.build_resnet_34((3, 224, 224), 10)
        >>> plot_model(model, "resnet_34.svg")
        Figure('resnet_34.svg')
    """
    if not isinstance(to_file, str | os.PathLike):
        raise ValueError(f"to_file: received {to_file!r}; expected a path, such as 'model.svg'.")
    target = Path(to_file)
    extension = checks.choice("file extension", target.suffix.lstrip(".").lower(), FORMATS)
    checks.choice("rankdir", rankdir, ("TB", "LR", "BT", "RL"))
    checks.positive_integer("dpi", dpi, "dots per inch, such as 120")
    of_layers = {
        "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations,
        "show_dtype": show_dtype,
        "show_trainable": show_trainable,
    }
    detail = _detail(detail, [name for name, value in of_layers.items() if value])
    look = Look(
        shapes=show_shapes,
        cost=show_cost,
        layer_names=show_layer_names is not False,
        activations=show_layer_activations is not False,
        dtype=show_dtype,
        trainable=show_trainable,
        rankdir=rankdir,
    )
    graph = block_graph(model, expand_nested=expand_nested)
    if fold_repeats and detail != "layer":
        graph = fold(graph)
    drawing = figure(graph, detail, look)
    with files.replacing(target) as path:
        if extension == "html":
            path.write_text(webpage(graph, detail, render.svg(drawing)), encoding="utf-8")
        else:
            render.write(drawing, path, extension, dpi)
    return Figure(target, drawing)


def _detail(given: str | None, of_layers: list[str]) -> str:
    """Return the detail; what is asked for single layers needs ``"layer"``."""
    if given is None:
        return "layer" if of_layers else "block"
    checks.choice("detail", given, DETAILS)
    if of_layers and given != "layer":
        raise ValueError(
            f"{of_layers[0]}: received True with detail={given!r}; expected detail='layer', for "
            "only there single layers are drawn. Leave one of the two out."
        )
    return given
