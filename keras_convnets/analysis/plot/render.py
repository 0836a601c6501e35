"""Rendering of figures to files, in-process, by the Graphviz that pygraphviz includes."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable
from pathlib import Path

import pydot
import pygraphviz

# The renderer scales larger images down, and its warning about that is not visible.
_MOST_PIXELS_A_SIDE = 32_767


def svg(drawing: pydot.Dot) -> str:
    """Return a figure as SVG."""
    drawing.set("dpi", 72)
    return _with_titles(_drawn(drawing, "svg").decode("utf-8"))


def _with_titles(drawn: str) -> str:
    """Title nodes with their tooltips instead of their ids, and remove all other titles."""
    node = r'(class="node[^>]*>\n)<title>[^<]*</title>\n(<g id="a_[^>]*><a xlink:title="([^"]*)")'
    drawn = re.sub(node, r"\1<title>\3</title>\n\2", drawn)
    return re.sub(r'(class="(?:edge|cluster)[^>]*>\n)<title>[^<]*</title>\n', r"\1", drawn)


def write(drawing: pydot.Dot, path: Path, file_format: str, dpi: int) -> None:
    """Write a figure as ``"svg"``, ``"png"``, ``"pdf"`` or ``"dot"``.

    Raises:
        ValueError: if the image would have more pixels than the renderer supports.
    """
    if file_format == "dot":
        path.write_text(drawing.to_string(), encoding="utf-8")
    elif file_format == "svg":
        path.write_text(svg(drawing), encoding="utf-8")
    else:
        if file_format == "png":
            _check_pixels(drawing, dpi)
        drawing.set("dpi", dpi if file_format == "png" else 72)
        path.write_bytes(_drawn(drawing, file_format))


def _check_pixels(drawing: pydot.Dot, dpi: int) -> None:
    size = re.search(r'width="([0-9]+)pt" height="([0-9]+)pt"', svg(drawing))
    assert size is not None
    width, height = (round(int(points) / 72 * dpi) for points in size.groups())
    if max(width, height) > _MOST_PIXELS_A_SIDE:
        raise ValueError(
            f"to_file: the png would be {width:,} x {height:,} pixels; expected at most "
            f"{_MOST_PIXELS_A_SIDE:,} a side. Draw an svg or a pdf, less detail (detail='block'), "
            f"or with a dpi below {dpi * _MOST_PIXELS_A_SIDE // max(width, height)}."
        )


def _drawn(drawing: pydot.Dot, file_format: str) -> bytes:
    # pygraphviz warns about graphs with over 1,000 nodes on standard error; they take only seconds.
    with contextlib.redirect_stderr(io.StringIO()):
        graph = pygraphviz.AGraph(drawing.to_string())
        return graph.draw(format=file_format, prog=drawing.get("layout") or "dot")


def sizes_of(drawing: pydot.Dot, names: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return the width and height of nodes, in points, as Graphviz makes them for their labels."""
    graph = pygraphviz.AGraph(drawing.to_string())
    graph.layout(prog="dot")
    found = {name: graph.get_node(name).attr for name in names}
    return {
        name: (72 * float(node["width"]), 72 * float(node["height"]))
        for name, node in found.items()
    }
