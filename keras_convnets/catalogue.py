"""What is known of the registered networks: from their methods, and from the models they build."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from keras_convnets.analysis.cost.cost import cost
from keras_convnets.analysis.cost.rules import CONVENTION
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.side_by_side import open_model
from keras_convnets.zoo import create_model, find

_COLUMNS = (
    Column("name", "name"),
    Column("builder", "builder"),
    Column("input_shape", "input"),
    Column("num_outputs", "outputs", is_number=True),
    Column("parameters", "parameters", is_number=True),
    Column("multiply_adds", "multiply-adds", is_number=True),
    Column("source", "source"),
)
_COSTS = ("parameters", "multiply_adds")


class ModelInfo(NamedTuple):
    """What is known of a network.

    Attributes:
        name: as in [`list_models()`][keras_convnets.list_models].
        builder: the class whose ``build_<name>`` builds it.
        input_shape: ``(channels, rows, cols)`` that it is published for.
        num_outputs: how many outputs it is published with.
        parameters: those that training changes, at this shape and with these outputs.
        multiply_adds: of one image, counted as [`cost`][keras_convnets.cost] counts.
        source: the paper or the implementation that it follows.
    """

    name: str
    builder: str
    input_shape: tuple[int, int, int]
    num_outputs: int
    parameters: int
    multiply_adds: int
    source: str


def model_info(name: str) -> ModelInfo:
    """Return what is known of the network called ``name``; it is built to be counted.

    Raises:
        ValueError: an unknown name.

    Examples:
        >>> from keras_convnets import model_info
        >>> model_info("cifar_resnet_20").parameters
        269722
    """
    found = cost(create_model(name))
    return ModelInfo(*_known(name), found.trainable_params, found.macs, _source(name))


def listing(names: Iterable[str], with_costs: bool) -> Table:
    """Return the table of networks: with their costs, for which each is built, or without.

    Their weights are not made, so this is for a command that ends: see
    [`open_model`][keras_convnets.side_by_side.open_model].
    """
    if not with_costs:
        columns = tuple(column for column in _COLUMNS if column.key not in _COSTS)
        return Table(columns, tuple((*_known(name), _source(name)) for name in names))
    rows = []
    for name in names:
        found = cost(open_model(name))
        rows.append((*_known(name), found.trainable_params, found.macs, _source(name)))
    return Table(_COLUMNS, tuple(rows), (CONVENTION,))


def _known(name: str) -> tuple[str, str, tuple[int, int, int], int]:
    network = find(name)
    published = network.published
    return name, network.builder.__name__, published.input_shape, published.num_outputs


def _source(name: str) -> str:
    return find(name).published.source
