"""The costs of several models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_convnets.analysis.cost.cost import COUNTS, Cost, counts
from keras_convnets.analysis.cost.parameters import on_statistics
from keras_convnets.analysis.cost.rules import CONVENTION
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table

_COLUMNS = (
    Column("model", "model"),
    Column("input_shape", "input"),
    Column("layers", "layers", is_number=True),
    *COUNTS,
    Column("weight_bytes", "bytes of weights", is_number=True),
    Column("activation_bytes", "bytes of activations", is_number=True),
)


class Comparison(OnlyTabled):
    """The costs of several models, one row per model.

    Attributes:
        costs: the [`Cost`][keras_convnets.analysis.cost.cost.Cost] of each model, in the given
            order.
    """

    def __init__(self, costs: Sequence[Cost]) -> None:
        self.costs = tuple(costs)

    def table(self) -> Table:
        """Return the table, with the counting convention."""
        uncounted = [
            f"{cost.model}: {', '.join(cost.uncounted)}" for cost in self.costs if cost.uncounted
        ]
        notes = [f"NOT COUNTED: layers that have no rule, of {'; of '.join(uncounted)}."]
        rows = tuple(_row(cost) for cost in self.costs)
        weights = on_statistics([(cost.model, cost.params, cost.statistics) for cost in self.costs])
        return Table(_COLUMNS, rows, (*weights, *(notes if uncounted else []), CONVENTION))

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data that JSON can represent."""
        models = [cost.to_dict("stage") for cost in self.costs]
        kept = ("model", "input_shapes", "total")
        return {
            "convention": CONVENTION,
            "models": [{key: model[key] for key in kept} for model in models],
        }


def _row(cost: Cost) -> tuple[Any, ...]:
    shapes = cost.input_shapes
    return (
        cost.model,
        shapes[0] if len(shapes) == 1 else f"{len(shapes)} inputs",
        len(cost.rows),
        *counts(cost),
        cost.weight_bytes,
        cost.activation_bytes,
    )
