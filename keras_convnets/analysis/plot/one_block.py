"""The figure of one block, alone."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
from collections.abc import Callable
from typing import Any

import keras

from keras_convnets import axes, checks, naming
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.graph import Edge, Graph
from keras_convnets.analysis.plot.look import DIRECTIONS, Look, heading
from keras_convnets.analysis.plot.target import Figure, Target
from keras_convnets.analysis.tables import sizes
from keras_convnets.graph.unique import unique_names
from keras_convnets.typed import explaining

_SCOPE = "stage_block1"  # the group that the layers are named after, which the figure leaves out


@explaining
def plot_block(
    block: Callable[[Any], Any],
    input_shape: tuple[int, int | None, int | None],
    to_file: str | os.PathLike[str] = "block.png",
    *,
    show_shapes: bool = True,
    show_cost: bool = True,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    title: str | None = None,
    legend: bool = True,
    transparent: bool = False,
    dpi: int = 120,
) -> Figure:
    """Draw one block alone, layer by layer.

    The block is any function from tensor to tensor: one of this package's, such as
    ``basic_block_v1(64)``, a chain of units, a function of your own, or a Keras layer or model,
    whose layers are drawn.

    Args:
        block: the block, a function from tensor to tensor. A function that returns a block is
            called first: ``basic_block_v1(64)``, not ``basic_block_v1``.
        input_shape: the ``(channels, rows, cols)`` that the block is applied to, whatever the data
            format.
        to_file: the file to write. Its suffix sets the format: svg, png, pdf, dot or html.
        show_shapes: whether to show ``channels × rows × cols`` on lines where the shape changes.
        show_cost: whether to show the parameters and multiply-adds of each layer.
        show_layer_names: whether to show the layers' names, without a stage: ``conv1``.
        rankdir: the direction: ``"TB"`` for top to bottom, ``"LR"`` for left to right, ``"BT"`` or
            ``"RL"``.
        title: the heading, by default the name of the function; ``""`` for no heading.
        legend: whether to explain the colours and lines.
        transparent: whether to leave out the background.
        dpi: the dots per inch of a png; other formats ignore it.

    Returns:
        The figure, which a notebook displays.

    Raises:
        ValueError: if ``block`` is not a function from tensor to tensor, or cannot be applied to
            the shape; for an unknown format or direction; or if the file cannot be written.

    Examples:
        >>> from keras_convnets import basic_block_v1, plot_block
        >>> plot_block(basic_block_v1(128, (2, 2)), (64, 56, 56), "basic_block_v1.svg")
        Figure('basic_block_v1.svg')
    """
    target = Target(to_file, dpi)
    checks.choice("rankdir", rankdir, DIRECTIONS)
    look = Look(
        shapes=show_shapes,
        cost=show_cost,
        layer_names=show_layer_names,
        rankdir=rankdir,
        title=heading(title),
        legend=legend,
        transparent=transparent,
    )
    model = _model(block, checks.input_shape(input_shape))
    graph = _graph(model)
    return target.drawn(dataclasses.replace(graph, name=title or graph.name), "layer", look)


def _model(block: Callable[[Any], Any], shape: checks.ImageShape) -> keras.Model:
    """Return the model of one block."""
    if not callable(block):
        raise ValueError(f"block: received {block!r}; expected a function from tensor to tensor.")
    with naming.network(), axes.building(None):
        x = keras.Input(axes.keras_shape(shape), name="input")
        try:
            with naming.group(_SCOPE):
                y = block(x)
        except Exception as error:
            reason = str(error).strip().split("\n")[0]
            problem = f"cannot be applied to {sizes(shape)} ({type(error).__name__}: {reason})"
            raise ValueError(_refusal(block, problem)) from error
        if not isinstance(y, keras.KerasTensor):
            raise ValueError(_refusal(block, f"returns no tensor but a {type(y).__name__}"))
        if y is x:
            raise ValueError(_refusal(block, "has no layers"))
        try:
            return keras.Model(x, y, name=_name(block))
        except ValueError as error:
            raise ValueError(_refusal(block, "returns a tensor of another graph")) from error


def _refusal(block: Callable[[Any], Any], problem: str) -> str:
    """Return what was received and expected, with the call that makes a block of a function."""
    expected = f"block: received {_name(block)}, which {problem}; expected a function from tensor"
    if not inspect.isfunction(block) or "<locals>" in block.__qualname__:
        return f"{expected} to tensor, and a shape (channels, rows, cols) that it takes."
    parameters = inspect.signature(block).parameters.values()
    needed = ", ".join(p.name for p in parameters if p.default is p.empty)
    call = f"{block.__name__}({needed})"
    return f"{expected} to tensor. If {block.__name__} returns a block, call it first: {call}."


def _name(block: Any) -> str:
    """Return the name of a function or layer; one that a function of this package made has none."""
    if isinstance(block, keras.Layer):
        return block.name
    made_here = getattr(block, "__module__", "").startswith("keras_convnets.")
    if "<locals>" in getattr(block, "__qualname__", "") and made_here:
        return "block"
    name = getattr(block, "__name__", "block")
    return "block" if name == "<lambda>" else name


def _graph(model: keras.Model) -> Graph:
    """Return the graph of one block in no stage, its layers named without the block."""
    graph = block_graph(model, expand_nested=True)
    first, *rest = graph.blocks
    layers = [layer for block in rest for layer in block.layers]
    classes = {type(layer).__name__.lower() for layer in model.layers}
    names = unique_names(_layer_name(layer.id, classes) for layer in layers)
    name_of = {layer.id: name for layer, name in zip(layers, names, strict=True)}
    renamed = tuple(dataclasses.replace(layer, id=name_of[layer.id]) for layer in layers)
    joined = dataclasses.replace(rest[0], name=graph.name, stage=None, layers=renamed)
    edges = tuple(
        Edge(name_of.get(edge.source, edge.source), name_of[edge.target], edge.shape)
        for edge in graph.layer_edges
    )
    into = Edge(first.name, joined.name, edges[0].shape)
    return Graph(graph.name, (first, joined), (into,), edges)


def _layer_name(name: str, classes: set[str]) -> str:
    """Return a layer's name within the block, without the number that Keras counts up."""
    short = name.removeprefix(f"{_SCOPE}_")
    by_keras = re.sub(r"_[0-9]+$", "", short)
    return by_keras if by_keras.replace("_", "") in classes else short
