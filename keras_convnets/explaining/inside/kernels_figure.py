"""The figure of a convolution's kernels."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from keras_convnets.analysis.drawing import INK, in_page_colors
from keras_convnets.explaining.heading import (
    HEIGHT,
    LINE,
    POINTS,
    add_heading,
    height_for,
    slide,
)
from keras_convnets.explaining.inside.maps_figure import colour_scale, label_tiles
from keras_convnets.explaining.inside.tiles import grid_shape, tiled

_WIDTH = 12.0  # inches of the grid
_MOST_NUMBERED = 64  # tiles that have a number each
_COLOURS = 3


def figure(layer: str, weights: np.ndarray, norms: np.ndarray, output: int | None) -> Figure:
    """Return the figure of kernels, or of those of one output channel."""
    outputs, inputs, rows, cols = weights.shape
    tiles = weights[:, 0] if output is None else weights[output]
    grid = tiled(tiles, grid_shape(len(tiles), rows, cols))
    is_grid = output is not None or inputs in (1, _COLOURS)
    drawn = slide(height=height_for(grid, _WIDTH) if is_grid else HEIGHT)
    if not is_grid:
        _draw_norms(drawn, norms)
        what = "the L2 norm of each"
    elif output is not None:
        _draw_tiles(drawn, drawn.subplots(), tiles)
        what = f"those of output channel {output}, one for each input channel"
    elif inputs == _COLOURS:
        _draw_colours(drawn.subplots(), weights)
        what = "in colour, each scaled by its largest weight; mid-grey is zero"
    else:
        _draw_tiles(drawn, drawn.subplots(), tiles)
        what = "one for each output channel"
    add_heading(drawn, layer, f"{outputs:,} × {inputs:,} kernels of {rows} × {cols}: {what}")
    return drawn


def _draw_colours(axes: Axes, weights: np.ndarray) -> None:
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    scaled = 0.5 + 0.5 * weights / np.where(largest == 0, 1, largest)
    shape = grid_shape(len(weights), *weights.shape[2:])
    shown = tiled(np.moveaxis(scaled, 1, -1), shape)
    there = np.isfinite(shown[..., :1])
    axes.imshow(np.concatenate([np.nan_to_num(shown), there], axis=-1), interpolation="none")
    _label(axes, len(weights), shape, weights.shape[2:])


def _draw_tiles(drawn: Figure, axes: Axes, tiles: np.ndarray) -> None:
    shape = grid_shape(len(tiles), *tiles.shape[1:])
    colours, norm = colour_scale(np.append(tiles, -np.abs(tiles).max()))  # always around 0
    axes.imshow(tiled(tiles, shape), cmap=colours, norm=norm, interpolation="none")
    _label(axes, len(tiles), shape, tiles.shape[1:])
    _add_scale(drawn, axes, colours, norm, "weight")


def _label(axes: Axes, count: int, shape: tuple[int, int], sides: tuple[int, ...]) -> None:
    label_tiles(axes, np.arange(count), shape, sides, each=count <= _MOST_NUMBERED)


def _draw_norms(drawn: Figure, norms: np.ndarray) -> None:
    """Draw the norm of each kernel, and those of all kernels of an output channel in order."""
    norm = Normalize(0, float(np.percentile(norms, 99.8)) or 1.0)
    axes, beside = drawn.subplots(1, 2, width_ratios=(1.6, 1))
    axes.imshow(norms, cmap="magma", norm=norm, interpolation="none", aspect="auto")
    axes.set(xlabel="input channel", ylabel="output channel")
    axes.set_frame_on(False)
    _add_scale(drawn, axes, colormaps["magma"], norm, "L2 norm of the kernel")
    whole = np.sort(np.sqrt((norms**2).sum(axis=1)))[::-1]
    beside.plot(np.arange(1, len(whole) + 1), whole, color=LINE, linewidth=2.5)
    beside.set(xlabel="output channels, the strongest first", ylabel="L2 norm of all its kernels")
    beside.set_ylim(0, 1.05 * (whole[0] or 1.0))
    in_page_colors(beside)
    for panel in (axes, beside):
        panel.xaxis.label.set(size=POINTS, color=INK)
        panel.yaxis.label.set(size=POINTS, color=INK)
        panel.tick_params(colors=INK, labelsize=POINTS - 1)


def _add_scale(drawn: Figure, axes: Axes, colours: Colormap, norm: Normalize, what: str) -> None:
    bar = drawn.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.6, aspect=30, pad=0.01)
    bar.set_label(what, color=INK, size=POINTS - 1)
    bar.ax.tick_params(colors=INK, labelsize=POINTS - 2)
    bar.outline.set_visible(False)
