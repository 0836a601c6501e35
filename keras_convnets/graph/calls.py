"""The calls of a model's layers and the tensors between them: plain data, created by `walk`."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable
from typing import Any

from keras_convnets import axes
from keras_convnets.graph.layer_types import LayerType, type_of
from keras_convnets.graph.words import Description, describe

# The sizes of a tensor without its batch axis; ``None`` for an unknown size.
TensorShape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor between two calls: the call that produces it, its shape without the batch, its type.

    ``symbol`` is Keras' tensor in the model as built, whatever ``shape`` is.
    """

    # Printed, it would print all before it, along every path: in a residual network, for ever.
    source: Call = dataclasses.field(repr=False)
    shape: TensorShape
    dtype: str
    symbol: Any = dataclasses.field(repr=False, compare=False)

    @property
    def in_papers_order(self) -> TensorShape:
        """The shape in the order of papers: channels, rows, columns."""
        return in_papers_order(self.shape, self.source.data_format)

    @property
    def elements(self) -> int:
        """The number of elements; all sizes must be known."""
        return math.prod(size for size in self.shape if size is not None)


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer. A layer that is used twice has two calls.

    ``name`` is prefixed with the names of the enclosing models: ``backbone/conv1``; ``enclosing``
    are Keras' nodes that call these models, outermost first. If the layer is a nested model that
    was not expanded, or a wrapper such as ``TimeDistributed``, ``within`` contains the calls
    inside, each computed ``times`` times; ``None`` if that is unknown. ``arguments`` are those
    after the first, such as the slices of ``x[:, 1:]``.
    """

    name: str
    layer: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    data_format: str
    within: tuple[Call, ...] = dataclasses.field(default=(), repr=False)
    enclosing: tuple[Any, ...] = dataclasses.field(default=(), repr=False)
    times: int | None = 1
    arguments: tuple[Any, ...] = dataclasses.field(default=(), repr=False)

    @property
    def parents(self) -> tuple[Call, ...]:
        """The calls whose outputs are this call's inputs, in the order of its arguments."""
        return tuple(tensor.source for tensor in self.inputs)

    def returns(self, outputs: Iterable[Tensor]) -> None:
        """Set the outputs, which are created after the call, for each has it as its source."""
        object.__setattr__(self, "outputs", tuple(outputs))

    @property
    def model(self) -> str:
        """The names of the enclosing models, empty for a layer of the outermost one."""
        return self.name.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """The name of the layer's class."""
        return type(self.layer).__name__

    @property
    def type(self) -> LayerType:
        """The layer's type, by which rules are looked up."""
        return type_of(self.layer)

    @functools.cached_property
    def description(self) -> Description:
        """A short description of the layer."""
        return describe(self.layer)

    @property
    def spatial(self) -> tuple[Any, ...]:
        """The rows and columns of the first output."""
        return self.spatial_sizes(self.outputs[0])

    @property
    def shape(self) -> TensorShape:
        """The shape of the first output in the order of papers: channels, rows, columns."""
        return self.outputs[0].in_papers_order

    @property
    def is_input(self) -> bool:
        """Whether the call is one of the model's inputs."""
        return self.type is LayerType.INPUT

    def spatial_sizes(self, tensor: Tensor) -> tuple[Any, ...]:
        """Return the rows and columns of one of the call's tensors, in the model's data format."""
        shape = tensor.shape
        return shape[1:] if self.data_format == "channels_first" else shape[:-1]


def in_papers_order(shape: TensorShape, data_format: str) -> TensorShape:
    """Return a shape without its batch axis in the order of papers: channels first."""
    return axes.in_papers_order((None, *shape), data_format)
