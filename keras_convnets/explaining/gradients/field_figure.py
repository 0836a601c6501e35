"""The figure of an effective receptive field: a map of influence, and its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_convnets.analysis.drawing import INK, in_page_colors
from keras_convnets.explaining.heading import LINE, OTHERS, POINTS, add_heading, slide

if TYPE_CHECKING:
    from keras_convnets.explaining.gradients.effective_field import EffectiveField

THRESHOLD = 1 - 0.9545
"""The share of the largest gradient above which a pixel counts, as in Luo et al. (2016)."""

_EDGE = OTHERS[1]
_MARGIN = 0.35  # around what the unit can see, as a share of it


def figure(found: EffectiveField) -> Figure:
    """Return the figure of an effective receptive field."""
    drawn = slide(height=6.2)
    map_axes, profile = drawn.subplots(1, 2, width_ratios=(1, 1.15))
    _draw_map(drawn, map_axes, found)
    _draw_profile(profile, found)
    field = "an unknown field" if found.theoretical is None else _sizes(found.theoretical)
    cut = ", cut by the image" if found.is_cut and found.theoretical is not None else ""
    add_heading(
        drawn,
        f"{found.layer}: its central unit uses {found.ratio:.0%} of what it can see",
        f"theoretical receptive field {field}{cut}; effective {found.pixels:,} pixels, the area of "
        f"a square of {found.side:.3g}",
    )
    return drawn


def _sizes(sizes: tuple[int, int]) -> str:
    return f"{sizes[0]} × {sizes[1]}"


def _draw_map(drawn: Figure, axes: Axes, found: EffectiveField) -> None:
    picture = axes.imshow(found.influence, cmap="magma", vmin=0, vmax=1, interpolation="none")
    if not found.mask.all():
        axes.contour(found.influence, [THRESHOLD], colors=[_EDGE], linewidths=2)
    (top, bottom), (left, right) = found.seen
    box = Rectangle(
        (left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False,
        edgecolor="#ffffff", linewidth=2, linestyle="--",
    )  # fmt: skip
    axes.add_patch(box)
    rows, cols = (_around(*place) for place in zip(found.seen, found.influence.shape, strict=True))
    axes.set(ylim=(rows[1] - 0.5, rows[0] - 0.5), xlim=(cols[0] - 0.5, cols[1] - 0.5))
    axes.set_title("influence of each pixel", color=INK, size=POINTS, loc="left")
    axes.tick_params(colors=INK, labelsize=POINTS - 2)
    axes.set_frame_on(False)
    bar = drawn.colorbar(picture, ax=axes, shrink=0.8, aspect=30, pad=0.01)
    bar.ax.tick_params(colors=INK, labelsize=POINTS - 2)
    bar.outline.set_visible(False)


def _around(seen: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the first and last pixel to show on an axis: what is seen, and a margin."""
    margin = round(_MARGIN * (seen[1] - seen[0] + 1))
    return max(0, seen[0] - margin), min(size, seen[1] + 1 + margin)


def _draw_profile(axes: Axes, found: EffectiveField) -> None:
    """Draw the influence along the row of the strongest pixel."""
    row = int(found.influence.max(axis=1).argmax())
    line = found.influence[row]
    cols = np.arange(len(line))
    axes.fill_between(cols, line, color=LINE, alpha=0.25, linewidth=0)
    axes.plot(cols, line, color=LINE, linewidth=2.2, label=f"row {row}")
    axes.axhline(THRESHOLD, color=_EDGE, linewidth=2, label="4.55 % of the largest")
    (first, last) = found.seen[1]
    for edge, label in ((first - 0.5, "theoretical field"), (last + 0.5, None)):
        axes.axvline(edge, color=INK, linewidth=1.5, linestyle="--", label=label)
    left, right = _around((first, last), len(line))
    axes.set(xlim=(min(left, first - 1), max(right, last + 1)), ylim=(0, 1.25))
    axes.set_title("and along its strongest row", color=INK, size=POINTS, loc="left")
    axes.set_xlabel("column of the image", size=POINTS - 1)
    in_page_colors(axes)
    axes.tick_params(labelsize=POINTS - 2)
    axes.legend(
        frameon=False, labelcolor=INK, fontsize=POINTS - 2, loc="upper center", ncols=3,
        columnspacing=1.2, handlelength=1.4,
    )  # fmt: skip
