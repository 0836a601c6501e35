"""The figure of gradient flow: three sizes by depth, a line for each model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_convnets.analysis.drawing import INK, in_page_colors
from keras_convnets.explaining.gradients.measured_flow import Flow
from keras_convnets.explaining.heading import LINE, OTHERS, POINTS, add_heading, slide
from keras_convnets.printable import cut_middle, printable

_PANELS = (
    ("gradient at the activations", 1),
    ("gradient at the weights", 2),
    ("activations", 0),
)
_COLORS = (LINE, *OTHERS)
_FAR = 20  # times the smallest
_STYLES = ("-", "--", ":", "-.")


def figure(models: Mapping[str, Flow], training: bool) -> Figure:
    """Return the figure of the flow of some models."""
    drawn = slide(height=5.2)
    panels = drawn.subplots(1, len(_PANELS))
    for axes, (title, which) in zip(panels, _PANELS, strict=True):
        for number, (name, flow) in enumerate(models.items()):
            sizes = [(block.depth, block.sizes[which]) for block in flow.blocks]
            points = [(depth, size) for depth, size in sizes if size]
            axes.plot(
                [depth for depth, _ in points],
                [size for _, size in points],
                color=_COLORS[number % len(_COLORS)],
                linestyle=_STYLES[number // len(_COLORS) % len(_STYLES)],
                linewidth=2.2,
                marker="o",
                markersize=4,
                label=cut_middle(printable(name), 40),
            )
        _scale(axes)
        axes.set_title(title, color=INK, size=POINTS, loc="left")
        axes.set_xlabel("depth, in layers with kernels", size=POINTS - 1)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        in_page_colors(axes)
        axes.tick_params(labelsize=POINTS - 2)
    legend = panels[0].legend(frameon=False, labelcolor=INK, fontsize=POINTS - 1)
    for text in legend.get_texts():
        text.set_parse_math(False)
    mode = "in training" if training else "in inference"
    add_heading(
        drawn, "Where the gradient goes", f"sizes at the end of each block, {mode}, from the input"
    )
    return drawn


def _scale(axes: Axes) -> None:
    """Let sizes that are far apart have a logarithmic axis, and others one that begins at 0."""
    sizes = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    if sizes.size and sizes.max() > _FAR * sizes.min():
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
