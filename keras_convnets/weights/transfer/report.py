"""What loading weights did: which were loaded, adapted, made anew and left out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from keras_convnets import naming
from keras_convnets.printable import printable

_MOST = 8  # lines of a kind that are printed


@dataclasses.dataclass(frozen=True)
class WeightsReport:
    """What [`load_weights`][keras_convnets.load_weights] did. Printed, it is a table.

    Weights are called ``layer/variable``, such as ``conv1_conv/kernel``.

    Attributes:
        file: the path of the file.
        format: its format, such as ``"torch zip"``, ``"safetensors"`` or ``"keras hdf5"``.
        weights: the name of published weights; ``None`` for any others.
        network: the registered network that the model is; ``None`` if its layers were matched by
            their names alone.
        source: whose names the file has: ``"torchvision"``, ``"timm"``, ``"keras"``, ``"caffe"``
            or ``"keras_convnets"``.
        taken: which part of the file was taken, if it has more: ``"state_dict_ema; also there:
            state_dict"``.
        loaded: the names in the file of the weights that were loaded, by the weights.
        values: how many values each of them has.
        adapted: the weights that were changed to fit, each with how.
        anew: the layers that keep the values that they were initialised with, each with why.
        left_out: the names in the file that the model has no use for, each with why.
        unexplained: the names in the file that no rule explains, with ``strict=False``.
        missing: the weights of the model that the file lacks, with ``strict=False``.
        notes: remarks, such as that the order of the colour channels was reversed.
    """

    file: str
    format: str
    weights: str | None
    network: str | None
    source: str
    taken: str
    loaded: Mapping[str, str]
    values: Mapping[str, int]
    adapted: Mapping[str, str] = dataclasses.field(default_factory=dict)
    anew: Mapping[str, str] = dataclasses.field(default_factory=dict)
    left_out: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unexplained: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data that JSON can represent."""
        plain = dataclasses.asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value
                for key, value in plain.items()}  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.file} ({self.format}) in {self._where()}{self._whose()}"]
        if self.taken:
            lines.append(f"taken from the file: {self.taken}")
        lines += ["", *_aligned(self._groups()), ""]
        for title, what in (
            ("adapted", self.adapted),
            ("made anew", self.anew),
            ("left out of the file", self.left_out),
            ("unexplained in the file", dict.fromkeys(self.unexplained, "")),
            ("missing from the file", dict.fromkeys(self.missing, "")),
        ):
            lines += _listed(title, what)
        lines += self.notes
        return "\n".join(printable(line).rstrip() for line in lines).rstrip()

    def _whose(self) -> str:
        if self.weights is not None:
            return f", published as {self.weights}"
        if self.source == "keras_convnets":
            return ""
        whose = "Keras'" if self.source == "keras" else f"{self.source}'s"
        return f", with {whose} names"

    def _where(self) -> str:
        return self.network or "a model of other layers, matched by their names"

    def _groups(self) -> list[tuple[str, str, str]]:
        """Return the loaded weights by stage, and their sum."""
        weights: Counter[str] = Counter()
        values: Counter[str] = Counter()
        for name in self.loaded:
            stage = _stage(name)
            weights[stage] += 1
            values[stage] += self.values[name]
        rows = [("loaded into", "weights", "values")]
        rows += [(stage, f"{weights[stage]:,}", f"{values[stage]:,}") for stage in weights]
        return [*rows, ("all", f"{weights.total():,}", f"{values.total():,}")]


def _stage(name: str) -> str:
    layer = name.rsplit("/", 1)[0]
    parsed = naming.parse(layer)
    return parsed.stage if parsed else layer


def _aligned(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return rows of a name and two numbers in columns, under their titles and a line."""
    rows = list(rows)
    first, second, third = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [f"{a:<{first}}   {b:>{second}}   {c:>{third}}" for a, b, c in rows]
    return [lines[0], "─" * len(lines[0]), *lines[1:]]


def _listed(title: str, what: Mapping[str, str]) -> list[str]:
    """Return a line for each reason, with the first names that it holds for."""
    lines = []
    for reason in dict.fromkeys(what.values()):
        names = [name for name, given in what.items() if given == reason]
        more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
        lines.append(f"{title}: {', '.join(names[:_MOST])}{more}{f': {reason}' if reason else ''}")
    return lines
