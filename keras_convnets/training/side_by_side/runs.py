"""Several runs as one table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_convnets import checks
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.printable import cut
from keras_convnets.training.run.command import Repetition, repetition
from keras_convnets.training.side_by_side.facts import FINISHED, RunFacts, read
from keras_convnets.training.side_by_side.finding import find
from keras_convnets.training.side_by_side.groups import MEASURED, Group, Spread, grouped
from keras_convnets.training.words import duration
from keras_convnets.typed import explaining

ORDERS = ("name", "best", "last", "time")
"""How runs may be sorted."""

_LEGEND = (
    "best and last: accuracy on the validation images after an epoch; time: that of the training "
    "steps"
)
_LONGEST = 60  # characters of a recipe in a table for people
_KEYS = ("run", "network", "data", "recipe", "seed", "epochs", "best", "last", "test", "time")
_FACTS = (
    *("network", "data", "recipe", "seed", "epochs", "planned", "best", "best_epoch", "last"),
    *("test", "seconds", "state", "reason"),
)
_NUMBERS = ("seed", "epochs", "best", "last", "test", "time")


class Runs(OnlyTabled):
    """Runs side by side, with means over the seeds of those that are alike but for it.

    Attributes:
        runs: the facts of each run.
        groups: the same runs in groups, each of one or several seeds.
        only_means: whether tables have one row for each group in place of one for each run.
    """

    def __init__(self, runs: Iterable[RunFacts], sort: str = "name", means: bool = False) -> None:
        checks.choice("sort", sort, ORDERS)
        self.groups = _sorted(grouped(list(runs)), sort)
        self.runs = tuple(run for group in self.groups for run in group.runs)
        self.only_means = checks.boolean("means", means)

    def table(self) -> Table:
        """Return the table for people, with a note for each run that is not finished."""
        rows = [row for group in self.groups for row in self._rows(group)]
        columns = [Column(key, key, is_number=key in _NUMBERS) for key in (*_KEYS, "state")]
        notes = [_LEGEND, *self._reasons()]
        if any(len(group.finished) > 1 for group in self.groups):
            notes.append("mean ± standard deviation (of n - 1) over the seeds of finished runs")
        return Table(tuple(columns), tuple(rows), tuple(notes))

    def _reasons(self) -> list[str]:
        """Return a line for each reason why runs are not finished."""
        found: dict[str, list[str]] = {}
        for run in self.runs:
            if run.reason:
                found.setdefault(f"{run.state}: {run.reason}", []).append(str(run.folder))
        return [f"{', '.join(folders)}: {reason}" for reason, folders in found.items()]

    def _rows(self, group: Group) -> list[tuple[Any, ...]]:
        rows = [] if self.only_means else [_of_run(run) for run in group.runs]
        if len(group.finished) > 1:
            return [*rows, _of_group(group)]
        return rows or [_of_run(run) for run in group.runs]

    def to_csv(self) -> str:
        """Return the facts as CSV, with accuracies from 0 to 1 and times in seconds."""
        found = self.to_dict()["groups" if self.only_means else "runs"]
        flat = [_flat(row) for row in found]
        columns = tuple(Column(key, key) for key in (flat[0] if flat else ()))
        return Table(columns, tuple(tuple(row.values()) for row in flat)).to_csv()

    def to_dict(self) -> dict[str, Any]:
        """Return all facts as plain data that JSON can represent."""
        means = {"groups": [_means(group) for group in self.groups]}
        if self.only_means:
            return means
        numbered = [(run, n) for n, group in enumerate(self.groups) for run in group.runs]
        return {"runs": [_facts(run) | {"group": number} for run, number in numbered]} | means

    def commands(self) -> dict[str, Repetition]:
        """Return how to repeat each run whose configuration can be read, by its folder."""
        readable = [(run, run.config) for run in self.runs if run.config is not None]
        return {str(run.folder): repetition(config) for run, config in readable}


@explaining
def runs(
    folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    sort: str = "name",
    means: bool = False,
) -> Runs:
    """Return the runs in some folders side by side.

    Args:
        folders: the folder of a run, a folder that holds runs, or several of them.
        sort: ``"name"``, ``"best"`` or ``"last"`` for the accuracy on the validation images, or
            ``"time"``.
        means: whether runs that differ in their seed alone have one row, of their means.

    Raises:
        ValueError: a folder does not exist, or is no run and holds none.

    Examples:
        >>> from rich.console import Console
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import RECIPES, Settings, load_data, runs, train
        >>> data = load_data("digits", image_size=8)
        >>> quick = RECIPES["quick"].replace(epochs=1, batch_size=256)
        >>> for seed in (0, 1):
        ...     model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        ...     _ = train(model, data, f"runs/{seed}", quick, Settings(seed), Console(quiet=True))
        >>> found = runs("runs")
        >>> [(run.recipe, run.seed, run.state) for run in found.runs]
        [('quick, batch_size=256, epochs=1', 0, 'finished'), ('quick, batch_size=256, epochs=1', 1, 'finished')]
        >>> found.groups[0].spread("test").n
        2
    """  # noqa: E501
    one = isinstance(folders, str | os.PathLike)
    named = [folders] if one else list(checks.items("folders", folders))
    if not named:
        raise ValueError("folders: received none; expected the folders of runs. Name one.")
    return Runs(map(read, find([Path(checks.path("runs", each)) for each in named])), sort, means)


def _sorted(groups: list[Group], order: str) -> list[Group]:
    """Return groups in an order, and the runs in each of them in the same."""
    if order == "name":
        return groups
    figure = "seconds" if order == "time" else order
    sign = 1 if order == "time" else -1

    def place(value: float | None) -> tuple[bool, float]:
        return value is None, sign * (value or 0)

    def of_group(group: Group) -> tuple[bool, float]:
        spread = group.spread(figure)
        values = [getattr(run, figure) for run in group.runs]
        known = [value for value in values if value is not None]
        return place(spread.mean if spread else max(known, default=None))

    inner = [
        Group(tuple(sorted(g.runs, key=lambda run: place(getattr(run, figure))))) for g in groups
    ]
    return sorted(inner, key=of_group)


def _of_run(run: RunFacts) -> tuple[Any, ...]:
    best = None if run.best is None else f"{run.best:.2%} (epoch {run.best_epoch})"
    return (
        *(str(run.folder), run.network, run.data, run.recipe and cut(run.recipe, _LONGEST)),
        None if run.seed is None else str(run.seed),
        *(_epochs(run), best, _per_cent(run.last), _per_cent(run.test)),
        *(None if run.seconds is None else duration(run.seconds), run.state),
    )


def _epochs(run: RunFacts) -> str | None:
    if run.config is None:
        return None
    return str(run.epochs) if run.epochs == run.planned else f"{run.epochs} of {run.planned}"


def _of_group(group: Group) -> tuple[Any, ...]:
    first = group.finished[0]
    accuracies = (_spread(group.spread(name)) for name in ("best", "last", "test"))
    seconds = group.spread("seconds")
    return (
        *(f"mean of {len(group.finished)} seeds", first.network, first.data),
        *(first.recipe and cut(first.recipe, _LONGEST), "", str(first.epochs), *accuracies),
        *(None if seconds is None else duration(seconds.mean), FINISHED),
    )


def _per_cent(share: float | None) -> str | None:
    return None if share is None else f"{share:.2%}"


def _spread(spread: Spread | None) -> str | None:
    if spread is None or spread.deviation is None:
        return None
    return f"{spread.mean:.2%} ± {100 * spread.deviation:.2f}"


def _facts(run: RunFacts) -> dict[str, Any]:
    how = Repetition() if run.config is None else repetition(run.config)
    facts = {name: getattr(run, name) for name in _FACTS}
    return {"run": str(run.folder)} | facts | {"command": how.command, "call": how.call}


def _means(group: Group) -> dict[str, Any]:
    first = group.runs[0]
    spreads = {name: group.spread(name) for name in MEASURED}
    return {
        **{name: getattr(first, name) for name in ("network", "data", "recipe")},
        "seeds": [run.seed for run in group.finished],
        **{
            name: spread and {"mean": spread.mean, "deviation": spread.deviation, "n": spread.n}
            for name, spread in spreads.items()
        },
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of plain data without levels, for CSV."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name in MEASURED and "seeds" in row:
            found = value or {}
            flat |= {f"{name}_{part}": found.get(part) for part in ("mean", "deviation", "n")}
        else:
            flat[name] = " ".join(map(str, value)) if isinstance(value, list) else value
    return flat
