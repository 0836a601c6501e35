"""What folding did to each batch normalisation of a model, and why not more."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.printable import printable
from keras_convnets.typed import typed

_REPORT = "_keras_convnets_fold_report"
_MOST = 3  # names of layers in a row
_COLUMNS = (
    Column("layers", "layers", is_number=True),
    Column("became", "what became of them"),
    Column("names", "which"),
)


@dataclasses.dataclass(frozen=True)
class FoldRow:
    """A batch normalisation, and what became of it.

    Attributes:
        layer: its name, after those of the models that contain it: ``backbone/conv1_bn``.
        into: the name of the layer that it was folded into; ``None`` if it was not folded.
        side: ``"before"`` if that layer comes before it, else ``"after"``; ``None`` likewise.
        reason: why it was not folded; ``None`` if it was.
    """

    layer: str
    into: str | None = None
    side: str | None = None
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class FoldReport:
    """What [`fold`][keras_convnets.fold] did. Printed, it is a table.

    Attributes:
        model: the name of the model.
        rows: each of its batch normalisations, in the order of computation.
    """

    model: str
    rows: tuple[FoldRow, ...]

    @property
    def folded(self) -> int:
        """The number of batch normalisations that were folded."""
        return sum(row.into is not None for row in self.rows)

    @property
    def kept(self) -> tuple[FoldRow, ...]:
        """The batch normalisations that were not folded."""
        return tuple(row for row in self.rows if row.into is None)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data that JSON can represent."""
        plain = dataclasses.asdict(self)
        return plain | {"rows": list(plain["rows"]), "folded": self.folded, "all": len(self.rows)}

    def summary(self) -> str:
        """Return how many were folded, in a line.

        Examples:
            >>> FoldReport("small", (FoldRow("bn", "conv", "before"),)).summary()
            'small: 1 of 1 batch normalisations folded'
        """
        return printable(
            f"{self.model}: {self.folded:,} of {len(self.rows):,} batch normalisations folded"
        )

    def to_text(self, width: int | None = None) -> str:
        """Return the counts and, by what became of them, the layers.

        Args:
            width: the columns of the console; by default, there is no limit.
        """
        if not self.rows:
            return self.summary()
        return f"{self.summary()}\n\n{self._table().to_text(width)}"

    def __str__(self) -> str:
        return self.to_text()

    def _table(self) -> Table:
        names: dict[str, list[str]] = {}
        for row in sorted(self.rows, key=lambda row: row.into is None):
            became = (
                f"kept: {row.reason}"
                if row.side is None
                else f"folded into the layer {row.side} it"
            )
            names.setdefault(became, []).append(row.layer)
        rows = tuple((len(found), became, _few(found)) for became, found in names.items())
        return Table(_COLUMNS, rows)


@typed
def fold_report_of(model: keras.Model) -> FoldReport | None:
    """Return what [`fold`][keras_convnets.fold] did to make a model; ``None`` if it did not.

    Examples:
        >>> from keras_convnets import create_model, fold, fold_report_of
        >>> print(fold_report_of(fold(create_model("lenet_5"))))
        lenet_5: 0 of 0 batch normalisations folded
    """
    return getattr(model, _REPORT, None)


def remember(model: keras.Model, report: FoldReport) -> None:
    """Let a folded model know what was folded."""
    object.__setattr__(model, _REPORT, report)  # Keras would track what is in it


def _few(names: list[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more:,} more" if more > 0 else "")
