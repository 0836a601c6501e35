"""Runs that differ in their seed alone, with the mean and the spread of their results."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence

from keras_convnets.training.side_by_side.facts import FINISHED, RunFacts, same_but_seed

MEASURED = ("best", "last", "test", "seconds")
"""The figures of runs of which there are means; attributes of `RunFacts`."""


@dataclasses.dataclass(frozen=True)
class Spread:
    """The mean of some figures and their standard deviation.

    Attributes:
        mean: the mean.
        deviation: the sample standard deviation, of ``n - 1``; ``None`` for a single figure.
        n: the number of figures.
    """

    mean: float
    deviation: float | None
    n: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread | None:
        """Return the spread of some figures; ``None`` if there are none."""
        if not figures:
            return None
        deviation = statistics.stdev(figures) if len(figures) > 1 else None
        return cls(statistics.fmean(figures), deviation, len(figures))


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of the same network, data, recipe and settings; each has another seed.

    Attributes:
        runs: all of them, in the given order.
    """

    runs: tuple[RunFacts, ...]

    @property
    def finished(self) -> tuple[RunFacts, ...]:
        """Those of the runs that are finished, of which the means are."""
        return tuple(run for run in self.runs if run.state == FINISHED)

    def spread(self, figure: str) -> Spread | None:
        """Return the mean and the deviation of a figure in `MEASURED` over the finished runs."""
        values = (getattr(run, figure) for run in self.finished)
        return Spread.of([value for value in values if value is not None])

    def curve(self, column: str) -> list[Spread]:
        """Return the spread of a column of the history, epoch by epoch, as far as all go.

        Of runs that are not finished, it is what they have; a run alone has its own values.
        """
        runs = self.finished or self.runs
        columns = [run.history[column] for run in runs if run.history.get(column)]
        epochs = zip(*columns, strict=False) if columns else ()
        finite = ([value for value in values if math.isfinite(value)] for values in epochs)
        return [Spread.of(values) or Spread(math.nan, None, 0) for values in finite]


def grouped(runs: Sequence[RunFacts]) -> list[Group]:
    """Return the runs in groups, in the order of the first run of each.

    A run whose configuration cannot be read is a group of its own, and so is a second run of the
    same seed: a mean over seeds counts each of them once.
    """
    groups: dict[object, dict[object, RunFacts]] = {}
    for number, run in enumerate(runs):
        key: object = number if run.config is None else same_but_seed(run.config)
        seeds = groups.setdefault(key, {})
        if run.seed in seeds:
            seeds = groups.setdefault((key, number), {})
        seeds[run.seed] = run
    return [Group(tuple(seeds.values())) for seeds in groups.values()]
