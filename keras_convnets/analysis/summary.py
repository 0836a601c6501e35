"""The summary of a model in the words of papers: stage by stage, block by block, or by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from keras_convnets import checks
from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.cost.rules import CONVENTION
from keras_convnets.analysis.plot.figure import DETAILS
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.graph.graph import Block, Graph, by_stage
from keras_convnets.analysis.plot.labels import in_line
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.typed import explaining

_LONGEST = 110  # letters of a stage's layers; a longer stage has its blocks counted


class SummaryRow(NamedTuple):
    """A stage, a run of equal blocks, or a layer.

    Attributes:
        name: its name.
        layers: what it is made of, in the notation of papers.
        output_shape: the output shape without the batch, channels first, whatever the data format.
        params: the number of parameters.
        macs: the multiply-adds of one image; ``None`` if they are not known, because sizes are
            open or a layer has no rule.
    """

    name: str
    layers: str
    output_shape: tuple[int | None, ...]
    params: int
    macs: int | None


class Summary(OnlyTabled):
    """A model in the words of papers.

    Attributes:
        model: the model's name.
        detail: ``"stage"``, ``"block"`` or ``"layer"``.
        rows: a [`SummaryRow`][keras_convnets.analysis.summary.SummaryRow] for each stage, run of
            equal blocks, or layer.
    """

    def __init__(self, graph: Graph, detail: str) -> None:
        self.model = graph.name
        self.detail = detail
        rows = {"stage": _stages, "block": _blocks, "layer": _layers}[detail](graph)
        self.rows = tuple(rows)
        self._total = graph.price

    def table(self) -> Table:
        """Return the table, with the total and how multiply-adds are counted."""
        columns = (
            Column("name", self.detail),
            Column("layers", "layers"),
            Column("output_shape", "output"),
            Column("params", "parameters", is_number=True),
            Column("macs", "multiply-adds", is_number=True, missing="unknown"),
        )
        total = ("total", "", None, self._total.params, _macs(self._total))
        return Table(columns, self.rows, (f"{self.model}. {CONVENTION}",), total)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data that JSON can represent."""
        rows = [row._asdict() | {"output_shape": list(row.output_shape)} for row in self.rows]
        total = {"params": self._total.params, "macs": _macs(self._total)}
        head = {"model": self.model, "detail": self.detail, "convention": CONVENTION}
        return {**head, "total": total, "rows": rows}


@explaining
def summary(model: Any, detail: str = "block") -> Summary:
    """Return what a functional model is made of, in the notation of the tables of papers.

    ``3×3, 64 | 3×3, 64`` are two convolutions of 64 channels in sequence, ``/2`` is a stride,
    ``+ identity`` a shortcut, ``concat(...; ...)`` branches that are concatenated, and
    ``[...] × 3`` three such blocks in a row. Of a stage that would be too long, the blocks are
    counted. Batch normalisation and activations are left out where there are heavier layers.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not. Sizes may be open; multiply-adds are then unknown.
        detail: ``"stage"``, ``"block"``, where a run of equal blocks is one row, or ``"layer"``.

    Raises:
        ValueError: if the model is not functional, or for an unknown detail.

    Examples:
        >>> from keras_convnets import create_model, summary
        >>> for row in summary(create_model("notes_mnist_resnet")).rows:
        ...     print(row.name, "|", row.layers, "|", row.output_shape)
        input | input | (1, 28, 28)
        conv1 | 5×5, 16 | max pool 2×2, /2 | (16, 12, 12)
        conv2_block1 | 3×3, 16 | 3×3, 16 + identity | (16, 12, 12)
        conv3 | 5×5, 32 | max pool 2×2, /2 | (32, 4, 4)
        conv4_block1 | 3×3, 32 | 3×3, 32 + identity | (32, 4, 4)
        head | dense 10, softmax | (10,)
    """
    checks.choice("detail", detail, DETAILS)
    expand = True if detail == "layer" else None
    return Summary(block_graph(model, expand_nested=expand), detail)


def _stages(graph: Graph) -> list[SummaryRow]:
    return [_row(name, blocks) for name, blocks in by_stage(graph)]


def _blocks(graph: Graph) -> list[SummaryRow]:
    return [
        _row(block.name if block.repeats == 1 else f"{block.name} to {block.last}", [block])
        for block in fold(graph).blocks
    ]


def _layers(graph: Graph) -> list[SummaryRow]:
    return [
        SummaryRow(
            layer.id,
            layer.description.in_full(),
            layer.shape,
            layer.price.params,
            _macs(layer.price),
        )
        for block in graph.blocks
        for layer in block.layers
    ]


def _row(name: str, blocks: Sequence[Block]) -> SummaryRow:
    price = sum((block.price for block in blocks), Price())
    words = ", then ".join(_times(text, count) for text, count in _runs(blocks))
    if len(words) > _LONGEST and len(blocks) > 1:
        words = _counted(blocks)
    return SummaryRow(name, words, blocks[-1].shape, price.params, _macs(price))


def _counted(blocks: Iterable[Block]) -> str:
    """Return how many blocks there are of each kind, where their layers would be too long."""
    counts: dict[str, int] = {}
    for block in blocks:
        counts[block.kind] = counts.get(block.kind, 0) + block.repeats
    plural = {
        kind: kind if n == 1 or kind == "pooling" else f"{kind}s" for kind, n in counts.items()
    }
    return ", ".join(f"{n} {plural[kind]}" for kind, n in counts.items())


def _runs(blocks: Iterable[Block]) -> list[tuple[str, int]]:
    """Return the words for blocks, and of how many in a row they hold."""
    found: list[tuple[str, int]] = []
    for block in blocks:
        text = in_line(block.inside)
        before = found[-1] if found else ("", 0)
        if text == before[0]:
            found[-1] = (text, before[1] + block.repeats)
        else:
            found.append((text, block.repeats))
    return found


def _times(text: str, count: int) -> str:
    return text if count == 1 else f"[{text}] × {count}"


def _macs(price: Price) -> int | None:
    return None if price.is_bound else price.macs
