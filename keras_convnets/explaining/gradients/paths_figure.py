"""The figure of the paths of a residual network by their length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from keras_convnets.analysis.drawing import INK, in_page_colors
from keras_convnets.explaining.heading import LINE, OTHERS, POINTS, add_heading, slide

if TYPE_CHECKING:
    from keras_convnets.explaining.gradients.path_lengths import PathLengths


def figure(found: PathLengths) -> Figure:
    """Return the figure: how many paths there are, what one carries, and what all carry."""
    drawn = slide(height=4.9)
    many, one, together = drawn.subplots(1, 3)
    many.bar(found.lengths, found.share_of_paths, color=LINE, width=0.86)
    _mark(many, found.mean_length, INK)
    one.plot(found.lengths, found.gradients, ".", color=LINE, alpha=0.25, markersize=4)
    one.plot(found.lengths, found.gradient_of_a_path, color=LINE, linewidth=2.5)
    if found.gradients.min() > 0:
        one.set_yscale("log")
    together.bar(found.lengths, found.share_of_gradient, color=OTHERS[0], width=0.86)
    _mark(together, found.effective_length, INK)
    for axes, title in (
        (many, "how many: the share of all paths"),
        (one, "what one of them carries: its gradient"),
        (together, "what they carry: the share of all gradient"),
    ):
        axes.set_title(title, color=INK, size=POINTS, loc="left")
        axes.set_xlabel("residual branches on the path", size=POINTS - 1)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        in_page_colors(axes)
        axes.grid(visible=False, axis="x")
        axes.tick_params(labelsize=POINTS - 2)
    for axes in (many, together):
        axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    n = len(found.blocks)
    add_heading(
        drawn,
        f"{found.model}: {n} residual blocks, {_count(n)} paths",
        f"paths go through {found.mean_length:.3g} branches in the mean; the gradient goes "
        f"through {found.effective_length:.3g}",
    )
    return drawn


def _mark(axes: Axes, length: float, color: str) -> None:
    axes.axvline(length, color=color, linewidth=1.5, linestyle="--")
    axes.annotate(
        f"mean {length:.3g}", (length, 1), (5, -13), xycoords=axes.get_xaxis_transform(),
        textcoords="offset points", color=color, size=POINTS - 2,
    )  # fmt: skip


def _count(blocks: int) -> str:
    return f"{2**blocks:,}" if blocks < 24 else f"2 to the power of {blocks}"
