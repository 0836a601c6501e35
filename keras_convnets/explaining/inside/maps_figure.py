"""The figure of a layer's feature maps: the image, and a tile for each channel."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from keras_convnets.analysis.drawing import INK
from keras_convnets.explaining.heading import POINTS, add_heading, height_for, slide
from keras_convnets.explaining.inside.tiles import enlargement, gap_of, grid_shape, tiled

_WIDTH = 9.7  # inches of the grid
_DEAD = "#c9ced3"  # grey, on light and dark paper
_ROBUST = 99.8  # the percentile of values at which the colour scale ends
_MOST_NUMBERED = 64  # tiles that have a number each
_ROW_LABELS = 16


def figure(layer: str, maps: np.ndarray, image: np.ndarray, strongest: int | None) -> Figure:
    """Return the figure of the maps of an image, `(channels, rows, cols)`.

    Args:
        layer: the name of the layer.
        maps: the feature maps.
        image: the image, `(channels, rows, cols)`.
        strongest: how many of the maps to show, the strongest first; ``None`` for all in order.
    """
    numbers = np.arange(len(maps))
    if strongest is not None:
        strength = np.abs(maps).mean(axis=(1, 2))
        numbers = np.argsort(-strength, kind="stable")[:strongest]
    shown = maps[numbers]
    grid = tiled(shown, grid_shape(len(shown), *maps.shape[1:]))
    drawn = slide(height=height_for(grid, _WIDTH))
    beside, main = drawn.subplots(1, 2, width_ratios=(1, 5.4))
    _draw_image(beside, image)
    _draw_maps(drawn, main, shown, numbers, is_sorted=strongest is not None)
    rows, cols = maps.shape[1:]
    which = "all of them" if strongest is None else f"the {strongest} strongest"
    dead = int((~maps.any(axis=(1, 2))).sum())
    grey = f"; {dead:,} are zero everywhere (grey)" if dead else ""
    below = f"{len(maps):,} channels of {rows} × {cols}, {which}{grey}"
    add_heading(drawn, layer, below)
    return drawn


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(as_picture(image), cmap="gray", interpolation="none")
    axes.set_title("the image", color=INK, size=POINTS)
    axes.set_axis_off()


def as_picture(image: np.ndarray) -> np.ndarray:
    """Return prepared channels as a picture of 0 to 1: in colour if there are three, else grey."""
    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / (high - low or 1.0)
    return np.moveaxis(scaled, 0, -1) if len(image) == 3 else scaled.mean(axis=0)


def _draw_maps(
    drawn: Figure, axes: Axes, maps: np.ndarray, numbers: np.ndarray, is_sorted: bool
) -> None:
    shape = grid_shape(len(maps), *maps.shape[1:])
    colours, norm = colour_scale(maps)
    dead = np.equal(np.abs(maps).max(axis=(1, 2), keepdims=True), 0).astype(np.float32)
    shown = colours(norm(tiled(maps, shape)))
    grey = tiled(np.broadcast_to(dead, maps.shape), shape) == 1
    shown[grey] = [*(int(_DEAD[at : at + 2], 16) / 255 for at in (1, 3, 5)), 1.0]
    axes.imshow(shown, interpolation="none")
    label_tiles(axes, numbers, shape, maps.shape[1:], each=is_sorted or len(maps) <= _MOST_NUMBERED)
    bar = drawn.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("activation, the same scale for all channels", color=INK, size=POINTS - 1)
    bar.ax.tick_params(colors=INK, labelsize=POINTS - 2)
    bar.outline.set_visible(False)


def colour_scale(values: np.ndarray) -> tuple[Colormap, Normalize]:
    """Return colours for values and their range: from 0, or around 0 if there are negative ones."""
    strongest = float(np.percentile(np.abs(values), _ROBUST)) or float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        colours, norm = colormaps["RdBu_r"], Normalize(-strongest, strongest)
    else:
        colours, norm = colormaps["magma"], Normalize(0, strongest)
    return colours.with_extremes(bad=(0, 0, 0, 0)), norm


def label_tiles(
    axes: Axes,
    numbers: np.ndarray,
    shape: tuple[int, int],
    sides: tuple[int, ...],
    each: bool,
    points: float = POINTS - 3,
) -> None:
    """Write the numbers of tiles: above each of them, or at the beginning of each row."""
    times, gap = enlargement(sides), gap_of(sides)
    high, wide = sides[0] * times + gap, sides[1] * times + gap
    down, across = shape
    axes.set_frame_on(False)
    axes.tick_params(length=0, colors=INK, labelsize=points)
    axes.set_xticks([])
    if each:
        axes.set_yticks([])
        size = min(points, 130 / across)
        for place, number in enumerate(numbers):
            left, top = (place % across) * wide, (place // across) * high
            axes.text(
                left + 0.04 * wide, top + 0.03 * high, str(number), color="white", size=size,
                va="top", path_effects=_outline(),
            )  # fmt: skip
        return
    every = max(1, -(-down // _ROW_LABELS))
    rows = range(0, down, every)
    axes.set_yticks(
        [row * high + (high - gap) / 2 for row in rows],
        [str(numbers[row * across]) for row in rows],
    )


def _outline() -> list[withStroke]:
    return [withStroke(linewidth=1.6, foreground="#000000a0")]
