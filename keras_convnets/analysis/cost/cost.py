"""The cost of a model: parameters, multiply-adds and activations, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.parameters import on_statistics
from keras_convnets.analysis.cost.rows import CostRow, as_dict, rows_of, sum_of
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table, sizes
from keras_convnets.graph.calls import Call
from keras_convnets.graph.groups import places
from keras_convnets.graph.input_shapes import open_sizes
from keras_convnets.graph.walk import walk
from keras_convnets.typed import explaining

BY = ("layer", "block", "stage")

# The columns of counts in every cost table; `counts` returns their values.
COUNTS = (
    Column("params", "parameters", is_number=True),
    Column("macs", "multiply-adds", is_number=True),
    Column("flops", "FLOPs", is_number=True),
    Column("activations", "activations", is_number=True),
)
_COLUMNS = (
    Column("name", "name"),
    Column("group", "group"),
    Column("kind", "kind"),
    Column("output_shape", "output"),
    *COUNTS,
)


class Cost(OnlyTabled):
    """The cost of a model for one image, in total and per layer in the order of computation.

    Attributes:
        model: the model's name.
        input_shapes: the shapes of the inputs, channels first.
        rows: a [`CostRow`][keras_convnets.analysis.cost.rows.CostRow] for each layer.
        params: the number of parameters as in papers and PyTorch: the weights that training
            changes, those of frozen layers included.
        trainable_params: the number of parameters that are not frozen.
        statistics: the number of weights that are no parameters: those of normalisations. Keras'
            ``count_params()`` is ``params + statistics``.
        macs: the multiply-adds of the layers that can be counted.
        flops: 2 × `macs` + the operations in `elementwise`.
        elementwise: the elementwise operations by kind: ``normalisation``, ``activation``,
            ``pooling``, ``addition``.
        activations: the number of elements in the outputs of all layers.
        weight_bytes: the size of all weights in bytes.
        activation_bytes: the size of the outputs of all layers in bytes.
        uncounted: the names of the layers without a rule, which `macs` and `flops` do not include.
        convention: a description of the counting convention.
    """

    convention = rules.CONVENTION

    def __init__(
        self,
        model: str,
        input_shapes: Sequence[tuple[Any, ...]],
        rows: Sequence[CostRow],
        stages: dict[str, str],
    ) -> None:
        self.model = model
        self.input_shapes = tuple(input_shapes)
        self.rows = tuple(rows)
        self._stages = stages
        total = sum_of("total", "", self.rows)
        self.params, self.trainable_params = total.params, total.trainable_params
        self.statistics = total.statistics
        self.macs, self.elementwise = total.macs or 0, total.elementwise
        self.flops = total.flops or 0
        self.activations = total.activations
        self.weight_bytes, self.activation_bytes = total.weight_bytes, total.activation_bytes
        self.uncounted = total.uncounted
        self._total = total

    def rolled_up(self, by: str = "layer") -> tuple[CostRow, ...]:
        """Return the rows by ``"layer"``, ``"block"`` or ``"stage"``.

        A block without a stage counts as a stage of its own.
        """
        checks.choice("by", by, BY)
        if by == "layer":
            return self.rows
        collected: dict[str, list[CostRow]] = {}
        for row in self.rows:
            stage = self._stages.get(row.group, row.group)
            collected.setdefault(row.group if by == "block" else stage, []).append(row)
        return tuple(
            sum_of(name, self._stages.get(name, "") if by == "block" else "", rows)
            for name, rows in collected.items()
        )

    def table(self, by: str = "layer") -> Table:
        """Return the rows as a table, with totals and the counting convention."""
        notes = [
            f"{self.model}: input {', '.join(map(sizes, self.input_shapes))}.",
            *on_statistics([("", self.params, self.statistics)]),
            self._details(),
        ]
        if self.uncounted:
            notes.append(
                f"NOT COUNTED: the multiply-adds of {', '.join(self.uncounted)}: layers "
                "that have no rule. The totals are lower bounds."
            )
        return Table(
            _COLUMNS,
            tuple(
                (row.name, row.group, row.kind, row.output_shape, *counts(row))
                for row in self.rolled_up(by)
            ),
            (*notes, self.convention),
            ("total", "", f"{len(self.rows)} layers", None, *counts(self)),
        )

    def to_text(self, by: str = "layer") -> str:
        """Return a table for a console."""
        return self.table(by).to_text()

    def to_markdown(self, by: str = "layer") -> str:
        """Return a table in Markdown."""
        return self.table(by).to_markdown()

    def to_csv(self, by: str = "layer") -> str:
        """Return the rows as CSV; the convention comes first, in lines with ``#``."""
        return self.table(by).to_csv()

    def to_dict(self, by: str = "layer") -> dict[str, Any]:
        """Return the cost as plain data that JSON can represent."""
        rows = [as_dict(row) for row in self.rolled_up(by)]
        shapes = [list(shape) for shape in self.input_shapes]
        total = as_dict(self._total)
        for key in ("name", "group", "kind", "output_shape"):
            del total[key]
        head = {"model": self.model, "input_shapes": shapes, "convention": self.convention}
        return {**head, "total": total, "by": by, "rows": rows}

    def __repr__(self) -> str:
        return f"<Cost of {self.model}: {self.params:,} parameters, {self.macs:,} multiply-adds>"

    def _details(self) -> str:
        items = " + ".join(f"{count:,} {name}" for name, count in self.elementwise.items() if count)
        return (
            f"FLOPs: 2 × {self.macs:,} multiply-adds{f' + {items}' if items else ''}. "
            f"Bytes: {self.weight_bytes:,} of weights, {self.activation_bytes:,} of activations."
        )


