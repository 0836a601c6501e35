"""The data behind a figure: a model's blocks and the tensors between them."""

from __future__ import annotations

import dataclasses

from keras_convnets.analysis.cost.prices import Price
from keras_convnets.graph.calls import TensorShape
from keras_convnets.graph.structure import Inside
from keras_convnets.graph.words import Description


@dataclasses.dataclass(frozen=True)
class Layer:
    """One use of a layer: a node of the graph of layers.

    ``id`` is the layer's name, numbered if it is repeated. Equivalent layers have equal
    ``settings``.
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
    """A group of layers that is drawn as one box, which may represent ``repeats`` equal blocks."""

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
        """The cost of the whole model."""
        return sum((block.price for block in self.blocks), Price())


def by_stage(graph: Graph) -> list[tuple[str, list[Block]]]:
    """Return the stages in order with their blocks; a block without a stage is its own stage."""
    stages: dict[str, list[Block]] = {}
    for block in graph.blocks:
        stages.setdefault(block.stage or block.name, []).append(block)
    return list(stages.items())
