"""The boundary of public functions: arguments are of the kinds that their annotations name.

Without it, a value of another kind would fail deep inside Keras, or later, or not at all.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import errno
import functools
import inspect
import os
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from keras_convnets import received

P = ParamSpec("P")
R = TypeVar("R")

_PATHS = (Path, os.PathLike)
_LISTS = (tuple, list, collections.abc.Sequence, collections.abc.Iterable)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of a function against its annotations, before it runs: a decorator.

    NumPy's numbers pass as Python's do, lists as tuples, and strings as paths. What an annotation
    does not say, such as the range of a number, is left to the function. What it raises as a
    ``ValueError`` is one line.

    Raises:
        ValueError: when it is called with an argument of another kind.

    Examples:
        >>> @typed
        ... def halved(channels: int) -> int:
        ...     return channels // 2
        >>> halved("64")
        Traceback (most recent call last):
        ValueError: channels: received '64'; expected an integer. Pass one to halved().
    """

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        _check_all(function, args, kwargs)
        with _in_one_line():
            return function(*args, **kwargs)

    return checked


def explaining(function: Callable[P, R]) -> Callable[P, R]:
    """Explain what a function fails with by an argument of another kind than annotated.

    This decorator is for functions with checks of their own, which say more: only an error that is
    not a ``ValueError`` is replaced.

    Raises:
        ValueError: when the function fails, and an argument is of another kind.
    """

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _in_one_line():
                return function(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, TypeError):
            _check_all(function, args, kwargs)
            raise

    return checked


def _check_all(function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    given = _signature(function).bind(*args, **kwargs).arguments
    for name, kind in _kinds(function).items():
        if name in given:
            check(name, given[name], kind, f"{function.__name__}()")


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """Let a ``ValueError`` be one line: those of Keras are not, nor are those that show arrays."""
    try:
        yield
    except ValueError as error:
        line = received.line(str(error))
        if type(error) is not ValueError or line == str(error):
            raise
        raise ValueError(line) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ValueError(
            f"received {received.shown(error.filename)}, which no file can be called: "
            f"{error.strerror}. Name another."
        ) from error


def fields(instance: Any) -> None:
    """Check the fields of a dataclass against their annotations, from its ``__post_init__``.

    Numbers and paths are stored as Python's own.

    Raises:
        ValueError: a field is of another kind.
    """
    cls = type(instance)
    names = vars(sys.modules[cls.__module__])
    for field in dataclasses.fields(instance):
        value, kind = getattr(instance, field.name), _evaluated(field.type, names)
        check(field.name, value, kind, f"{cls.__name__}()")
        for scalar, plain in (
            (bool, received.boolean),
            (int, received.integer),
            (float, received.number),
        ):
            if scalar in _alternatives(kind) and plain(value) is not None:
                object.__setattr__(instance, field.name, plain(value))
                break


def check(name: str, value: Any, kind: Any, where: str) -> None:
    """Refuse a value that is not of a kind."""
    if not fits(value, kind):
        raise ValueError(
            f"{name}: received {received.shown(value)}; expected {words(kind)}. Pass one to "
            f"{where}."
        )


_signature = functools.cache(inspect.signature)


@functools.cache
def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the kinds of the parameters whose annotations can be evaluated."""
    names = function.__globals__
    parameters = _signature(function).parameters.values()
    known = {one.name: one.annotation for one in parameters if one.kind not in _VARIABLE}
    return {name: _evaluated(annotation, names) for name, annotation in known.items()}


def _evaluated(annotation: Any, names: dict[str, Any]) -> Any:
    """Return the kind that an annotation names; ``Any`` if it names what only type checkers see."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(names))  # of the package's own source
    except NameError:
        return Any


def _alternatives(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


def fits(value: Any, kind: Any) -> bool:
    """Return whether a value is of a kind: a class, or what annotations make of classes."""
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin in _SCALARS:
        return _SCALARS[origin][0](value)
    if origin in _PATHS:
        return received.path(value) is not None
    if origin in _LISTS:
        return _is_list(value, origin, parts)
    if origin is collections.abc.Callable:
        return callable(value)
    if not isinstance(origin, type) or typing.Protocol in origin.__mro__:
        return True
    return isinstance(value, origin)


def _is_list(value: Any, origin: Any, parts: tuple[Any, ...]) -> bool:
    if isinstance(value, str | bytes | dict) or not isinstance(value, collections.abc.Iterable):
        return False
    if not hasattr(value, "__len__"):  # looking at the items of an iterator would use them up
        return origin is collections.abc.Iterable
    items = list(value)
    if origin is tuple and Ellipsis not in parts:
        return len(items) == len(parts) and all(map(fits, items, parts))
    return all(fits(item, parts[0]) for item in items) if parts else True


_SCALARS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    int: (lambda value: abs(received.integer(value) or 0) <= received.LARGEST
          and received.integer(value) is not None, "an integer"),
    float: (lambda value: received.number(value) is not None, "a finite number"),
    bool: (lambda value: received.boolean(value) is not None, "True or False"),
    str: (lambda value: isinstance(value, str), "a string"),
    types.NoneType: (lambda value: value is None, "None"),
    None: (lambda value: value is None, "None"),
    Any: (lambda _: True, "anything"),
}  # fmt: skip


def words(kind: Any) -> str:
    """Return a kind in words.

    Examples:
        >>> words(int | None), words(tuple[int, int]), words(Path)
        ('an integer or None', '(an integer, an integer)', 'a path')
    """
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(words, parts)))
    if origin in _SCALARS:
        return _SCALARS[origin][1]
    if origin in _PATHS:
        return "a path"
    if origin is tuple and Ellipsis not in parts:
        return f"({', '.join(map(words, parts))})"
    if origin in _LISTS:
        return f"a list, each item {words(parts[0])}" if parts else "a list"
    if origin is collections.abc.Callable:
        return "a function"
    return f"a {getattr(origin, '__name__', str(origin))}"
