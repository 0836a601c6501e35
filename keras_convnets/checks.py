"""Argument checks. Each returns the normalised value or raises a ``ValueError`` that says what was
received, what was expected and what to do.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
import operator
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

ImageShape = tuple[int, int | None, int | None]
_Kind = TypeVar("_Kind")

# A shape whose last size is at most this may have been given as (rows, cols, channels).
_IMAGE_CHANNELS = 4


def input_shape(value: Any) -> ImageShape:
    """Return ``(channels, rows, cols)`` as integers; rows and cols may be ``None``."""
    expected = "expected (channels, rows, cols), such as (3, 224, 224)"
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise ValueError(f"input_shape: received {value!r}; {expected}. Leave the batch size out.")
    sizes = [None if size is None else _integer(size) for size in value]
    if any(size is None and given is not None for size, given in zip(sizes, value, strict=True)):
        raise ValueError(f"input_shape: received {value!r}; {expected}, all integers.")
    channels, rows, cols = sizes
    if any(size is not None and size < 1 for size in sizes):
        raise ValueError(f"input_shape: received {value!r}; {expected}, all at least 1.")
    if _reads_as_rows_cols_channels(channels, cols):
        raise ValueError(
            f"input_shape: received {value!r}, which reads as (rows, cols, channels); {expected}, "
            f"whatever the data format. Pass ({cols}, {channels}, {rows})."
        )
    if channels is None:
        raise ValueError(
            f"input_shape: received {value!r}; {expected}. Only rows and cols may be None."
        )
    return channels, rows, cols


def _reads_as_rows_cols_channels(first: int | None, last: int | None) -> bool:
    return (
        last is not None and last <= _IMAGE_CHANNELS and (first is None or first > _IMAGE_CHANNELS)
    )


def num_outputs(value: Any) -> int:
    """Return a number of outputs, at least 1."""
    return positive_integer("num_outputs", value, "the number of classes, such as 10")


def warn_of_softmax_over_one(num_outputs: int) -> None:
    """Warn that a softmax over a single output, which the caller is about to build, is constant."""
    if num_outputs == 1:
        warnings.warn(
            "num_outputs: received 1 with a softmax, which is 1 for every image, so the network "
            "cannot learn; expected a sigmoid for two classes. Build it with "
            "classifier_activation='sigmoid', or with num_outputs=2.",
            stacklevel=_level_of_user(),
        )


def _level_of_user() -> int:
    """Return the ``stacklevel`` that shows a warning of the caller at the line of the user."""
    package = __name__.partition(".")[0]
    names = (caller.frame.f_globals.get("__name__", "") for caller in inspect.stack(context=0)[1:])
    inside = itertools.takewhile(lambda name: name.partition(".")[0] == package, names)
    return 1 + sum(1 for _ in inside)


def repetitions(value: Any) -> tuple[int, ...]:
    """Return the number of blocks of each stage: at least one stage of at least one block."""
    remedy = "Pass the blocks of each stage, such as (3, 4, 6, 3)."
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(
            f"repetitions: received {value!r}; expected a sequence of positive integers. {remedy}"
        )
    counts = tuple(value)
    numbers = tuple(_integer(count) for count in counts)
    if not numbers or any(number is None or number < 1 for number in numbers):
        raise ValueError(
            f"repetitions: received {counts!r}; expected one or more integers, each at least 1. "
            f"{remedy}"
        )
    return tuple(number for number in numbers if number is not None)


def size(what: str, value: Any) -> int | None:
    """Return a size: an integer of at least 1, or ``None`` for an unknown size."""
    return None if value is None else positive_integer(what, value, "sizes, channels first")


def positive_integer(what: str, value: Any, meaning: str) -> int:
    """Return an integer of at least 1, called ``what`` in the error."""
    number = _integer(value)
    if number is None or number < 1:
        raise ValueError(
            f"{what}: received {value!r}; expected an integer of at least 1. Pass {meaning}."
        )
    return number


def positive_integers(what: str, value: Any, meaning: str) -> tuple[int, ...]:
    """Return one or more integers of at least 1, called ``what`` in the error."""
    numbers = tuple(map(_integer, value)) if isinstance(value, Iterable) else ()
    if not numbers or any(number is None or number < 1 for number in numbers):
        raise ValueError(
            f"{what}: received {value!r}; expected one or more integers, each at least 1. "
            f"Pass {meaning}."
        )
    return tuple(number for number in numbers if number is not None)


def non_negative_integer(what: str, value: Any, meaning: str) -> int:
    """Return an integer of at least 0, called ``what`` in the error."""
    number = _integer(value)
    if number is None or number < 0:
        raise ValueError(
            f"{what}: received {value!r}; expected an integer of at least 0. Pass {meaning}."
        )
    return number


def non_negative_number(what: str, value: Any, meaning: str) -> float:
    """Return a finite number of at least 0, called ``what`` in the error."""
    number = _number(value)
    if number is None or not 0 <= number < float("inf"):
        raise ValueError(
            f"{what}: received {value!r}; expected a finite number of at least 0. Pass {meaning}."
        )
    return number


def positive_number(what: str, value: Any, meaning: str) -> float:
    """Return a finite number above 0, called ``what`` in the error."""
    number = _number(value)
    if number is None or not 0 < number < float("inf"):
        raise ValueError(
            f"{what}: received {value!r}; expected a finite number above 0. Pass {meaning}."
        )
    return number


def rate(what: str, value: Any, meaning: str = "the share of units to drop, such as 0.2") -> float:
    """Return a rate, by default one of dropout: at least 0 and less than 1."""
    number = _number(value)
    if number is None or not 0 <= number < 1:
        raise ValueError(
            f"{what}: received {value!r}; expected a number of at least 0 and less than 1. Pass "
            f"{meaning}."
        )
    return number


def share(what: str, value: Any) -> float:
    """Return a fraction: more than 0 and at most 1."""
    number = _number(value)
    if number is None or not 0 < number <= 1:
        raise ValueError(
            f"{what}: received {value!r}; expected a number above 0 and of at most 1. Pass the "
            "share to keep, such as 0.5; 1 keeps all."
        )
    return number


def choice(what: str, value: Any, choices: Iterable[Any]) -> Any:
    """Return ``value`` if it is one of ``choices``; the error lists them and suggests some."""
    known = list(choices)
    if any(value is option or value == option for option in known):
        return value
    raise ValueError(
        f"{what}: received {value!r}; expected one of {', '.join(map(repr, known))}."
        f"{did_you_mean(value, known)}"
    )


def did_you_mean(value: Any, known: Iterable[Any]) -> str:
    """Return `` Did you mean …?`` with the names closest to ``value``, or an empty string."""
    names = [name for name in known if isinstance(name, str)]
    close = difflib.get_close_matches(str(value), names, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def instead_of_option(name: str, known: Iterable[str]) -> str:
    """Return advice on what to pass instead of an unknown option, or an empty string."""
    if name == "weight_decay":
        return (
            " Pass l2_penalty, the factor of the L2 penalty; the weight decay of papers, which is "
            "twice that factor, belongs to a recipe of keras_convnets.training."
        )
    return did_you_mean(name, known)


def instance(what: str, value: Any, kind: type[_Kind], remedy: str) -> _Kind:
    """Return ``value`` if it is of the class ``kind``; refuse any other."""
    if not isinstance(value, kind):
        raise ValueError(
            f"{what}: received a value of type {type(value).__name__}; expected one of type "
            f"{kind.__name__}. {remedy}"
        )
    return value


def model_name(value: Any) -> str:
    """Return a name that Keras accepts for a model."""
    if not isinstance(value, str) or not value or "/" in value:
        raise ValueError(
            f"name: received {value!r}; expected a non-empty string without '/', "
            "such as 'my_resnet'."
        )
    return value


def _integer(value: Any) -> int | None:
    """Return ``value`` as an ``int`` if it is an integer (NumPy's included), else ``None``."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool | str):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