@explaining
def cost(model: Any, input_shape: Any = None) -> Cost:
    """Return the cost of any functional Keras model for one image.

    Multiply-adds are counted for convolutions (including grouped, depthwise, separable, transposed
    and dilated ones) and for dense layers. FLOPs are 2 × multiply-adds + one per output element for
    normalisation, activation and pooling, and for each addition of tensors. Biases are not counted.
    In a transposed convolution, each input element is multiplied with the whole kernel window. The
    cost depends only on shapes, so it is the same on every backend and in both data formats. Nested
    models are counted layer by layer. A layer that is used several times has one row for all its
    uses, in the block of the first use.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        input_shape: ``(channels, rows, cols)``, whatever the data format. It is required if the
            model has unknown sizes, and optional if the model accepts other sizes. A list of
            shapes for a model with several inputs.

    Raises:
        ValueError: if the model is not functional, has unknown sizes or does not accept the shape.

    Examples:
        >>> from keras_convnets import cost, create_model
        >>> found = cost(create_model("resnet_18", (3, 64, 64), 10))
        >>> found.macs
        148050944
        >>> [(row.name, row.macs) for row in found.rolled_up(by="stage")][1]
        ('conv1', 9633792)
    """
    calls = walk(model, input_shape)
    check_sizes_are_known(calls)
    placed = places(calls, model.name)
    stages = {place.block: place.stage for place in placed.values() if place.stage}
    inputs = [call.shape for call in calls if call.is_input]
    return Cost(model.name, inputs, rows_of(model, calls, placed), stages)


def check_sizes_are_known(calls: Sequence[Call]) -> None:
    """Reject a model with unknown sizes: those of an input, or those of a layer for any input."""
    for call in calls:
        if any(None in tensor.shape for tensor in (*call.inputs, *call.outputs)):
            raise open_sizes(call) if call.is_input else _sizes_of_data(call)
        check_sizes_are_known(call.within)


def _sizes_of_data(call: Call) -> ValueError:
    shapes = ", ".join(sizes(tensor.in_papers_order) for tensor in call.outputs)
    return ValueError(
        f"model: layer {call.name!r} ({call.kind}) has sizes that only its data decide: {shapes}; "
        "expected known sizes, which a cost is computed from. Pass the part of the model before "
        "it, or give the layer a compute_output_shape that returns them."
    )


def counts(found: Cost | CostRow) -> tuple[Any, ...]:
    """Return the values of the columns `COUNTS` for a layer, block, stage or model."""
    macs, flops = (_or_bound(count, found.uncounted) for count in (found.macs, found.flops))
    return found.params, macs, flops, found.activations


def _or_bound(count: int | None, uncounted: tuple[str, ...]) -> int | str:
    """Return a count, marked if it is missing or only a lower bound."""
    if count is None:
        return "uncounted"
    return f"≥ {count:,}" if uncounted else count
