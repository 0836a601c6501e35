"""The chart of published accuracies over multiply-adds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from keras_convnets import golden
from keras_convnets.accuracies.listed import PublishedAccuracy, published_accuracies
from keras_convnets.analysis.drawing import GRID, INK, figure_file, in_page_colors, write_themed
from keras_convnets.analysis.label_places import Box, label_places
from keras_convnets.typed import typed

_SIZE = (12.5, 7)  # inches
_POINT = 72  # dots an inch, so that a dot is a point
_LABEL = 8.5  # the size of the type of labels
_LARGEST = 17.0  # the radius of the largest point
_SMALLEST = 2.5
# The shapes of points, and how much larger each must be to have the area of a circle.
_MARKERS = {"o": 1.0, "s": math.pi / 4, "D": math.pi / 4, "h": 1.209, "p": 1.321}
_CORNERS = 1.26  # how much farther a corner is from the middle than a circle of the same area
# Okabe and Ito's colours, distinct with colour blindness; then two greys.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a3d", "#7a7f87")
_FAMILIES = {
    "AlexnetBuilder": "AlexNet",
    "CifarResnetBuilder": "ResNet for CIFAR-10",
    "DensenetBuilder": "DenseNet",
    "InceptionBuilder": "Inception",
    "ResnetV1Builder": "ResNet",
    "ResnetV2Builder": "ResNet v2",
    "ResnextBuilder": "ResNeXt",
    "SeResnetBuilder": "SE-ResNet",
    "VggBuilder": "VGG",
    "WideResnetBuilder": "Wide ResNet",
}
_AXES = {"imagenet": "ImageNet top-1 accuracy", "cifar10": "CIFAR-10 test accuracy"}


@typed
def plot_accuracies(
    to_file: str | os.PathLike[str] = "accuracies.svg",
    pattern: str = "*",
    data: str = "imagenet",
    weights: str | None = None,
    title: str = "",
) -> None:
    """Plot published accuracies over multiply-adds; points are as large as their parameters.

    The area of a point is proportional to the number of parameters, its colour is the family, and
    its shape says who states the accuracy: the sources are in the legend.

    Args:
        to_file: the figure to write: svg, png or pdf.
        pattern: a glob pattern of the networks' names.
        data: ``"imagenet"`` or ``"cifar10"``, as for
            [`published_accuracies`][keras_convnets.published_accuracies].
        weights: a glob pattern of the names of weights, as there.
        title: the heading; by default there is none.

    Raises:
        ValueError: for unknown data or another file format, if nothing matches, if there is no room
            for the labels, or if the file cannot be written.

    Examples:
        >>> from keras_convnets import plot_accuracies
        >>> plot_accuracies("vgg.svg", "vgg*")
    """
    file = figure_file(to_file)
    rows = published_accuracies(pattern, data, weights).rows
    figure = Figure(figsize=_SIZE, dpi=_POINT)
    axes = figure.add_axes((0.06, 0.09, 0.72, 0.8 if title else 0.86))
    _dress(axes, data, rows)
    figure.suptitle(title, color=INK, fontsize=15, x=0.42, parse_math=False)
    families = _in_order(_family(row) for row in rows)
    sources = _in_order(row.source for row in rows)
    most = max(row.parameters for row in rows)
    for row in sorted(rows, key=lambda row: -row.parameters):
        marker = _marker(sources.index(row.source))
        axes.scatter(
            [row.multiply_adds],
            [row.accuracy],
            s=4 * _radius(row.parameters, most) ** 2 * _MARKERS[marker],
            marker=marker,
            color=_colour(families.index(_family(row))),
            alpha=0.75,
            edgecolor=INK,
            linewidth=0.6,
            zorder=3,
        )
    _label(axes, rows, most)
    _legends(axes, families, sources, most)
    write_themed(figure, file)


def _in_order(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _family(row: PublishedAccuracy) -> str:
    builder = golden.networks()[row.network].builder
    return _FAMILIES.get(builder, builder.removesuffix("Builder"))


def _marker(number: int) -> str:
    return list(_MARKERS)[number % len(_MARKERS)]


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _radius(parameters: int, most: int) -> float:
    """Return the radius of a point, in points; its area is proportional to the parameters."""
    return max(_SMALLEST, _LARGEST * math.sqrt(parameters / most))


def _dress(axes: Axes, data: str, rows: Sequence[PublishedAccuracy]) -> None:
    """Set the axes, with room around the points for their labels."""
    costs = [math.log10(row.multiply_adds) for row in rows]
    heights = [row.accuracy for row in rows]
    across = max(0.3, max(costs) - min(costs))
    up = max(1.0, max(heights) - min(heights))
    axes.set_xscale("log")
    axes.set_xlim(10 ** (min(costs) - 0.1 * across), 10 ** (max(costs) + 0.12 * across))
    axes.set_ylim(min(heights) - 0.1 * up, min(100.0, max(heights) + 0.1 * up))
    axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.set_xlabel("multiply-adds of one image", fontsize=11)
    axes.set_ylabel(_AXES[data], fontsize=11)
    in_page_colors(axes)


def _short(count: float) -> str:
    size, unit = next(
        ((size, unit) for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")) if count >= size),
        (1, ""),
    )
    return f"{count / size:g}{unit}"


def _label(axes: Axes, rows: Sequence[PublishedAccuracy], most: int) -> None:
    """Name the points; a thin line leads to a name that is not beside its point."""
    texts = [axes.text(0, 0, row.network, fontsize=_LABEL, color=INK, zorder=4) for row in rows]
    extents = [text.get_window_extent() for text in texts]
    points = [tuple(axes.transData.transform((row.multiply_adds, row.accuracy))) for row in rows]
    sources = _in_order(row.source for row in rows)
    corners = [_CORNERS if sources.index(row.source) else 1.0 for row in rows]  # a circle has none
    radii = [c * _radius(row.parameters, most) for c, row in zip(corners, rows, strict=True)]
    sizes = [(extent.width, extent.height) for extent in extents]
    box = axes.get_window_extent()
    area = Box(box.x0 + 2, box.y0 + 2, box.x1 - 2, box.y1 - 2)
    try:
        places = label_places(points, radii, sizes, area)
    except ValueError as error:
        raise ValueError(
            f"pattern: {error} Name fewer networks, such as 'resnet*' (received {len(rows)})."
        ) from error
    inverse = axes.transData.inverted()
    for text, place, point, radius in zip(texts, places, points, radii, strict=True):
        text.set_position(tuple(inverse.transform(place.box.centre)))
        text.set(ha="center", va="center")
        if place.is_led:
            end = place.box.nearest(point)
            share = min(1.0, radius / math.dist(point, end))
            start = [one + share * (other - one) for one, other in zip(point, end, strict=True)]
            ends = [inverse.transform(start), inverse.transform(end)]
            axes.plot(*zip(*ends, strict=True), color="#8a949e", linewidth=0.6, zorder=2)


def _legends(axes: Axes, families: Sequence[str], sources: Sequence[str], most: int) -> None:
    """Draw three legends to the right: families, sources, sizes."""
    plain: dict[str, Any] = {"linestyle": "none", "markeredgecolor": INK, "markeredgewidth": 0.6}
    of_families = [
        Line2D([], [], marker="o", markersize=8, color=_colour(n), alpha=0.75, label=name, **plain)
        for n, name in enumerate(families)
    ]
    of_sources = [
        Line2D([], [], marker=_marker(n), markersize=7, color="#ffffff", label=name, **plain)
        for n, name in enumerate(source.replace(" (", "\n(") for source in sources)
    ]
    sizes = [size for size in (10**n for n in range(5, 10)) if most / 200 < size <= most]
    of_sizes = [
        Line2D(
            *([], []), marker="o", markersize=2 * _radius(size, most), color=GRID,
            label=f"{_short(size)}", **plain,
        )
        for size in sizes
    ]  # fmt: skip
    top = 1.02
    for title, handles, spacing in (
        ("family", of_families, 0.5),
        ("accuracy stated by", of_sources, 0.5),
        ("parameters", of_sizes, 1.4),
    ):
        legend = axes.legend(
            handles=handles, title=title, loc="upper left", bbox_to_anchor=(1.01, top),
            frameon=False, labelcolor=INK, fontsize=9, alignment="left", labelspacing=spacing,
        )  # fmt: skip
        legend.get_title().set_color(INK)
        legend.get_title().set_fontweight("bold")
        axes.add_artist(legend)
        extent = legend.get_window_extent()
        top = axes.transAxes.inverted().transform((0, extent.y0))[1]
