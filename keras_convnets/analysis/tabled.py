"""What results with a table have in common: its formats, and how a notebook shows it."""

from __future__ import annotations

import abc
from typing import Any

from keras_convnets.analysis.tables import Table


class Tabled(abc.ABC):
    """A result that has a table; printed, or at a prompt, it is this table."""

    @abc.abstractmethod
    def table(self) -> Table:
        """Return the table."""

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return str(self)

    def to_text(self) -> str:
        """Return the table for a console."""
        return self.table().to_text()

    def to_markdown(self) -> str:
        """Return the table in Markdown."""
        return self.table().to_markdown()

    def to_csv(self) -> str:
        """Return the table as CSV; its notes come first, in lines with ``#``."""
        return self.table().to_csv()

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data that JSON can represent."""
        return self.table().to_dict()


class OnlyTabled(Tabled):
    """A result that a notebook shows as its table. Others have a figure, which says more."""

    def _repr_markdown_(self) -> str:
        return self.to_markdown()
