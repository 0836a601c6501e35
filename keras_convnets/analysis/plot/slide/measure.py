"""The sizes of boxes and texts, as Graphviz measures them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydot

from keras_convnets.analysis.plot import render
from keras_convnets.analysis.plot.style import FONT, escaped


def measured(
    nodes: Mapping[str, dict[str, Any]], defaults: Mapping[str, Any]
) -> dict[str, tuple[float, float]]:
    """Return the width and height, in points, of nodes with the given attributes."""
    dot = pydot.Dot("sizes")
    dot.set_node_defaults(**defaults)
    for name, style in nodes.items():
        dot.add_node(pydot.Node(name, **style))
    return render.sizes_of(dot, list(nodes))


def text(*lines: str) -> str:
    """Return plain text as a label, quoted for DOT."""
    return '"' + "\\n".join(map(escaped, lines)) + '"'


def text_style(label: str, size: float) -> dict[str, Any]:
    """Return the attributes of a node that is as large as its label."""
    return {
        "label": label, "fontsize": size,
        "fontname": FONT, "shape": "plaintext", "style": "solid", "margin": 0, "width": 0,
        "height": 0,
    }  # fmt: skip
