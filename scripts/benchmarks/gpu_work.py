"""A network's training or inference on the accelerator, timed for one batch size after another."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.gpu_rows import OUT_OF_MEMORY, Row, is_out_of_memory

Window = Callable[[int], float]
"""Makes so many steps, waits for the last, and returns the seconds that took."""


@dataclasses.dataclass(frozen=True)
class Work:
    """A network in one phase, with ascending batch sizes; a window has ``steps`` at the least."""

    network: str
    phase: str
    batches: Sequence[int]
    size: int | None
    precision: str
    steps: int
    seconds: float
    windows: int
    of_torchvision: bool = False

    def rows(self) -> Iterator[Row]:
        """Yield a row for each batch size; what follows one that is too large is so too."""
        os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.95")
        if self.of_torchvision:
            from benchmarks.gpu_torch import Side
        else:
            from benchmarks.gpu_keras import Side
        side, reason = None, ""
        for batch in self.batches:
            row = Row(self.network, self.phase, batch, reason=reason)
            if not reason:
                try:
                    side = side or Side(self)
                    row = dataclasses.replace(row, macs=side.macs, **self._measured(side, batch))
                except Exception as error:
                    reason = OUT_OF_MEMORY if is_out_of_memory(error) else _in_a_line(error)
                    row = dataclasses.replace(row, reason=reason)
            yield row

    def _measured(self, side: Any, batch: int) -> dict[str, Any]:
        window = getattr(side, self.phase)(batch)
        window(2)  # compiles
        steps = max(self.steps, math.ceil(self.seconds * 2 / max(window(2), 1e-6)))
        took = [window(steps) for _ in range(self.windows)]
        return {
            "speed": batch * steps / median(took),
            "memory": side.most_memory(),
            "device": side.device,
        }


def repeated(step: Callable[[], Any], wait: Callable[[Any], Any]) -> Window:
    """Return the window of a step that does not wait for the device itself."""

    def window(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            last = step()
        wait(last)
        return time.perf_counter() - start

    return window


def _in_a_line(error: Exception) -> str:
    said = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {said[0]}"[:100]
