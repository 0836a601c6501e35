"""What a model costs: parameters, multiply-adds and activations, layer by layer."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis import rules
from keras_convnets.analysis.groups import Place, places
from keras_convnets.analysis.tables import Column, Table, sizes
from keras_convnets.analysis.walk import Call, elements, open_sizes, walk

BY = ("layer", "block", "stage")

_COLUMNS = (
    Column("name", "name"),
    Column("group", "group"),
    Column("kind", "kind"),
    Column("output_shape", "output"),
    Column("params", "parameters", is_number=True),
    Column("trainable_params", "trainable", is_number=True),
    Column("macs", "multiply-adds", is_number=True),
    Column("flops", "FLOPs", is_number=True),
    Column("activations", "activations", is_number=True),
)


@dataclasses.dataclass(frozen=True)
class CostRow:
    """What a layer costs, or a block or a stage, for one image.

    Attributes:
        name: of the layer (with the models around it: ``backbone/conv1``), block or stage.
        group: the block that a layer stands in; the stage of a block.
        kind: the class of a layer; how many layers a block or a stage has.
        output_shape: without the batch, channels first, whatever the data format.
        params: parameters; shared ones are counted where they are first used.
        trainable_params: those of them that training changes.
        macs: multiply-adds; ``None`` for a layer that has weights and no rule.
        elementwise: operations on single elements: ``normalisation``, ``activation``, ``pooling``,
            ``addition``.
        activations: elements of the outputs; an input has none.
        weight_bytes: size of the parameters in their own type.
        activation_bytes: size of the outputs in theirs.
        uncounted: the names of the layers whose multiply-adds are not known.
    """

    name: str
    group: str
    kind: str
    output_shape: tuple[int | None, ...]
    params: int
    trainable_params: int
    macs: int | None
    elementwise: dict[str, int]
    activations: int
    weight_bytes: int
    activation_bytes: int
    uncounted: tuple[str, ...] = ()

    @property
    def flops(self) -> int | None:
        """2 × multiply-adds + the elementwise operations; ``None`` if the former are not known."""
        return None if self.macs is None else 2 * self.macs + sum(self.elementwise.values())


class Cost:
    """What a model costs for one image; `rows` has its layers in the order of computation.

    Attributes:
        model: the model's name.
        input_shapes: the shapes of the inputs, channels first.
        rows: a [`CostRow`][keras_convnets.analysis.cost.CostRow] for each layer.
        params: the number of parameters; Keras' ``count_params()``, moving statistics included.
        trainable_params: those that training changes: what papers call the parameters.
        macs: multiply-adds of the layers that can be counted.
        flops: 2 × `macs` + the operations of `elementwise`.
        elementwise: these by kind: ``normalisation``, ``activation``, ``pooling``, ``addition``.
        activations: elements of all layers' outputs.
        weight_bytes: size of all parameters.
        activation_bytes: size of all layers' outputs.
        uncounted: the names of layers that have weights and no rule: they are missing in `macs`
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
        total = _sum("total", "", self.rows)
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
            _sum(name, self._stages.get(name, "") if by == "block" else "", rows)
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
                f"NOT COUNTED: the multiply-adds of {', '.join(self.uncounted)}: layers with "
                "weights and no rule. The totals are lower bounds."
            )
        return Table(
            _COLUMNS,
            tuple(_cells(row) for row in self.rolled_up(by)),
            (*notes, self.convention),
            ("total", "", f"{len(self.rows)} layers", None, *_cells(self._total)[4:]),
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
        rows = [_as_dict(row) for row in self.rolled_up(by)]
        shapes = [list(shape) for shape in self.input_shapes]
        total = _as_dict(self._total)
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
    seen: set[int] = set()
    rows = [*_rows(calls, placed, seen), *_rest(model, seen)]
    return Cost(model.name, inputs, rows, stages)


def check_sizes_are_known(calls: Iterable[Call]) -> None:
    """Refuse a model that leaves sizes open."""
    for call in calls:
        if any(None in tensor.shape for tensor in call.outputs):
            raise open_sizes(call)


def _rest(model: Any, seen: set[int]) -> Iterator[CostRow]:
    """Yield a row for weights that belong to no layer, as a subclass of ``Model`` may have."""
    weights = list(new_parameters(model, seen))
    if weights:
        name = f"{model.name} (weights of its own)"
        trainable = {id(weight) for weight in model.trainable_weights}
        yield CostRow(
            name=name,
            group=name,
            kind=type(model).__name__,
            output_shape=(),
            params=sum(size for size, _ in weights),
            trainable_params=sum(size for size, weight in weights if id(weight) in trainable),
            macs=None,
            elementwise=_summed([]),
            activations=0,
            weight_bytes=sum(size * item_size(weight.dtype) for size, weight in weights),
            activation_bytes=0,
            uncounted=(name,),
        )


def _rows(calls: Sequence[Call], placed: dict[Call, Place], seen: set[int]) -> Iterator[CostRow]:
    uses: dict[tuple[str, int], list[Call]] = {}
    for call in calls:
        uses.setdefault((call.name, id(call.layer)), []).append(call)
    for (name, _), same in uses.items():
        yield _row(name, same, placed[same[0]].block, seen)


def _row(name: str, uses: Sequence[Call], group: str, seen: set[int]) -> CostRow:
    layer = uses[0].layer
    weights = list(new_parameters(layer, seen))
    trainable = {id(weight) for weight in getattr(layer, "trainable_weights", [])}
    counts = [rules.multiply_adds(use) for use in uses]
    known = [count for count in counts if count is not None]
    outputs = [tensor for use in uses if not use.is_input for tensor in use.outputs]
    return CostRow(
        name=name,
        group=group,
        kind=uses[0].kind,
        output_shape=uses[-1].shape,
        params=sum(size for size, _ in weights),
        trainable_params=sum(size for size, weight in weights if id(weight) in trainable),
        macs=sum(known) if len(known) == len(counts) else None,
        elementwise=_summed(rules.elementwise(use) for use in uses),
        activations=sum(elements(tensor.shape) for tensor in outputs),
        weight_bytes=sum(size * item_size(weight.dtype) for size, weight in weights),
        activation_bytes=sum(elements(t.shape) * item_size(t.dtype) for t in outputs),
        uncounted=() if len(known) == len(counts) else (name,),
    )


def new_parameters(layer: Any, seen: set[int]) -> Iterator[tuple[int, Any]]:
    """Yield the weights of a layer with their sizes, but for those in ``seen``; add them there."""
    for weight in getattr(layer, "weights", []):
        if id(weight) not in seen:
            seen.add(id(weight))
            yield math.prod(weight.shape), weight


def item_size(dtype: Any) -> int:
    """Return the bytes of one element: 4 of float32, 2 of bfloat16, 1 of bool; 0 of a string."""
    bits = re.search(r"[0-9]+", str(dtype))
    return int(bits.group()) // 8 if bits else int("bool" in str(dtype))


def _sum(name: str, group: str, rows: Sequence[CostRow]) -> CostRow:
    return CostRow(
        name=name,
        group=group,
        kind=f"{len(rows)} layer{'s' * (len(rows) != 1)}",
        output_shape=rows[-1].output_shape,
        params=sum(row.params for row in rows),
        trainable_params=sum(row.trainable_params for row in rows),
        macs=sum(row.macs or 0 for row in rows),
        elementwise=_summed(row.elementwise for row in rows),
        activations=sum(row.activations for row in rows),
        weight_bytes=sum(row.weight_bytes for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        uncounted=tuple(name for row in rows for name in row.uncounted),
    )


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total = dict.fromkeys(rules.ITEMS, 0)
    for count in counts:
        for item, number in count.items():
            total[item] += number
    return total


def _cells(row: CostRow) -> tuple[Any, ...]:
    macs, flops = (or_bound(count, row.uncounted) for count in (row.macs, row.flops))
    head = (row.name, row.group, row.kind, row.output_shape)
    return (*head, row.params, row.trainable_params, macs, flops, row.activations)


def or_bound(count: int | None, uncounted: tuple[str, ...]) -> int | str:
    """Say that a count is missing, or a lower bound, rather than show it as if it were whole."""
    if count is None:
        return "uncounted"
    return f"≥ {count:,}" if uncounted else count


def _as_dict(row: CostRow) -> dict[str, Any]:
    values = dataclasses.asdict(row) | {"flops": row.flops}
    values["output_shape"] = list(row.output_shape)
    values["uncounted"] = list(row.uncounted)
    return values
