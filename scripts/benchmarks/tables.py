"""Tables of the benchmarks, as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown, legible as it is; all columns but the first align right."""
    columns = [list(column) for column in zip(heading, *rows, strict=True)]
    widths = [max(3, *map(len, column)) for column in columns]
    lines = [_padded(heading, widths), _rule(widths), *(_padded(row, widths) for row in rows)]
    return "\n".join(map(_line, lines))


def show(heading: Sequence[str], rows: Iterable[Sequence[str]], first: Sequence[str] = ()) -> None:
    """Print a table whose rows take time, each as it is ready.

    Args:
        heading: the heading.
        rows: the rows.
        first: cells as wide as the widest of the first columns; columns are as wide as the heading
            by default.
    """
    widths = [max(3, *map(len, cells)) for cells in zip_longest(heading, first, fillvalue="")]
    print(_line(_padded(heading, widths)), _line(_rule(widths)), sep="\n", flush=True)
    for row in rows:
        print(_line(_padded(row, widths)), flush=True)


def ratios(speeds: Sequence[float], others: Sequence[int]) -> list[list[str]]:
    """Return each speed divided by those at the places ``others``, as cells of a table."""
    return [[f"{speed / speeds[other]:.2f}" for other in others] for speed in speeds]


def cpu() -> str:
    """Return the processor's name and how many of its threads this process may use."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(errors="replace").splitlines()
        found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = found[0] if found else name
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {threads} threads"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(widths: Sequence[int]) -> list[str]:
    return ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *rest = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return [first, *rest]
