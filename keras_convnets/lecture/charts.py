"""The charts of the lecture: numbers that the package counts, drawn by Matplotlib."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from keras_convnets import cost, create_model, receptive_field
from keras_convnets.analysis.drawing import INK, in_page_colors, write_themed
from keras_convnets.analysis.plot.style import short
from keras_convnets.keras_private import without_values

# Okabe and Ito's colours, distinct with colour blindness.
_BLUE, _ORANGE, _GREEN, _PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
_COLOURS = (_BLUE, _ORANGE, _GREEN, _PINK)
_GREY = "#8a949e"
_TITLE, _TEXT = 15, 12
# The networks, and where their names are beside the ends of their lines.
_FIELDS = {"lenet_5": (22, -38), "alexnet": (8, 0), "vgg_16": (-8, 18), "resnet_v1_34": (8, 0)}
_IMAGE = 224
_MEGA = 1e6


def model(name: str, *arguments: Any, **options: Any) -> Any:
    """Return a network whose weights have no values: enough for names, counts and shapes."""
    with without_values():
        return create_model(name, *arguments, **options)


def receptive_fields(to_file: str | os.PathLike[str]) -> None:
    """Draw how the field of a unit grows from convolution to convolution."""
    figure, axes = _canvas("How much of the image does a unit see?")
    for (name, beside), colour in zip(_FIELDS.items(), _COLOURS, strict=True):
        sizes = field_sizes(model(name))
        depths = range(1, len(sizes) + 1)
        axes.plot(depths, sizes, color=colour, linewidth=2.2, marker="o", markersize=4)
        axes.annotate(name, (len(sizes), sizes[-1]), beside, textcoords="offset points",
                      va="center", color=colour, fontsize=_TEXT)  # fmt: skip
    axes.axhline(_IMAGE, color=_GREY, linewidth=1.2, linestyle="--", zorder=1)
    axes.text(39, _IMAGE * 0.94, f"an image of {_IMAGE} pixels", color=_GREY, fontsize=10,
              ha="right", va="top")  # fmt: skip
    axes.set_yscale("log", base=2)
    axes.set_yticks([4, 16, 64, 256, 1024])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(0, 40)
    axes.set_xlabel("convolutions, one after the other", fontsize=_TEXT)
    axes.set_ylabel("side of the receptive field, pixels", fontsize=_TEXT)
    write_themed(figure, to_file)


def field_sizes(network: Any) -> list[int]:
    """Return the side of the receptive field after each convolution of the longest path."""
    sizes = []
    for layer in network.layers:
        if type(layer).__name__ == "Conv2D" and "shortcut" not in layer.name:
            field = receptive_field(network, layer.name)
            assert field.size is not None
            sizes.append(field.size[0])
    return sizes


def vgg_costs(to_file: str | os.PathLike[str]) -> None:
    """Draw where VGG-16 has its parameters, its multiply-adds and its activations."""
    found = cost(model("vgg_16"))
    rows = found.rolled_up("stage")[1:]
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.suptitle("VGG-16: three questions, three places", color=INK, fontsize=_TITLE)
    panels = figure.subplots(1, 3, sharey=True)
    values = (
        ("parameters", [row.params for row in rows], found.params, _ORANGE),
        ("multiply-adds", [row.macs or 0 for row in rows], found.macs, _BLUE),
        ("activations", [row.activations for row in rows], found.activations, _GREEN),
    )
    for axes, (title, counts, whole, colour) in zip(panels, values, strict=True):
        shares = [count / whole for count in counts]
        _bars(axes, [row.name for row in rows], shares, colour)
        axes.set_title(f"{short(whole)} {title}", color=INK, fontsize=_TEXT)
    write_themed(figure, to_file)


def _bars(axes: Axes, names: Sequence[str], shares: Sequence[float], colour: str) -> None:
    """Draw shares as bars from top to bottom, each with its value."""
    in_page_colors(axes)
    axes.barh(range(len(names)), shares, color=colour, alpha=0.85)
    for row, share in enumerate(shares):
        axes.text(share, row, f" {percent_of(share)}", va="center", color=INK)
    axes.set_yticks(range(len(names)), names, fontsize=_TEXT)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.15)
    axes.xaxis.set_major_locator(NullLocator())
    axes.grid(visible=False)
    axes.spines[["bottom", "left"]].set_visible(False)


def dense_channels(to_file: str | os.PathLike[str]) -> None:
    """Draw the channels of the feature maps, block by block, of a DenseNet and a ResNet."""
    figure, axes = _canvas("Channels after each block")
    for name, colour in (("densenet_121", _GREEN), ("resnet_v1_50", _BLUE)):
        rows = [row for row in cost(model(name)).rolled_up("block") if len(row.output_shape) == 3]
        channels = [row.output_shape[0] or 0 for row in rows[1:]]
        axes.step(range(len(channels)), channels, where="post", color=colour, linewidth=2.2)
        axes.annotate(name, (len(channels) - 1, channels[-1]), (6, -4), va="top",
                      textcoords="offset points", color=colour, fontsize=_TEXT)  # fmt: skip
    axes.set_xlim(0, 74)
    axes.set_ylim(0, 2200)
    axes.set_xlabel("blocks, one after the other", fontsize=_TEXT)
    axes.set_ylabel("channels", fontsize=_TEXT)
    write_themed(figure, to_file)


def memory(to_file: str | os.PathLike[str]) -> None:
    """Draw parameters beside activations: few of the one do not mean few of the other."""
    names = ("vgg_16", "resnet_v1_50", "densenet_121")
    found = [cost(model(name)) for name in names]
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    values = (
        ("parameters", [one.params for one in found], _ORANGE),
        ("activations of one image", [one.activations for one in found], _GREEN),
    )
    for axes, (title, counts, colour) in zip(panels, values, strict=True):
        in_page_colors(axes)
        axes.barh(range(len(names)), counts, color=colour, alpha=0.85)
        for row, count in enumerate(counts):
            axes.text(
                count, row, f"  {count / _MEGA:.1f} M", va="center", color=INK, fontsize=_TEXT
            )
        axes.set_yticks(range(len(names)), names, fontsize=_TEXT)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 1.2 * max(counts))
        axes.xaxis.set_major_locator(NullLocator())
        axes.grid(visible=False)
        axes.spines[["bottom", "left"]].set_visible(False)
        axes.set_title(title, color=INK, fontsize=_TITLE)
    write_themed(figure, to_file)


def percent_of(change: float) -> str:
    """Return a share as text.

    Examples:
        >>> percent_of(0.0196), percent_of(0.0042), percent_of(0.0003)
        ('2 %', '0.4 %', '< 0.1 %')
    """
    if change < 0.001:
        return "< 0.1 %"
    return f"{100 * change:.0f} %" if change >= 0.01 else f"{100 * change:.1f} %"


def five(to_file: str | os.PathLike[str]) -> None:
    """Draw by how much a mapping must change for its output to go from 5.1 to 5.2 at 5."""
    figure, axes = _canvas("From 5.1 to 5.2, for an input of 5", height=3.4)
    parts = (("plain: H(5) = 5.1 → 5.2", 0.1 / 5.1), ("residual: F(5) = 0.1 → 0.2", 0.1 / 0.1))
    axes.barh([0, 1], [share for _, share in parts], color=[_ORANGE, _BLUE], alpha=0.85)
    for row, (_, share) in enumerate(parts):
        axes.text(share, row, f"  {percent_of(share)}", va="center", color=INK, fontsize=_TITLE)
    axes.set_yticks([0, 1], [name for name, _ in parts], fontsize=_TEXT)
    axes.set_ylim(1.6, -0.6)
    axes.set_xlim(0, 1.15)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("change of what the layers compute", fontsize=_TEXT)
    write_themed(figure, to_file)


def _canvas(title: str, height: float = 4.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(10, height), layout="constrained")
    axes = figure.subplots()
    in_page_colors(axes)
    axes.tick_params(labelsize=11)
    axes.set_title(title, color=INK, fontsize=_TITLE, loc="left", pad=12)
    return figure, axes
