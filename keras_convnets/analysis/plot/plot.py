"""Figures of a model: stages, blocks or layers as boxes, drawn in-process by Graphviz."""

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
    """A figure that has been written to a file. As the result of a notebook cell it is displayed.

    Attributes:
        path: the path of the file.
    """

    def __init__(self, path: Path, drawing: pydot.Dot) -> None:
        self.path = path
        self._drawing = drawing

    def __repr__(self) -> str:
        return f"Figure({str(self.path)!r})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the display data for a notebook: the file, or the figure if it is not an image."""
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
            ``"RL"``.
        dpi: the dots per inch of a png; other formats ignore it.
        expand_nested: whether nested models are expanded; otherwise each is one box.
        show_layer_names: whether to show layer names; by default only at ``detail="layer"``.
        show_layer_activations: whether to show the activation that a layer applies to its own
            result; by default for all layers at ``detail="layer"``, otherwise for dense layers.
        show_dtype: whether to show the data type of each layer's output.
        show_trainable: whether to show if each layer is trainable.

    Returns:
        The figure, which a notebook displays.

    Raises:
        ValueError: if the model is not functional; for an unknown format, detail or direction; if
            the file cannot be written; or if a png would be too large to draw. In all these cases,
            an existing file is left unchanged.

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
