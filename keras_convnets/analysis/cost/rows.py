"""What each layer costs: the rows that a cost table is made of, and their sums."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.parameters import item_size, new_parameters
from keras_convnets.graph.calls import Call
from keras_convnets.graph.groups import Place


@dataclasses.dataclass(frozen=True)
class CostRow:
    """What a layer costs, or a block or a stage, for one image.

    Attributes:
        name: of the layer (with the models around it: ``backbone/conv1``), block or stage.
        group: the block of a layer; the stage of a block.
        kind: the class of a layer; how many layers a block or a stage has.
        output_shape: without the batch, channels first, whatever the data format.
        params: parameters; shared ones are counted where they are first used.
        trainable_params: those of them that training changes.
        macs: multiply-adds; ``None`` for a layer that has no rule.
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


def rows_of(model: Any, calls: Sequence[Call], placed: dict[Call, Place]) -> list[CostRow]:
    """Return a row for each layer of a model, and one for weights that are of no layer."""
    seen: set[int] = set()
    return [*_rows(calls, placed, seen), *_rest(model, seen)]


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
        activations=sum(tensor.elements for tensor in outputs),
        weight_bytes=sum(size * item_size(weight.dtype) for size, weight in weights),
        activation_bytes=sum(t.elements * item_size(t.dtype) for t in outputs),
        uncounted=() if len(known) == len(counts) else (name,),
    )


def sum_of(name: str, group: str, rows: Sequence[CostRow]) -> CostRow:
    """Return rows as one, which has the last one's shape."""
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


def as_dict(row: CostRow) -> dict[str, Any]:
    """Return a row as plain data."""
    values = dataclasses.asdict(row) | {"flops": row.flops}
    values["output_shape"] = list(row.output_shape)
    values["uncounted"] = list(row.uncounted)
    return values
