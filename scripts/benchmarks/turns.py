"""Timing several contenders in turn, so that what else the machine does slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

Call = Callable[[], object]


def in_turn(
    calls: Sequence[Call],
    rounds: int,
    warm_ups: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the median seconds of each call over the rounds, after some warm-up rounds.

    Each round makes every call once, and each round begins with another one, because a call may
    leave the caches and the allocator as the next one likes or dislikes them.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + warm_ups):
        for place in range(len(calls)):
            which = (place + number) % len(calls)
            start = clock()
            calls[which]()
            if number >= warm_ups:
                seconds[which].append(clock() - start)
    return [median(times) for times in seconds]
