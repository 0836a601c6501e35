"""All threads of this process on one processor, while something is timed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Keep all threads on one processor, where the system can: two of one core slow each other."""
    tasks, allowed = Path("/proc/self/task"), getattr(os, "sched_getaffinity", lambda _: None)(0)

    def keep(processors: set[int]) -> None:
        for task in tasks.iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), processors)

    if allowed is None or not tasks.exists():
        yield
        return
    keep({min(allowed)})
    try:
        yield
    finally:
        keep(allowed)
