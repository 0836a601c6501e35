"""Scaling of a figure that Graphviz has laid out, to a page of a given size."""

from __future__ import annotations

import re

import pydot

from keras_convnets.analysis.plot import render

_PAD = 14.4  # Graphviz' points around a figure whose ``pad`` is 0.2 inches
_LARGEST = 1.6  # the largest scale of a figure, so that a small one is not shown with huge type


def scaled(drawing: pydot.Dot, size: tuple[float, float]) -> float:
    """Scale a figure to a page of a size in inches; return its smallest type there, in points."""
    drawn = render.svg(drawing)
    found = re.search(r'width="([0-9]+)pt" height="([0-9]+)pt"', drawn)
    assert found is not None
    sides = [float(side) for side in found.groups()]
    scale = min(_LARGEST, *(72 * on / side for on, side in zip(size, sides, strict=True)))
    pads = [(on / scale - (side - 2 * _PAD) / 72) / 2 for on, side in zip(size, sides, strict=True)]
    drawing.set("pad", ",".join(f"{pad:.4f}" for pad in pads))
    drawing.set("size", ",".join(f"{side:.5f}" for side in size) + "!")
    types = re.findall(r'font-size="([0-9.]+)"', drawn)
    return scale * min(map(float, types))
