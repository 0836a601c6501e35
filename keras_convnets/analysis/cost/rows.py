"""The cost of each layer: the rows of a cost table, and their sums."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.parameters import counted, item_size, new_weights
from keras_convnets.graph.block_names import Place
from keras_convnets.graph.calls import Call


@dataclasses.dataclass(frozen=True)
class CostRow:
    """The cost of a layer, block or stage for one image.

    Attributes:
        name: the name of the layer (after those of enclosing models: ``backbone/conv1``), block or
            stage.
        group: the block of a layer; the stage of a block.
        kind: the class of a layer; the number of layers in a block or stage.
        output_shape: the output shape without the batch, channels first, whatever the data format.
        params: the number of parameters, of frozen layers too; shared ones are counted at their
            first use.
        trainable_params: the number of parameters that are not frozen.
        macs: the multiply-adds; ``None`` for a layer without a rule.
        elementwise: the elementwise operations by kind: ``normalisation``, ``activation``,
            ``pooling``, ``addition``.
        activations: the number of elements in the outputs; 0 for an input.
        weight_bytes: the size of all weights in bytes, by their data types.
        activation_bytes: the size of the outputs in bytes, by their data types.
        uncounted: the names of the layers whose multiply-adds are unknown.
        statistics: the number of weights that are no parameters: those of normalisations.
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
    statistics: int = 0

    @property
    def flops(self) -> int | None:
        """2 × multiply-adds + elementwise operations; ``None`` if the former are unknown."""
        return None if self.macs is None else 2 * self.macs + sum(self.elementwise.values())


def rows_of(model: Any, calls: Sequence[Call], placed: dict[Call, Place]) -> list[CostRow]:
    """Return a row for each layer of a model, and one for weights that belong to no layer."""
    seen: set[int] = set()
    return [*_rows(calls, placed, seen), *_rest(model, seen)]


def _rest(model: Any, seen: set[int]) -> Iterator[CostRow]:
    """Yield a row for weights outside any layer, which a subclass of ``Model`` may have."""
    weights = new_weights(model, seen)
    if weights:
        name = f"{model.name} (weights of its own)"
        yield CostRow(
            name=name,
            group=name,
            kind=type(model).__name__,
            output_shape=(),
            macs=None,
            elementwise=_summed([]),
            activations=0,
            activation_bytes=0,
            uncounted=(name,),
            **counted(weights),
        )


def _rows(calls: Sequence[Call], placed: dict[Call, Place], seen: set[int]) -> Iterator[CostRow]:
    uses: dict[tuple[str, int], list[Call]] = {}
    for call in calls:
        uses.setdefault((call.name, id(call.layer)), []).append(call)
    for (name, _), same in uses.items():
        yield _row(name, same, placed[same[0]].block, seen)


def _row(name: str, uses: Sequence[Call], group: str, seen: set[int]) -> CostRow:
    layer = uses[0].layer
    counts = [rules.multiply_adds(use) for use in uses]
    known = [count for count in counts if count is not None]
    outputs = [pair for use in uses if not use.is_input for pair in rules.activations(use)]
    return CostRow(
        name=name,
        group=group,
        kind=uses[0].kind,
        output_shape=uses[-1].shape,
        macs=sum(known) if len(known) == len(counts) else None,
        elementwise=_summed(rules.elementwise(use) for use in uses),
        activations=sum(elements for elements, _ in outputs),
        activation_bytes=sum(elements * item_size(dtype) for elements, dtype in outputs),
        uncounted=() if len(known) == len(counts) else (name,),
        **counted(new_weights(layer, seen)),
    )


def sum_of(name: str, group: str, rows: Sequence[CostRow]) -> CostRow:
    """Return the sum of rows, with the output shape of the last one."""
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
        statistics=sum(row.statistics for row in rows),
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
