"""Training images after their augmentations, as a figure."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from matplotlib.figure import Figure

from keras_convnets import checks
from keras_convnets.analysis.drawing import INK, figure_file, write
from keras_convnets.printable import cut_middle, printable
from keras_convnets.training.data.data import Data
from keras_convnets.training.report.augmented import Tile, tiles
from keras_convnets.typed import explaining

_COLUMNS = 4
_TILE, _LINE = 1.7, 0.19  # inches of an image's longer side, and of a line of text
_TITLE = 110  # characters
_CRISP = 64  # pixels up to which they are drawn as squares


@explaining
def plot_augmented(data: Data, to_file: str | os.PathLike[str], seed: int = 0) -> None:
    """Draw the first 16 training images of a run after their augmentations, with their classes.

    They are what the network gets in the first epoch of a run with this seed, without the
    normalisation. A label that mixup or CutMix has mixed is the share of each class.

    Args:
        data: the data, with their augmentation.
        to_file: the image file to write: .svg, .png or .pdf.
        seed: the seed of the run.

    Raises:
        ValueError: an image cannot be read, an argument is out of range, or the file cannot be
            written.

    Examples:
        >>> from keras_convnets.training import load_data, plot_augmented
        >>> data = load_data("digits", augmentation="shift+rotation:15+mixup:0.2")
        >>> plot_augmented(data, "augmented.png")
    """
    checks.instance("data", data, Data, "Pass load_data('digits') or Data.from_arrays(...).")
    file, seed = figure_file(to_file), checks.seed(seed)
    title = f"{data.name}, {data.augmentation}"
    write(_figure(tiles(data, seed), title), file)


def _figure(found: Sequence[Tile], title: str) -> Figure:
    rows = max(1, math.ceil(len(found) / _COLUMNS))
    lines = max((tile.caption.count("\n") + 1 for tile in found), default=1)
    height = max((tile.pixels.shape[0] / max(tile.pixels.shape[:2]) for tile in found), default=1)
    each = max(_TILE * height, 0.3) + lines * _LINE + 0.12
    figure = Figure(figsize=(_COLUMNS * (_TILE + 0.25), rows * each + 0.45), layout="constrained")
    for axes in figure.subplots(rows, _COLUMNS, squeeze=False).flat:
        axes.set_axis_off()
    for axes, tile in zip(figure.axes, found, strict=False):
        is_crisp = max(tile.pixels.shape[:2]) <= _CRISP
        pixels = tile.pixels if tile.pixels.shape[-1] == 3 else tile.pixels[..., 0]
        axes.imshow(
            pixels,
            cmap="gray",
            vmin=0,
            vmax=1,
            interpolation="nearest" if is_crisp else "antialiased",
        )
        axes.set_title(
            tile.caption, fontsize=9, color=INK, parse_math=False, pad=3, y=-0.02, va="top"
        )
    figure.suptitle(cut_middle(printable(title), _TITLE), fontsize=10, color=INK, parse_math=False)
    return figure
