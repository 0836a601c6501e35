"""What results have in common: a figure, written to a file or shown by a notebook, and a table."""

from __future__ import annotations

import abc
import io
import os
from typing import Any

from matplotlib.figure import Figure

from keras_convnets.analysis.drawing import any_letters, figure_file, write_themed
from keras_convnets.analysis.tables import Table
from keras_convnets.typed import typed


class Drawn(abc.ABC):
    """A result that has a figure; a notebook shows it."""

    @abc.abstractmethod
    def figure(self) -> Figure:
        """Return the figure, as Matplotlib's."""

    @typed
    def plot(self, to_file: str | os.PathLike[str]) -> None:
        """Draw the figure to a file. An SVG follows the light or dark theme of its page.

        Args:
            to_file: the file to write: .svg, .png or .pdf.

        Raises:
            ValueError: the format is another one, or the file cannot be written.
        """
        file = figure_file(to_file)
        write_themed(self.figure(), file)

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        with any_letters():
            self.figure().savefig(out, format="png", dpi=110)
        return out.getvalue()


class Tabled(abc.ABC):
    """A result that has a table; printed, it is this table."""

    @abc.abstractmethod
    def table(self) -> Table:
        """Return the table."""

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return the table for a console."""
        return self.table().to_text()

    def to_markdown(self) -> str:
        """Return the table in Markdown."""
        return self.table().to_markdown()

    def to_csv(self) -> str:
        """Return the table as CSV."""
        return self.table().to_csv()

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data that JSON can represent."""
        return self.table().to_dict()
