"""Argument checks. Each returns the normalised value or raises a ``ValueError`` that says what was
received, what was expected and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from keras_convnets import received
from keras_convnets.received import LARGEST, shown

ImageShape = tuple[int, int | None, int | None]
_Kind = TypeVar("_Kind")

# A shape whose last size is at most this may have been given as (rows, cols, channels).
_IMAGE_CHANNELS = 4


def input_shape(value: Any) -> ImageShape:
    """Return ``(channels, rows, cols)`` as integers; rows and cols may be ``None``."""
    expected = "expected (channels, rows, cols), such as (3, 224, 224)"
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise ValueError(
            f"input_shape: received {shown(value)}; {expected}. Leave the batch size out."
        )
    sizes = [None if size is None else received.integer(size) for size in value]
    if any(size is None and given is not None for size, given in zip(sizes, value, strict=True)):
        raise ValueError(f"input_shape: received {shown(value)}; {expected}, all integers.")
    channels, rows, cols = sizes
    if any(size is not None and size < 1 for size in sizes):
        raise ValueError(f"input_shape: received {shown(value)}; {expected}, all at least 1.")
    if _reads_as_rows_cols_channels(channels, cols):
        raise ValueError(
            f"input_shape: received {shown(value)}, which reads as (rows, cols, channels); "
            f"{expected}, whatever the data format. Pass ({cols}, {channels}, {rows})."
        )
    if channels is None:
        raise ValueError(
            f"input_shape: received {shown(value)}; {expected}. Only rows and cols may be None."
        )
    return channels, rows, cols


def _reads_as_rows_cols_channels(first: int | None, last: int | None) -> bool:
    return (
        last is not None and last <= _IMAGE_CHANNELS and (first is None or first > _IMAGE_CHANNELS)
    )


def num_outputs(value: Any) -> int:
    """Return a number of outputs, at least 1."""
    return positive_integer("num_outputs", value, "the number of classes, such as 10")


def repetitions(value: Any) -> tuple[int, ...]:
    """Return the number of blocks of each stage: at least one stage of at least one block."""
    remedy = "Pass the blocks of each stage, such as (3, 4, 6, 3)."
    counts = _items(value)
    if counts is None:
        raise ValueError(
            f"repetitions: received {shown(value)}; expected a sequence of positive integers. "
            f"{remedy}"
        )
    if not (numbers := _integers(counts)):
        raise ValueError(
            f"repetitions: received {shown(counts)}; expected one or more integers, each at least "
            f"1. {remedy}"
        )
    return numbers


def size(what: str, value: Any) -> int | None:
    """Return a size: an integer of at least 1, or ``None`` for an unknown size."""
    return None if value is None else positive_integer(what, value, "sizes, channels first")


def positive_integer(what: str, value: Any, meaning: str) -> int:
    """Return an integer of at least 1, called ``what`` in the error."""
    return _integer(what, value, meaning, 1)


def non_negative_integer(what: str, value: Any, meaning: str) -> int:
    """Return an integer of at least 0, called ``what`` in the error."""
    return _integer(what, value, meaning, 0)


def _integer(what: str, value: Any, meaning: str, least: int) -> int:
    number = received.integer(value)
    if number is None or number < least:
        raise ValueError(
            f"{what}: received {shown(value)}; expected an integer of at least {least}. Pass "
            f"{meaning}."
        )
    if number > LARGEST:
        raise ValueError(f"{what}: received {shown(value)}; expected at most {LARGEST:,}.")
    return number


def positive_integers(what: str, value: Any, meaning: str) -> tuple[int, ...]:
    """Return one or more integers of at least 1, called ``what`` in the error."""
    numbers = _integers(value)
    if not numbers:
        if any((received.integer(one) or 0) > LARGEST for one in _items(value) or ()):
            raise ValueError(
                f"{what}: received {shown(value)}; expected each to be at most {LARGEST:,}."
            )
        raise ValueError(
            f"{what}: received {shown(value)}; expected one or more integers, each at least 1. "
            f"Pass {meaning}."
        )
    return numbers


def _integers(values: Any) -> tuple[int, ...] | None:
    """Return integers of at least 1; ``None`` if ``values`` has another or is no iterable."""
    items = _items(values)
    numbers = map(received.integer, items or ())
    found = tuple(number for number in numbers if number is not None and 1 <= number <= LARGEST)
    return found if items is not None and len(found) == len(items) else None


def _items(values: Any) -> tuple[Any, ...] | None:
    """Return the items of a list or another iterable; ``None`` if it is none, or a string."""
    try:
        return None if isinstance(values, str | bytes) else tuple(values)
    except TypeError:  # no iterable, or one such as an array without dimensions
        return None


def items(what: str, value: Any) -> tuple[Any, ...]:
    """Return the items of a list or another iterable; a string is not one."""
    found = _items(value)
    if found is None:
        raise ValueError(f"{what}: received {shown(value)}; expected a list. Pass one.")
    return found


def seed(value: Any) -> int:
    """Return the seed of a generator of random numbers: 0 to 2**32 - 1, as NumPy takes."""
    number = received.integer(value)
    if number is None or not 0 <= number < 2**32:
        raise ValueError(
            f"seed: received {shown(value)}; expected an integer of at least 0 and less than "
            "2**32. Pass any such number, 0 for instance."
        )
    return number


def non_negative_number(what: str, value: Any, meaning: str) -> float:
    """Return a finite number of at least 0, called ``what`` in the error."""
    number = received.number(value)
    if number is None or number < 0:
        raise _no_number(what, value, "of at least 0", meaning)
    return number


def positive_number(what: str, value: Any, meaning: str) -> float:
    """Return a finite number above 0, called ``what`` in the error."""
    number = received.number(value)
    if number is None or number <= 0:
        raise _no_number(what, value, "above 0", meaning)
    return number


def _no_number(what: str, value: Any, bound: str, meaning: str) -> ValueError:
    return ValueError(
        f"{what}: received {shown(value)}; expected a finite number {bound}, within the range of "
        f"float32. Pass {meaning}."
    )


def shares(what: str, value: Any) -> tuple[float, ...]:
    """Return fractions between 0 and 1 in rising order; there may be none."""
    items = _items(value)
    numbers = map(received.number, items or ())
    found = tuple(number for number in numbers if number is not None and 0 < number < 1)
    if items is None or len(found) < len(items) or list(found) != sorted(set(found)):
        raise ValueError(
            f"{what}: received {shown(value)}; expected shares of the run between 0 and 1, in "
            "order. Pass (0.5, 0.75), for instance."
        )
    return found


def rate(what: str, value: Any, meaning: str = "the share of units to drop, such as 0.2") -> float:
    """Return a rate, by default one of dropout: at least 0 and less than 1."""
    number = received.number(value)
    if number is None or not 0 <= number < 1:
        raise ValueError(
            f"{what}: received {shown(value)}; expected a number of at least 0 and less than 1. "
            f"Pass {meaning}."
        )
    return number


def share(what: str, value: Any) -> float:
    """Return a fraction: more than 0 and at most 1."""
    number = received.number(value)
    if number is None or not 0 < number <= 1:
        raise ValueError(
            f"{what}: received {shown(value)}; expected a number above 0 and of at most 1. Pass "
            "the share to keep, such as 0.5; 1 keeps all."
        )
    return number


def choice(what: str, value: Any, choices: Iterable[Any]) -> Any:
    """Return the one of ``choices`` that is ``value``; the error lists them and suggests some."""
    known = list(choices)
    for option in known:
        if value is option or (isinstance(value, str | int | float) and value == option):
            return option
    raise ValueError(
        f"{what}: received {shown(value)}; expected one of {', '.join(map(repr, known))}."
        f"{did_you_mean(value, known)}"
    )


def did_you_mean(value: Any, known: Iterable[Any]) -> str:
    """Return `` Did you mean …?`` with the names closest to ``value``, or an empty string."""
    names = [name for name in known if isinstance(name, str)]
    close = difflib.get_close_matches(shown(value).strip("'"), names, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def boolean(what: str, value: Any) -> bool:
    """Return ``True`` or ``False``, called ``what`` in the error."""
    found = received.boolean(value)
    if found is None:
        raise ValueError(f"{what}: received {shown(value)}; expected True or False. Pass one.")
    return found


def fields(instance: Any, **values: Any) -> None:
    """Set fields of a frozen dataclass to their normalised values, from its ``__post_init__``."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def path(what: str, value: Any) -> Path:
    """Return a path, called ``what`` in the error."""
    found = received.path(value)
    if found is None:
        raise ValueError(
            f"{what}: received {shown(value)}; expected a path, as a str or a Path. Pass one."
        )
    return found


def text(what: str, value: Any, meaning: str) -> str:
    """Return a string, called ``what`` in the error."""
    return str(instance(what, value, str, f"Pass {meaning}."))


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
            f"name: received {shown(value)}; expected a non-empty string without '/', "
            "such as 'my_resnet'."
        )
    return value
