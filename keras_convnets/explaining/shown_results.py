"""What results have in common: a figure, written to a file or shown by a notebook."""

from __future__ import annotations

import abc
import io
import os

from matplotlib.figure import Figure

from keras_convnets.analysis.drawing import any_letters, figure_file, write_themed
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
