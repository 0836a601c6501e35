"""What a benchmark of an accelerator measured, row by row, and the table of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from benchmarks.tables import table

PHASES = {"training": 3, "inference": 1}
"""How often each phase makes a network's multiply-adds: forwards, and twice as many backwards."""

OUT_OF_MEMORY = "out of memory"

# Dense bfloat16, in TFLOP/s, as the data sheets have it for the first name found in a device's.
_PEAKS = {
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "H200": 989.0,
    "GH200": 989.0,
    "A100": 312.0,
    "A30": 165.0,
    "A10": 125.0,
    "L40S": 362.0,
    "L4": 121.0,
    "TPU v4": 275.0,
    "TPU v5 lite": 197.0,
}
_HALVES = ("mixed_bfloat16", "mixed_float16")
_UNKNOWN = "—"
_HEADING = ("network", "phase", "batch", "images/s", "of the peak", "memory, GB")


@dataclasses.dataclass(frozen=True)
class Row:
    """A network's speed in one phase with one batch size, or the reason why there is none.

    Attributes:
        network: its registered name.
        phase: one of `PHASES`.
        batch: images at a time.
        macs: multiply-adds of an image, forwards.
        speed: images a second; ``None`` if it was not measured.
        memory: the most bytes of the device in use at a time; ``None`` if unknown.
        device: the device's name and the software.
        reason: why there is no speed.
    """

    network: str
    phase: str
    batch: int
    macs: int = 0
    speed: float | None = None
    memory: int | None = None
    device: str = ""
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was not measured for another reason than the device's size."""
        return self.speed is None and self.reason != OUT_OF_MEMORY


def peak(device: str, precision: str) -> float | None:
    """Return a device's floating-point operations a second at its best, ``None`` if unknown."""
    if precision not in _HALVES:
        return None
    found = [flops for name, flops in _PEAKS.items() if re.search(rf"\b{name}\b", device)]
    return found[0] * 1e12 if found else None


def share_of_peak(row: Row, precision: str) -> float | None:
    """Return what the multiply-adds of a row's images are of what the device could do."""
    at_best = peak(row.device, precision)
    if row.speed is None or at_best is None:
        return None
    return 2 * row.macs * PHASES[row.phase] * row.speed / at_best


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of any backend says that the device has too little memory."""
    said = f"{type(error).__name__}: {error}"
    return bool(re.search(r"RESOURCE_?EXHAUSTED|out of memory|MemoryError", said, re.IGNORECASE))


def as_table(rows: Iterable[Row], precision: str, others: Sequence[Row] | None = None) -> str:
    """Return the rows as a table, beside another package's if there are any."""
    elsewhere = {(row.network, row.phase, row.batch): row for row in others or ()}
    heading, cells = list(_HEADING), []
    if others is not None:
        heading += ["torchvision", "ratio"]
    for row in rows:
        line = _cells(row, precision)
        if others is not None:
            line += _compared(row, elsewhere.get((row.network, row.phase, row.batch)))
        cells.append(line)
    return table(heading, cells)


def _cells(row: Row, precision: str) -> list[str]:
    share = share_of_peak(row, precision)
    return [
        row.network,
        row.phase,
        str(row.batch),
        row.reason if row.speed is None else f"{row.speed:,.0f}",
        _UNKNOWN if share is None else f"{share:.1%}",
        _UNKNOWN if row.memory is None else f"{row.memory / 1e9:.2f}",
    ]


def _compared(row: Row, other: Row | None) -> list[str]:
    if other is None:
        return [_UNKNOWN, _UNKNOWN]
    if other.speed is None:
        return [other.reason, _UNKNOWN]
    ratio = _UNKNOWN if row.speed is None else f"{row.speed / other.speed:.2f}"
    return [f"{other.speed:,.0f}", ratio]
