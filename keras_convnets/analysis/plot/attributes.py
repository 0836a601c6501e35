"""The Graphviz attributes of nodes, lines, shortcuts and frames, however they are laid out."""

from __future__ import annotations

from typing import Any

from keras_convnets.analysis.plot import labels
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.style import (
    COLOURS,
    FONT,
    FRAME,
    IDENTITY,
    PROJECTION,
    css_class,
    quoted,
)
from keras_convnets.graph.branches import Body
from keras_convnets.graph.structure import shortcut_kind


def of_figure(name: str, heading: str, look: Look) -> dict[str, Any]:
    """Return the attributes of a figure."""
    style = {"graph_name": quoted(name), "rankdir": look.rankdir, "fontname": FONT}
    style |= {"label": f"<{heading}>" if heading else quoted("")}
    return style | ({"bgcolor": "transparent"} if look.transparent else {})


def of_nodes(look: Look) -> dict[str, Any]:
    """Return the attributes of all nodes."""
    return {
        "fontname": FONT, "fontsize": look.type_size, "height": 0.3,
        "margin": "0.08,0.03" if look.tight else "0.18,0.05",
        "shape": "box", "style": "rounded,filled",
    }  # fmt: skip


def of_lines(look: Look) -> dict[str, Any]:
    """Return the attributes of all lines."""
    return {
        "fontname": FONT, "fontsize": line_type(look), "fontcolor": look.grey, "color": look.line,
        "arrowsize": 0.6,
    }  # fmt: skip


def line_type(look: Look) -> int:
    """Return the size of the type of labels of lines."""
    return 9 if look.tight else 10


def of_node(node: str, label: str, kind: str, says: str) -> dict[str, Any]:
    """Return the attributes of the box of something of a kind; ``says`` is its tooltip."""
    colour = COLOURS[kind]
    return {
        "fillcolor": colour.fill, "color": colour.border, "class": css_class(kind), "id": node,
        "tooltip": quoted(says), "label": f"<{label}>",
    }  # fmt: skip


def of_shortcut(content: Body) -> dict[str, Any]:
    """Return the attributes of a shortcut: solid for an identity, otherwise dashed and labelled."""
    kind = shortcut_kind(content)
    colour = PROJECTION if kind == "projection" else IDENTITY
    # A resized identity also has the CSS class of an identity.
    style: dict[str, Any] = {"class": "projection" if kind == "projection" else "identity"}
    style |= {"color": colour, "penwidth": 1.4}
    if content:
        style |= {"style": "dashed", "label": labels.line_of(content), "fontcolor": colour}
    return style


def of_frame(name: str, look: Look, *, size: int = 12) -> dict[str, Any]:
    """Return the attributes of a frame."""
    return {
        "label": quoted(name), "labeljust": "l", "labelloc": "t", "fontname": FONT,
        "fontsize": size, "fontcolor": look.grey, "color": FRAME, "style": "rounded",
        "peripheries": 1, "class": "frame",
    }  # fmt: skip
