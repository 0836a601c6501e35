"""What a benchmark has measured, as tables and plain data."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table, sizes
from keras_convnets.shipping.benchmark.machine import Machine
from keras_convnets.shipping.benchmark.ways import WAYS

FORMAT = 1
_LEGEND = (
    "median and 95 %: of the times of a batch, from the array to the probabilities; ratio: the "
    "median, divided by that of the first engine with the same weights; memory: the peak of a "
    "process that has only this engine; difference: the largest of an output to that of the first "
    "engine, relative to the largest output; same class: how many of the images have the same "
    "first class"
)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """An engine with one model, one precision and one number of images.

    Attributes:
        model: the name of the model, or the file.
        engine: the name of the engine.
        precision: that of an exported file, or the dtype policy that Keras computes by.
        batch: how many images it takes at once.
        input_shape: ``(channels, rows, cols)`` of them.
        median: the median of the seconds that a batch takes.
        p95: the 95th percentile of these seconds.
        calls: how many batches were timed.
        ratio: the median, divided by that of the first engine with the same weights and batch.
        memory_bytes: the peak of the resident memory of a process that opens and runs this engine
            and nothing else, up to this batch; ``None`` if it was not measured.
        file_bytes: the size of the file, or folder, that the engine runs.
        difference: the largest difference of an output to that of the first engine, relative to
            the largest output; ``None`` if they take other images.
        agreement: the share of the images with the same first class as from the first engine;
            ``None`` if they take other images, or there is only one output.
    """

    model: str
    engine: str
    precision: str
    batch: int
    input_shape: tuple[int, int, int]
    median: float
    p95: float
    calls: int
    ratio: float
    memory_bytes: int | None
    file_bytes: int
    difference: float | None
    agreement: float | None

    @property
    def images_per_second(self) -> float:
        """How many images it takes in a second, by the median."""
        return self.batch / self.median

    @property
    def title(self) -> str:
        """The engine as people read it, with its precision unless that is float32."""
        words = WAYS[self.engine].title
        return words if self.precision == "float32" else f"{words}, {self.precision}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data: seconds, bytes and shares."""
        return dataclasses.asdict(self) | {"images_per_second": self.images_per_second}


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """An engine that cannot run a model.

    Attributes:
        model: the name of the model.
        engine: the name of the engine.
        precision: the precision that was asked for.
        reason: why not, in one line.
    """

    model: str
    engine: str
    precision: str
    reason: str

    @property
    def words(self) -> str:
        """The line below the table."""
        of = "" if self.precision == "float32" else f" in {self.precision}"
        return f"left out: {WAYS[self.engine].title}{of} with {self.model}: {self.reason}"


@dataclasses.dataclass(frozen=True, repr=False)
class Benchmark(OnlyTabled):
    """Engines side by side, measured in turn.

    Attributes:
        measurements: a row for each model, number of images and engine.
        left_out: the engines that cannot run a model, each with the reason.
        machine: what it was measured on.
        date: when, in ISO 8601.
        notes: what else has to be known of the figures.
    """

    measurements: tuple[Measurement, ...]
    left_out: tuple[LeftOut, ...]
    machine: Machine
    date: str
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """Return the table for people."""
        names = dict.fromkeys(row.model for row in self.measurements)
        columns = (
            Column("model", "model"),
            Column("engine", "engine"),
            Column("batch", "images", is_number=True),
            Column("median", "median, ms", is_number=True),
            Column("p95", "95 %, ms", is_number=True),
            Column("images_per_second", "images/s", is_number=True),
            Column("ratio", "ratio", is_number=True),
            Column("memory", "memory, MB", is_number=True, is_optional=True),
            Column("file", "file, MB", is_number=True, is_optional=True),
            Column("difference", "difference", is_number=True, is_optional=True),
            Column("agreement", "same class", is_number=True, is_optional=True),
        )
        rows = tuple(map(_cells, self.measurements))
        table = Table(columns, rows, self._notes(tuple(names)))
        return table if len(names) > 1 else table.only([column.key for column in columns[1:]])

    def _notes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        versions = ", ".join(f"{name} {number}" for name, number in self.machine.versions.items())
        threads = self.machine.threads
        on = f"{threads} thread{'s' if threads > 1 else ''} of {self.machine.cpu}; {versions}"
        shapes = dict.fromkeys(row.input_shape for row in self.measurements)
        what = ", ".join(
            (*names[: len(names) == 1], *(f"images of {sizes(one)}" for one in shapes))
        )
        return (f"{what}, on {on}", _LEGEND, *self.notes, *(one.words for one in self.left_out))

    def to_text(self, width: int | None = None) -> str:
        """Return the table for a console of so many columns; by default without limit."""
        return self.table().to_text(width)

    def to_csv(self) -> str:
        """Return the measurements as CSV, in seconds, bytes and shares."""
        rows = [row.to_dict() for row in self.measurements]
        names = list(rows[0]) if rows else [field.name for field in dataclasses.fields(Measurement)]
        columns = tuple(Column(name, name) for name in names)
        notes = tuple(one.words for one in self.left_out)
        return Table(columns, tuple(tuple(row.values()) for row in rows), notes).to_csv()

    def to_dict(self) -> dict[str, Any]:
        """Return all as plain data that JSON can represent: seconds, bytes and shares."""
        return {
            "format": FORMAT,
            "date": self.date,
            "machine": dataclasses.asdict(self.machine),
            "measurements": [row.to_dict() for row in self.measurements],
            "left_out": [dataclasses.asdict(one) for one in self.left_out],
            "notes": list(self.notes),
        }


def _cells(row: Measurement) -> tuple[Any, ...]:
    memory = None if row.memory_bytes is None else f"{row.memory_bytes / 1e6:,.0f}"
    return (
        *(row.model, row.title, row.batch, milliseconds(row.median), milliseconds(row.p95)),
        *(three_digits(row.images_per_second), three_digits(row.ratio), memory),
        *(f"{row.file_bytes / 1e6:,.1f}", _shown(row.difference, ".0e")),
        _shown(row.agreement, ".1%"),
    )


def _shown(value: float | None, how: str) -> str | None:
    return None if value is None else format(value, how)


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds, to three digits."""
    return three_digits(1000 * seconds)


def three_digits(value: float) -> str:
    """Return a number to three digits, or as an integer.

    Examples:
        >>> three_digits(0.1234), three_digits(12.34), three_digits(1234.5)
        ('0.123', '12.3', '1,234')
    """
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{decimals}f}"
