"""Timing several calls in turn, so that what else the machine does slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

Call = Callable[[], object]

LEAST = 5  # rounds
_TURN = 0.2  # seconds of timed calls in a turn, at most
_REST = 0.05  # seconds; the threads of the runtime before spin for some time after its last call


def in_turn(
    calls: Sequence[Call],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> list[list[float]]:
    """Return the seconds of each call, timed in rounds until each has had its share of time.

    In a round each call has its turn: a rest, a call that is not timed, which brings its weights
    into the caches and takes its threads' processors from those of the runtime before, then timed
    ones. Every round begins with another call.

    Args:
        calls: the calls, which have been made before, so that nothing is left to be prepared.
        seconds: how long each is timed, on average; there are at least `LEAST` rounds.
        clock: returns seconds.
        sleep: rests.
    """
    took: list[list[float]] = [[] for _ in calls]
    turn = min(_TURN, seconds / LEAST)
    number = 0
    while number < LEAST or sum(map(sum, took)) < seconds * len(calls):
        for place in range(len(calls)):
            which = (place + number) % len(calls)
            sleep(_REST)
            calls[which]()
            took[which] += _turn(calls[which], turn, clock)
        number += 1
    return took


def _turn(call: Call, seconds: float, clock: Callable[[], float]) -> list[float]:
    """Return the seconds of as many calls as there is time for, and of one at least."""
    took: list[float] = []
    total = 0.0
    while not took or total + took[-1] <= seconds:
        start = clock()
        call()
        took.append(clock() - start)
        total += took[-1]
    return took
