"""What a model costs: parameters, multiply-adds and activations, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.rows import CostRow, as_dict, rows_of, sum_of
from keras_convnets.analysis.tables import Column, Table, sizes
from keras_convnets.graph.calls import Call
from keras_convnets.graph.groups import places
from keras_convnets.graph.input_shapes import open_sizes
from keras_convnets.graph.walk import walk

BY = ("layer", "block", "stage")

# The columns of counts in every cost table; `counts` fills them.
COUNTS = (
    Column("params", "parameters", is_number=True),
    Column("trainable_params", "trainable", is_number=True),
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


class Cost:
    """What a model costs for one image; `rows` has its layers in the order of computation.

    Attributes:
        model: the model's name.
        input_shapes: the shapes of the inputs, channels first.
        rows: a [`CostRow`][keras_convnets.analysis.cost.rows.CostRow] for each layer.
        params: the number of parameters; Keras' ``count_params()``, moving statistics included.
        trainable_params: those that training changes: what papers call the parameters.
        macs: multiply-adds of the layers that can be counted.
        flops: 2 × `macs` + the operations of `elementwise`.
        elementwise: these by kind: ``normalisation``, ``activation``, ``pooling``, ``addition``.
        activations: elements of all layers' outputs.
        weight_bytes: size of all parameters.
        activation_bytes: size of all layers' outputs.
        uncounted: the names of layers that have no rule: they are missing in `macs`
            and `flops`.
        convention: what the numbers mean, in words.
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
        self.macs, self.elementwise = total.macs or 0, total.elementwise
        self.flops = total.flops or 0
        self.activations = total.activations
        self.weight_bytes, self.activation_bytes = total.weight_bytes, total.activation_bytes
        self.uncounted = total.uncounted
        self._total = total

    def rolled_up(self, by: str = "layer") -> tuple[CostRow, ...]:
        """Return the rows by ``"layer"``, ``"block"`` or ``"stage"``.

        A block that belongs to no stage is a stage by itself.
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
        """Return the rows as a table, with the totals and what the numbers mean."""
        notes = [
            f"{self.model}: input {', '.join(map(sizes, self.input_shapes))}.",
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
        """Return the rows as CSV, after lines with the convention that begin with ``#``."""
        return self.table(by).to_csv()

    def to_dict(self, by: str = "layer") -> dict[str, Any]:
        """Return everything as dictionaries, lists, strings and numbers, as JSON can hold them."""
        rows = [as_dict(row) for row in self.rolled_up(by)]
        shapes = [list(shape) for shape in self.input_shapes]
        total = as_dict(self._total)
        for key in ("name", "group", "kind", "output_shape"):
            del total[key]
        head = {"model": self.model, "input_shapes": shapes, "convention": self.convention}
        return {**head, "total": total, "by": by, "rows": rows}

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Cost of {self.model}: {self.params:,} parameters, {self.macs:,} multiply-adds>"

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _details(self) -> str:
        items = " + ".join(f"{count:,} {name}" for name, count in self.elementwise.items() if count)
        return (
            f"FLOPs: 2 × {self.macs:,} multiply-adds{f' + {items}' if items else ''}. "
            f"Bytes: {self.weight_bytes:,} of weights, {self.activation_bytes:,} of activations."
        )


def cost(model: Any, input_shape: Any = None) -> Cost:
    """Return what a functional model costs for one image: ours, keras.applications', anyone's.

    Multiply-adds count convolutions (grouped, depthwise, separable, transposed and dilated ones
    too) and dense layers; FLOPs are 2 × multiply-adds + one per output element for normalisation,
    activation and pooling, and for each addition of tensors. Biases are not counted. A transposed
    convolution multiplies each element of its input into a whole window. Only shapes are read,
    so the cost is the same on every backend and in both data formats. Models within the model
    are walked. A layer that is used several times is one row, with all its uses, in the block of
    its first.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``.
        input_shape: ``(channels, rows, cols)``, whatever the data format; needed where the model
            leaves sizes open, possible wherever it can take another size. A list of shapes for
            a model with several inputs.

    Raises:
        ValueError: not a functional model; sizes left open; a shape that the model cannot take.

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


def check_sizes_are_known(calls: Iterable[Call]) -> None:
    """Refuse a model that leaves sizes open."""
    for call in calls:
        if any(None in tensor.shape for tensor in call.outputs):
            raise open_sizes(call)


def counts(found: Cost | CostRow) -> tuple[Any, ...]:
    """Return what the columns of `COUNTS` say of a layer, a block, a stage or a model."""
    macs, flops = (_or_bound(count, found.uncounted) for count in (found.macs, found.flops))
    return found.params, found.trainable_params, macs, flops, found.activations


def _or_bound(count: int | None, uncounted: tuple[str, ...]) -> int | str:
    """Say that a count is missing, or a lower bound, rather than show it as if it were whole."""
    if count is None:
        return "uncounted"
    return f"≥ {count:,}" if uncounted else count
