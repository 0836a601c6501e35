"""The golden table: what is known of the package's own networks, read without building any.

``scripts/golden_table.py`` writes it, and tests hold it to the networks as they are built.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets import files
from keras_convnets.analysis.tables import Column, Table

FILE = Path(__file__).with_name("networks.csv")

COLUMNS = (
    Column("name", "name"),
    Column("builder", "builder"),
    Column("input_shape", "input"),
    Column("num_outputs", "outputs", is_number=True),
    Column("parameters", "parameters", is_number=True),
    Column("multiply_adds", "multiply-adds", is_number=True),
    Column("source", "source"),
    Column("layers", "layers", is_number=True),
)
COSTS = ("parameters", "multiply_adds")
_COUNTS = ("num_outputs", "parameters", "multiply_adds", "layers")


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
        layers: how many layers its Keras model has.
    """

    name: str
    builder: str
    input_shape: tuple[int, int, int]
    num_outputs: int
    parameters: int
    multiply_adds: int
    source: str
    layers: int


def networks() -> dict[str, ModelInfo]:
    """Return what is known of each network, by name, family by family."""
    return _read()[1]


def convention() -> str:
    """Return what the figures mean."""
    return _read()[0]


def write(convention: str, networks: Iterable[ModelInfo]) -> None:
    """Write the table anew."""
    table = Table(COLUMNS, tuple(networks), (convention,))
    with files.replacing(FILE) as path:
        path.write_text(table.to_csv() + "\n", encoding="utf-8")
    _read.cache_clear()


@functools.cache
def _read() -> tuple[str, dict[str, ModelInfo]]:
    convention, *lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = (_model_info(row) for row in csv.DictReader(lines))
    return convention.removeprefix("# "), {row.name: row for row in rows}


def _model_info(row: dict[str, Any]) -> ModelInfo:
    shape = tuple(map(int, row["input_shape"].split("x")))
    counts = {name: int(row[name]) for name in _COUNTS}
    return ModelInfo(**row | counts | {"input_shape": shape})
