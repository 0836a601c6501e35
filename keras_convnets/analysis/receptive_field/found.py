"""The receptive field of a layer, and the table of those of all layers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_convnets.analysis.receptive_field import fields
from keras_convnets.analysis.receptive_field.fields import State
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table

_COLUMNS = (
    Column("layer", "layer"),
    Column("size", "field", is_number=True),
    Column("stride", "stride", is_number=True),
    Column("padding", "padding", is_number=True),
    Column("remark", "remark"),
)
_CONVENTION = (
    "Fields in pixels of the input, rows × columns, at inference: the largest of a layer's units, "
    "borders left aside. Stride: from one unit's field to the next one's. Padding: how far the "
    "first unit's field begins before the image."
)


@dataclasses.dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of a layer's units. Sizes are (rows, columns) in pixels.

    Attributes:
        layer: the layer's name.
        size: the size of the largest field of a unit in an image without borders, so it may exceed
            the size of the image. ``None`` if it is unknown.
        stride: the distance in pixels between the fields of neighbouring units, 0.5 after
            upsampling by 2; ``None`` on an axis where branches with different strides are merged.
        padding: the number of pixels by which the first unit's field starts before the image;
            ``None`` in the same case as ``stride``.
        whole_image: whether every unit sees the whole image, as after global pooling; then there is
            no stride and no padding. It is also true after flattening, where units have no
            position, because a following dense layer sees the whole image.
        unknown: the layer without a rule, this one or an earlier one, and the reason; else empty.
        unaligned: the earlier merges whose branches have different centres or different strides.
    """

    layer: str
    size: tuple[int, ...] | None
    stride: tuple[float | None, ...] | None
    padding: tuple[int | None, ...] | None
    whole_image: bool
    unknown: str
    unaligned: tuple[str, ...]
    _state: State = dataclasses.field(repr=False, compare=False)

    def at(self, *position: int) -> tuple[tuple[int, int] | None, ...]:
        """Return the first and last row and column that the unit at ``position`` actually sees.

        Padding contributes nothing. The result is ``None`` for a unit that sees only padding.
        """
        if self.unknown:
            raise ValueError(f"{self.layer}: its field is not known because of {self.unknown}.")
        if self._state.reach:
            return self._state.reach
        shape = self._state.sizes
        inside = len(position) == len(shape) and all(
            isinstance(index, int | np.integer) and 0 <= index < size
            for index, size in zip(position, shape, strict=True)
        )
        if not inside:
            raise ValueError(
                f"position: received {position!r}; expected the place of a unit in {self.layer!r}, "
                f"whose sizes are {shape}."
            )
        return fields.seen_at(self._state.parts, position) or (None,) * len(shape)

    def _row(self) -> tuple[Any, ...]:
        """Return the cells of a table; units that all see the same have no stride or padding."""
        absent = "none" if self._state.reach else "unknown"
        cells = (self.size, self.stride, self.padding)
        known = (value is not None and any(one is not None for one in value) for value in cells)
        shown = (
            value if is_known else absent for value, is_known in zip(cells, known, strict=True)
        )
        return (self.layer, *shown, self._remark)

    @property
    def _remark(self) -> str:
        if self.whole_image:
            return "whole image"
        if self._state.reach:
            return "all units see the same"
        if self.unknown:
            return f"unknown: {self.unknown}"
        return "unaligned" if self.unaligned else ""


def extent(field: ReceptiveField) -> tuple[bool, bool, int]:
    """Return the key by which fields are compared: the whole image is most, then the unknown."""
    return bool(field._state.reach), bool(field.unknown), math.prod(field.size or ())


class ReceptiveFields(Mapping[str, ReceptiveField], OnlyTabled):
    """The receptive fields of a model's layers by name, in the order of computation."""

    def __init__(self, found: Mapping[str, ReceptiveField]) -> None:
        self._found = dict(found)

    def __getitem__(self, layer: str) -> ReceptiveField:
        return self._found[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return each layer's field as plain data."""
        names = ("size", "stride", "padding", "whole_image", "unknown", "unaligned")
        return {
            layer: {
                name: list(value) if isinstance(value := getattr(field, name), tuple) else value
                for name in names
            }
            for layer, field in self.items()
        }

    def table(self) -> Table:
        """Return the table, with what its numbers mean and where unlike branches meet."""
        rows = (field._row() for field in self.values())
        merges = dict.fromkeys(name for field in self.values() for name in field.unaligned)
        where = "Branches with different centres or strides meet in: "
        notes = (_CONVENTION, *([f"{where}{', '.join(merges)}."] if merges else []))
        return Table(_COLUMNS, tuple(rows), notes)
