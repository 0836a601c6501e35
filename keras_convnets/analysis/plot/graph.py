"""What figures are drawn from: a model's blocks and the tensors between them, as plain data."""

from __future__ import annotations

import dataclasses

from keras_convnets.analysis.cost.prices import Price
from keras_convnets.graph.calls import TensorShape
from keras_convnets.graph.structure import Inside
from keras_convnets.graph.words import Description


@dataclasses.dataclass(frozen=True)
class Layer:
    """A use of a layer: a node of the complete graph.

    ``id`` is its name, with a number where a name is met again; ``settings`` tell whether two
    layers do the same.
    """

    id: str
    description: Description
    shape: TensorShape
    dtype: str
    trainable: bool | None
    price: Price
    settings: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Block:
    """A group of layers, drawn as one box; ``repeats`` alike blocks may be drawn as one."""

    name: str
    stage: str | None
    kind: str
    inside: Inside
    layers: tuple[Layer, ...]
    shape: TensorShape
    price: Price
    last: str
    repeats: int = 1


@dataclasses.dataclass(frozen=True)
class Edge:
    """A tensor from one node to another, with its shape."""

    source: str
    target: str
    shape: TensorShape


@dataclasses.dataclass(frozen=True)
class Graph:
    """A model's blocks in the order of computation, and the tensors between them.

    ``layer_edges`` are the tensors between single layers, by their ids.
    """

    name: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]
    layer_edges: tuple[Edge, ...]

    @property
    def price(self) -> Price:
        """What the whole model costs."""
        return sum((block.price for block in self.blocks), Price())


def by_stage(graph: Graph) -> list[tuple[str, list[Block]]]:
    """Return the stages in order with their blocks; a block of none is a stage by itself."""
    stages: dict[str, list[Block]] = {}
    for block in graph.blocks:
        stages.setdefault(block.stage or block.name, []).append(block)
    return list(stages.items())
