"""JSON that a run has stored, read back as values of known types."""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import math
import reprlib
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from keras_convnets.readers import json_text

_Kind = TypeVar("_Kind")

_NAMES = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}
_LONGEST = 60  # characters of a value in an error


def parse(text: bytes | bytearray, finite: bool = True) -> dict[str, Any]:
    """Return the JSON object in a file that this package wrote.

    Args:
        text: the contents of the file.
        finite: whether numbers must be finite.

    Raises:
        ValueError: it is something else; the error says what is wrong, in a few words.

    Examples:
        >>> parse(b'{"epochs": 3}')
        {'epochs': 3}
        >>> parse(b'{"epochs": 3, "epochs": 4}')
        Traceback (most recent call last):
        ValueError: it has 'epochs' twice
    """
    number = _finite if finite else float
    try:
        found = json_text.parse(
            text,
            object_pairs_hook=_once_each,
            parse_constant=number,
            parse_float=number,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"it holds {shown(found)}; expected a JSON object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds {text[:_LONGEST]}; expected finite numbers")
    return number


def _integer(text: str) -> int:
    if len(text) > _LONGEST:
        raise ValueError(f"it holds an integer of {len(text):,} digits")
    return int(text)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = collections.Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"it has {shown(twice)} twice")
    return found


def read(kind: type[_Kind], value: Any, where: str = "") -> _Kind:
    """Return a dataclass from the JSON object that ``dataclasses.asdict`` made of it.

    Every field must be there, and nothing else. Its type may be made of ``bool``, ``int``,
    ``float``, ``str``, ``None``, tuples, lists, dictionaries by name and dataclasses; what the own
    checks of a dataclass refuse is refused too. A class that accepts more from files than from
    callers has a class method ``from_config``, which receives the values by name.

    Args:
        kind: the dataclass.
        value: the JSON object.
        where: the name of the object within the file, for the error.

    Raises:
        ValueError: a value is missing, unknown, of another type or out of range.

    Examples:
        >>> from keras_convnets.training.recipe.settings import Settings
        >>> written = dataclasses.asdict(Settings(seed=7))
        >>> read(Settings, written).seed
        7
        >>> read(Settings, written | {"seed": "7"}, "settings")
        Traceback (most recent call last):
        ValueError: settings.seed: received '7'; expected an integer
    """
    if not isinstance(value, dict):
        raise ValueError(_wrong(where, value, "a JSON object"))
    hints = _hints(cast(Any, kind))
    for name in hints:
        if name not in value:
            raise ValueError(f"it lacks {_path(where, name)!r}")
    for name in value:
        if name not in hints:
            raise ValueError(f"it has {shown(_path(where, name))}, which is unknown")
    values = {name: _value(hint, value[name], _path(where, name)) for name, hint in hints.items()}
    try:
        from_config = getattr(kind, "from_config", None)
        return kind(**values) if from_config is None else from_config(values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from error


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def _value(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:  # which the dataclass checks
        return value
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        several = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
        structure = tuple if isinstance(value, list) else type(value)
        alike = [kind for kind in several if typing.get_origin(kind) is structure]
        hint = (alike or several)[0]
    if dataclasses.is_dataclass(hint):
        return read(cast(type, hint), value, where)
    if hint in _NAMES:
        return _plain(hint, value, where)
    kinds = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return _tuple(kinds, value, where)
    if typing.get_origin(hint) is list:
        return list(_tuple((kinds[0], ...), value, where))
    if not isinstance(value, dict):
        raise ValueError(_wrong(where, value, "a JSON object"))
    return {name: _value(kinds[1], inner, _path(where, name)) for name, inner in value.items()}


def _plain(kind: type, value: Any, where: str) -> Any:
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    if type(value) is not kind:
        raise ValueError(_wrong(where, value, _NAMES[kind]))
    return value


def _tuple(kinds: Sequence[Any], value: Any, where: str) -> tuple[Any, ...]:
    is_open = kinds[-1] is Ellipsis
    if not isinstance(value, list) or (not is_open and len(value) != len(kinds)):
        expected = "a list" if is_open else f"a list of {len(kinds)}"
        raise ValueError(_wrong(where, value, expected))
    inner = [kinds[0]] * len(value) if is_open else kinds
    return tuple(
        _value(kind, one, f"{where}[{number}]")
        for number, (kind, one) in enumerate(zip(inner, value, strict=True))
    )


def written(value: Any) -> dict[str, Any]:
    """Return what a dataclass is as a JSON object: what `read` receives when it is read back."""
    return json.loads(json.dumps(dataclasses.asdict(value)))


def written_defaults(fields: Iterable[dataclasses.Field[Any]]) -> dict[str, Any]:
    """Return the defaults of fields as `written` would write them, for those that have one."""
    missing = dataclasses.MISSING
    made = {
        field.name: field.default if field.default_factory is missing else field.default_factory()
        for field in fields
    }
    return json.loads(json.dumps({name: one for name, one in made.items() if one is not missing}))


def shown(value: Any) -> str:
    """Return a value in an error: a line of bounded length."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = brief.maxlong = _LONGEST
    return brief.repr(value)


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(where: str, value: Any, expected: str) -> str:
    return f"{where}: received {shown(value)}; expected {expected}".removeprefix(": ")
