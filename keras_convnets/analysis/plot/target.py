"""The file that a figure is written to, and the figure that a notebook shows."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydot

from keras_convnets import checks, files
from keras_convnets.analysis.plot import render
from keras_convnets.analysis.plot.figure import figure
from keras_convnets.analysis.plot.graph.graph import Graph
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.webpage import webpage

FORMATS = ("svg", "png", "pdf", "dot", "html")


class Figure:
    """A figure that has been written to a file. As the result of a notebook cell it is displayed.

    Attributes:
        path: the path of the file.
    """

    def __init__(self, path: Path, drawing: pydot.Dot) -> None:
        self.path = path
        self._drawing = drawing

    def __repr__(self) -> str:
        return f"Figure({str(self.path)!r})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return the display data for a notebook: the file, or the figure if it is not an image."""
        if not self.path.exists():
            return {"image/svg+xml": render.svg(self._drawing)}
        if self.path.suffix.lower() == ".png":
            return {"image/png": base64.b64encode(self.path.read_bytes()).decode("ascii")}
        if self.path.suffix.lower() == ".html":
            page = html.escape(self.path.read_text(encoding="utf-8"))
            frame = f'<iframe srcdoc="{page}" width="100%" height="700"></iframe>'
            return {"text/html": frame}
        return {"image/svg+xml": render.svg(self._drawing)}


class Target:
    """The file to write, whose suffix sets the format, and the resolution of a png."""

    def __init__(
        self,
        to_file: str | os.PathLike[str],
        dpi: int,
        formats: Sequence[str] = FORMATS,
    ) -> None:
        if not isinstance(to_file, str | os.PathLike):
            raise ValueError(
                f"to_file: received {to_file!r}; expected a path, such as 'model.svg'."
            )
        self._path = Path(to_file)
        extension = self._path.suffix.lstrip(".").lower()
        self._format = checks.choice("file extension", extension, formats)
        self._dpi = checks.positive_integer("dpi", dpi, "dots per inch, such as 120")

    def drawn(self, graph: Graph, detail: str, look: Look) -> Figure:
        """Write the figure of a graph, and return it."""
        drawing = figure(graph, detail, look)
        with files.replacing(self._path) as path:
            if self._format == "html":
                page = webpage(graph, detail, render.svg(drawing))
                path.write_text(page, encoding="utf-8")
            else:
                render.write(drawing, path, self._format, self._dpi)
        return Figure(self._path, drawing)

    def written(self, drawing: pydot.Dot) -> Figure:
        """Write a figure that is no page, and return it."""
        with files.replacing(self._path) as path:
            render.write(drawing, path, self._format, self._dpi)
        return Figure(self._path, drawing)
