"""The golden table: metadata of the package's own networks, available without building them.

``scripts/golden_table.py`` writes the table. Tests compare it with the networks as built.
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
    """The metadata of a network.

    Attributes:
        name: as in [`list_models()`][keras_convnets.list_models].
        builder: the class whose method ``build_<name>`` builds the network.
        input_shape: the published input shape, ``(channels, rows, cols)``.
        num_outputs: the published number of outputs.
        parameters: the number of parameters at this shape and number of outputs.
        multiply_adds: the multiply-adds for one image, counted as by
            [`cost`][keras_convnets.cost].
        source: the paper or implementation that the network follows.
        layers: the number of layers of the Keras model.
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
    """Return the metadata of each network by name, grouped by family."""
    return _read()[1]


def convention() -> str:
    """Return the counting convention of the figures."""
    return _read()[0]


def write(convention: str, networks: Iterable[ModelInfo]) -> None:
    """Replace the table."""
    table = Table(COLUMNS, tuple(networks), (convention,))
    with files.replacing(FILE) as path:
        path.write_text(table.to_csv() + "\n", encoding="utf-8")
    _read.cache_clear()


@functools.cache
def _read() -> tuple[str, dict[str, ModelInfo]]:
    try:
        convention, *lines = FILE.read_text(encoding="utf-8").splitlines()
        rows = [_model_info(row) for row in csv.DictReader(lines)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"networks: cannot read {str(FILE)!r} ({type(error).__name__}: {error}); expected the "
            "table that is installed with this package. Install the package again."
        ) from error
    return convention.removeprefix("# "), {row.name: row for row in rows}


def _model_info(row: dict[str, Any]) -> ModelInfo:
    shape = tuple(map(int, row["input_shape"].split("x")))
    counts = {name: int(row[name]) for name in _COUNTS}
    return ModelInfo(**row | counts | {"input_shape": shape})
