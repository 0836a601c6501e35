"""Timing several contenders in turn, so that what else the machine does slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from statistics import median

Call = Callable[[], object]

# PyTorch's threads spin for up to 0.1 s after a call, on processors that the next one needs.
_REST = 0.2  # seconds


def rounds_within(
    calls: Sequence[Call], seconds: float, least: int = 3, spinning: Collection[int] = ()
) -> list[list[float]]:
    """Return the seconds of each call in each of the rounds that begin within so many seconds.

    There are at least ``least`` rounds. The first, which warms up, is left out if there are more.
    After the calls whose threads spin, there is a rest.
    """
    began, rounds = time.perf_counter(), []
    while len(rounds) < least or time.perf_counter() - began < seconds:
        took = [0.0 for _ in calls]
        for place in range(len(calls)):
            which = (place + len(rounds)) % len(calls)
            start = time.perf_counter()
            calls[which]()
            took[which] = time.perf_counter() - start
            if which in spinning:
                time.sleep(_REST)
        rounds.append(took)
    kept = rounds[1:] if len(rounds) > least else rounds
    return [list(times) for times in zip(*kept, strict=True)]


def in_turn(
    calls: Sequence[Call],
    rounds: int,
    warm_ups: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the median seconds of each call over the rounds, after some warm-up rounds.

    Each round makes every call once, and each round begins with another one, because a call may
    leave the caches and the allocator as the next one likes or dislikes them. Before each, there is
    a rest.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + warm_ups):
        for place in range(len(calls)):
            which = (place + number) % len(calls)
            time.sleep(_REST)
            start = clock()
            calls[which]()
            if number >= warm_ups:
                seconds[which].append(clock() - start)
    return [median(times) for times in seconds]
