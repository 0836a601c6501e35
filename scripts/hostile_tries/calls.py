"""Calls of every public function and class, one argument wrong and the others right.

A call may work or be refused by a `ValueError` in one line; any other exception is a fault.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.forks import Fault
from hostile_tries.right_values import Right
from hostile_tries.trying import REFUSED, WORKED, Count, Try, refused_or_worked

WRONG: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "a string": lambda: "x",
    "a long string": lambda: "x" * 1_500,
    "-1": lambda: -1,
    "1.5": lambda: 1.5,
    "nan": lambda: float("nan"),
    "10 ** 25": lambda: 10**25,
    "numpy.int64(3)": lambda: np.int64(3),
    "a dict": dict,
    "an object": object,
    "an array": lambda: np.zeros((2, 2)),
}
# What is only called after minutes, and what Keras checks in words of its own.
_NEVER = {
    ("CaffeAveragePooling2D", "data_format"),
    ("DiscriminativeSGD", "learning_rate"),
    ("choose_strategy", "wait"),
    ("choose_strategy", "tell"),
    ("launch", "tell"),
}


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each public function and class."""
    for name in Right.names():
        yield Try(f"calls of {name}", lambda name=name: _calls(name, place), seconds=300.0)


def _calls(name: str, place: Path) -> Count:
    """Call a function with each wrong value for each of its parameters."""
    folder = place / name
    folder.mkdir()
    os.chdir(folder)
    warnings.simplefilter("ignore")
    right, counts, faults = Right(name), {REFUSED: 0, WORKED: 0}, []
    if found := _fault(right, right.arguments()):
        raise Fault(f"the right call: {found}")
    for parameter in right.parameters():
        if (name, parameter) in _NEVER:
            continue
        for said, wrong in WRONG.items():
            arguments = right.arguments() | {parameter: wrong()}
            outcome = _fault(right, arguments, counts)
            if outcome:
                faults.append(f"{parameter}={said}: {outcome}")
    if faults:
        raise Fault(f"{len(faults)} of {sum(counts.values()) + len(faults)}: " + "; ".join(faults))
    return counts


def _called(right: Right, arguments: dict[str, Any]) -> None:
    """Call; Keras puts lines of its own around the error of a layer, which are taken off."""
    try:
        right.call(**arguments)
    except ValueError as error:
        said = str(error)
        if said.startswith("Exception encountered when calling"):
            raise ValueError(" ".join(said.split())) from error
        raise


def _line(call: Callable[[], None]) -> str:
    try:
        call()
    except ValueError as error:
        return f"refused: {error}"
    return "refused once"


def _fault(right: Right, arguments: dict[str, Any], counts: dict[str, int] | None = None) -> str:
    """Call once; return what is wrong with what came out, or an empty string."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            outcome = refused_or_worked(functools.partial(_called, right, arguments))
    except Fault as fault:
        return str(fault)[:160]
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]!r}"
    if counts is not None:
        counts[outcome] += 1
    elif outcome == REFUSED:
        return _line(functools.partial(right.call, **right.arguments()))
    return ""
