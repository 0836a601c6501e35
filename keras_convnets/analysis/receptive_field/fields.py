"""Receptive-field arithmetic per axis, in integers and independent of Keras.

Two kinds of fields are tracked for each axis. *Unclipped* fields are those in an image without
borders; they determine sizes and strides. *Seen* fields are those of the existing units, to which
borders and padding contribute nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from keras_convnets.analysis.receptive_field.taps import (
    FAR,
    FIRST_ONLY,
    NO_POSITION,
    Ints,
    Taps,
    window,
)

Range = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Unclipped:
    """The fields on an infinite axis. They repeat with each period, ``shift`` pixels further on."""

    first: Ints
    last: Ints
    shift: int

    @property
    def period(self) -> int:
        """The number of units after which the fields repeat, apart from the shift."""
        return len(self.first)

    @property
    def stride(self) -> Fraction:
        """The distance in pixels between the fields of neighbouring units: a mean over a period."""
        return Fraction(self.shift, self.period)

    def at(self, positions: Ints) -> tuple[Ints, Ints]:
        """Return the first and last pixels of the units at ``positions``."""
        turns, phases = np.divmod(positions, self.period)
        none = positions == NO_POSITION
        first = np.where(none, FAR, self.first[phases] + turns * self.shift)
        last = np.where(none, -FAR, self.last[phases] + turns * self.shift)
        return first, last

    def through(self, taps: Taps) -> Unclipped:
        """Return the fields of a layer whose input these units are."""
        turns = self.period // math.gcd(self.period, taps.step_in)
        first, last = self.at(taps.read(np.arange(turns * taps.step_out)))
        shift = turns * taps.step_in * self.shift // self.period
        return Unclipped(first.min(axis=1), last.max(axis=1), shift)


def join(branches: Sequence[Unclipped | None]) -> Unclipped | None:
    """Return the fields that span those of all branches, or ``None`` if strides differ."""
    known = [branch for branch in branches if branch is not None]
    if len(known) < len(branches) or len({branch.stride for branch in known}) > 1:
        return None
    positions = np.arange(math.lcm(*(branch.period for branch in known)))
    firsts, lasts = zip(*(branch.at(positions) for branch in known), strict=True)
    shift = int(known[0].stride * len(positions))
    return Unclipped(np.minimum.reduce(firsts), np.maximum.reduce(lasts), shift)


def are_aligned(branches: Sequence[Unclipped | None]) -> bool:
    """Return whether the branches have equal strides and equal centres.

    Centres are averaged over a period, because the units that nearest-neighbour upsampling makes
    from one unit lie on either side of its centre.
    """
    known = [branch for branch in branches if branch is not None]
    if not known:
        return True  # already reported where the strides first differed
    if len(known) < len(branches) or len({branch.stride for branch in known}) > 1:
        return False
    positions = np.arange(math.lcm(*(branch.period for branch in known)))
    ranges = [branch.at(positions) for branch in known]
    all_see = np.logical_and.reduce([first <= last for first, last in ranges])
    return len({int((first + last)[all_see].sum()) for first, last in ranges}) == 1


@dataclasses.dataclass(frozen=True)
class Seen:
    """The first and last pixel that each existing position sees along one axis."""

    first: Ints
    last: Ints

    @property
    def is_nothing(self) -> Any:
        """Whether each position sees nothing, for example because it lies in padding."""
        return self.first > self.last

    def through(self, taps: Taps, size: int) -> Seen:
        """Return what the ``size`` positions of a layer with these inputs see."""
        positions = taps.read(np.arange(size))
        exists = (positions >= 0) & (positions < len(self.first))
        near = np.where(exists, positions, 0)
        first = np.where(exists, self.first[near], FAR).min(axis=1)
        last = np.where(exists, self.last[near], -FAR).max(axis=1)
        return Seen(first, last)


# What a branch sees in rows and columns. If it sees nothing on one axis, it sees nothing at all.
Unit = tuple[Seen, ...]


def span(parts: Sequence[Unit]) -> Unit:
    """Return the range that spans all parts on each axis."""
    return tuple(
        Seen(
            np.minimum.reduce([one.first for one in axis]),
            np.maximum.reduce([one.last for one in axis]),
        )
        for axis in zip(*parts, strict=True)
    )


def join_parts(parts: Sequence[Unit]) -> tuple[Unit, ...]:
    """Return an equivalent list with as few parts as possible.

    Only parts in which every position sees something can be merged axis by axis. If a position sees
    nothing in its row, its columns must not count.
    """
    full = [part for part in parts if not any(seen.is_nothing.any() for seen in part)]
    gapped = {_key(part): part for part in parts if not any(part is one for one in full)}
    return (*gapped.values(), *([span(full)] if full else []))


def _key(part: Unit) -> tuple[bytes, ...]:
    return tuple(array.tobytes() for seen in part for array in (seen.first, seen.last))


def seen_at(parts: Sequence[Unit], position: Sequence[int]) -> tuple[Range, ...] | None:
    """Return the first and last pixel that one unit sees on each axis, or ``None`` if none."""
    boxes = [
        [(int(seen.first[i]), int(seen.last[i])) for seen, i in zip(part, position, strict=True)]
        for part in parts
    ]
    boxes = [box for box in boxes if all(first <= last for first, last in box)]
    if not boxes:
        return None
    return tuple(
        (min(first for first, _ in axis), max(last for _, last in axis))
        for axis in zip(*boxes, strict=True)
    )


@dataclasses.dataclass(frozen=True)
class State:
    """What the units of a layer see: their fields, a common range, or unknown with a reason.

    ``reach`` is the range that every unit sees if it is the same for all, as after global pooling.
    """

    image: tuple[int, ...]
    unclipped: tuple[Unclipped | None, ...] = ()
    parts: tuple[Unit, ...] = ()
    reach: tuple[Range, ...] = ()
    unknown: str = ""
    unaligned: tuple[str, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of units on each axis."""
        return tuple(len(seen.first) for seen in self.parts[0])

    @property
    def extent(self) -> tuple[Range, ...]:
        """What all units together see; the whole image if that is unknown."""
        if self.reach or self.unknown:
            return self.reach or tuple((0, size - 1) for size in self.image)
        return tuple((int(one.first.min()), int(one.last.max())) for one in span(self.parts))

    def through(self, taps: Sequence[Taps], sizes: Sequence[int]) -> State:
        """Return what the ``sizes`` units of a layer with these inputs see."""
        axes = list(zip(taps, sizes, strict=True))
        parts = tuple(
            tuple(seen.through(*axis) for seen, axis in zip(part, axes, strict=True))
            for part in self.parts
        )
        unclipped = tuple(
            before and before.through(tap) for before, tap in zip(self.unclipped, taps, strict=True)
        )
        return dataclasses.replace(self, unclipped=unclipped, parts=parts)


def pixels(image: tuple[int, ...]) -> State:
    """Return the state of the image, in which each unit sees its own pixel."""
    itself = tuple(Seen(np.arange(size), np.arange(size)) for size in image)
    endless = Unclipped(np.zeros(1, np.int64), np.zeros(1, np.int64), 1)
    return State(image, (endless,) * len(image), (itself,))


def merge(states: Sequence[State], sizes: tuple[int, ...], name: str) -> State:
    """Return what the units of a merge see; single rows and columns are broadcast to ``sizes``."""
    broadcast = [
        state.through(
            [
                window(1) if have == want else FIRST_ONLY
                for have, want in zip(state.sizes, sizes, strict=True)
            ],
            sizes,
        )
        for state in states
    ]
    axes = list(zip(*(state.unclipped for state in broadcast), strict=True))
    unaligned = [] if all(map(are_aligned, axes)) else [name]
    parts = [part for state in broadcast for part in state.parts]
    before = [merge for state in states for merge in state.unaligned]
    return State(
        states[0].image,
        tuple(map(join, axes)),
        join_parts(parts),
        unaligned=tuple(dict.fromkeys([*before, *unaligned])),
    )
