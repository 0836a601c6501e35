"""Values in pickles: names of functions, dictionaries, texts and numbers, by instruction."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

from keras_convnets.readers.damage import DamagedFile

_SCALARS = (bytes, str, int, float, bool, type(None))


class Name(NamedTuple):
    """The name of a function or class; never the thing itself."""

    module: str
    name: str


class Unfinished:
    """A value to which later instructions add a state, items or keys."""

    def build(self, state: Any) -> None:
        """Add the state."""
        raise NotImplementedError

    def extend(self, items: list[Any]) -> None:
        """Add items, as to a list."""
        raise DamagedFile("it has a pickle that appends to what is no list")

    def update(self, items: dict[Any, Any]) -> None:
        """Set keys, as of a dictionary."""
        raise DamagedFile("it has a pickle that sets keys of what is no dictionary")


def dictionary(items: list[Any]) -> dict[Any, Any]:
    """Return the dictionary of keys and values in turn."""
    keys, values = items[::2], items[1::2]
    if not all(map(_is_key, keys)):
        raise DamagedFile("it has a dictionary whose keys are not strings or numbers")
    found = dict(zip(keys, values, strict=True))
    if len(found) < len(keys):
        raise DamagedFile("it has a dictionary with a key twice")
    return found


def _is_key(value: Any) -> bool:
    """Return whether a value may be a key: the hash of a deep tuple would end the process."""
    if type(value) in (tuple, Name):
        return all(type(item) in _SCALARS for item in value)
    return type(value) in _SCALARS


def text_of(value: Any) -> str:
    """Return a text, which Python 2 may have written as bytes."""
    if not isinstance(value, str | bytes):
        raise DamagedFile(f"it has a pickle with {type(value).__name__} for a name")
    return value if isinstance(value, str) else value.decode("ascii")


def utf8(contents: bytes) -> str:
    """Return a text, which may have lone surrogates."""
    return contents.decode("utf-8", "surrogatepass")


def long(contents: bytes) -> int:
    """Return an integer of any size."""
    return int.from_bytes(contents, "little", signed=True)


def truth_or_int(line: bytes) -> int:
    """Return an integer, or a truth value, which has a leading zero."""
    return {b"00": False, b"01": True}.get(line, int(line))


def string(line: bytes) -> bytes:
    """Return the bytes that Python 2 wrote as a literal."""
    quoted = len(line) > 1 and line[:1] == line[-1:] and line[:1] in (b"'", b'"')
    if not quoted:
        raise DamagedFile("it has a pickle with a string without quotes")
    return line[1:-1].decode("unicode_escape").encode("latin-1")


CONSTANTS: dict[bytes, Callable[[], Any]] = {
    pickle.NONE: lambda: None,
    pickle.NEWTRUE: lambda: True,
    pickle.NEWFALSE: lambda: False,
    pickle.EMPTY_LIST: list,
    pickle.EMPTY_DICT: dict,
    pickle.EMPTY_TUPLE: tuple,
    pickle.EMPTY_SET: list,
}
PACKED = {pickle.BININT: "<i", pickle.BININT1: "<B", pickle.BININT2: "<H", pickle.BINFLOAT: ">d"}
SIZED: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    pickle.SHORT_BINSTRING: ("<B", bytes),
    pickle.BINSTRING: ("<i", bytes),
    pickle.SHORT_BINBYTES: ("<B", bytes),
    pickle.BINBYTES: ("<I", bytes),
    pickle.BINBYTES8: ("<Q", bytes),
    pickle.BYTEARRAY8: ("<Q", bytes),
    pickle.SHORT_BINUNICODE: ("<B", utf8),
    pickle.BINUNICODE: ("<I", utf8),
    pickle.BINUNICODE8: ("<Q", utf8),
    pickle.LONG1: ("<B", long),
    pickle.LONG4: ("<i", long),
}
LINES: dict[bytes, Callable[[bytes], Any]] = {
    pickle.INT: truth_or_int,
    pickle.LONG: lambda line: int(line.rstrip(b"L")),
    pickle.FLOAT: float,
    pickle.STRING: string,
    pickle.UNICODE: lambda line: line.decode("raw_unicode_escape"),
}
SKIPPED = {pickle.PROTO: 1, pickle.FRAME: 8}
