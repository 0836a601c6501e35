"""How exactly networks compute what their sources compute with the same weights, as measured."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from pathlib import Path

from keras_convnets import files

FILE = Path(__file__).with_name("trust.csv")
COLUMNS = ("network", "source", "precision", "direction", "difference")

Key = tuple[str, str, str, str]


@functools.cache
def trusted() -> dict[Key, float]:
    """Return the largest difference of the outputs, relative to their range.

    The keys are the network, the source, the precision in which both computed, and the direction:
    ``"read"`` if the network of this package had a file of the source's, ``"written"`` if the
    source's network had one that was written here.
    """
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {
            (row["network"], row["source"], row["precision"], row["direction"]): float(
                row["difference"]
            )
            for row in csv.DictReader(lines)
        }


def write(rows: Iterable[tuple[str, ...]]) -> None:
    """Replace the table."""
    with files.replacing(FILE) as path, path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    trusted.cache_clear()


def sources_of(network: str) -> str:
    """Return the sources whose weights a network loads, with the differences, in words.

    Examples:
        >>> sources_of("lenet_5")
        ''
    """
    found: dict[str, dict[str, float]] = {}
    for (name, source, precision, _), difference in trusted().items():
        if name == network:
            of = found.setdefault(source, {})
            of[precision] = max(difference, of.get(precision, 0.0))
    return ", ".join(
        f"{source} {_short(of.get('float64', of.get('float32')))}" for source, of in found.items()
    )


def _short(difference: float | None) -> str:
    return f"{difference:.0e}".replace("e-0", "e-") if difference else "0"
