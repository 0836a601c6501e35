"""How busy other processes keep a machine meanwhile, which decides what elapsed times are worth."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = (3, 4)  # idle, and idle while a disk is waited for
_GUESTS = 8  # times from here on are within those before


class Others:
    """The processors' time that other processes take from the making of this object on."""

    def __init__(self) -> None:
        """Begin to measure."""
        self._start = time.perf_counter(), _busy() - time.process_time()

    def report(self) -> str:
        """Return a line for below a table, empty where the system does not tell."""
        if not _STAT.exists():
            return ""
        since, taken = self._start
        elapsed = time.perf_counter() - since
        processors = max(0.0, _busy() - time.process_time() - taken) / elapsed
        return (
            f"Other processes kept {processors:.2f} processors busy meanwhile. On a machine that "
            "is not quiet, read ratios of --processor-time with one thread instead."
        )


def _busy() -> float:
    """Return the seconds that all processors have worked since the system's start."""
    if not _STAT.exists():
        return 0.0
    ticks = [int(field) for field in _STAT.read_text().splitlines()[0].split()[1:]]
    worked = sum(t for place, t in enumerate(ticks[:_GUESTS]) if place not in _IDLE)
    return worked / os.sysconf("SC_CLK_TCK")
