"""A machine for pickles that can call nothing.

A pickle is a program: its instructions build values, name functions and call them. This machine
has the instructions that build plain values. A function is only its name here; what a few of them
would return is for the machine's user to say. Strings that Python 2 wrote are bytes.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from keras_convnets.readers.damage import DamagedFile

_MOST = 2_000_000  # instructions; the largest of the published files has 400,000


class Name(NamedTuple):
    """The name of a function or class; never the thing itself."""

    module: str
    name: str


class Unfinished:
    """A value to which a later instruction adds a state."""

    def build(self, state: Any) -> None:
        """Add the state."""
        raise NotImplementedError


class Machine:
    """What carries out the instructions of a pickle.

    Args:
        contents: the pickle.
        call: a function that returns what a call returns, given a name and arguments; it raises
            `DamagedFile` for all but a few names.
    """

    def __init__(
        self, contents: bytes | bytearray, call: Callable[[Name, tuple[Any, ...]], Any]
    ) -> None:
        self._contents, self._view, self._at = contents, memoryview(contents), 0
        self._call = call
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the value that the pickle describes."""
        for _ in range(_MOST):
            instruction = self.take(1)
            if instruction == pickle.STOP:
                return self._stack.pop()
            self.carry_out(instruction)
        raise DamagedFile(f"it has a pickle of more than {_MOST:,} instructions")

    def carry_out(self, instruction: bytes) -> None:
        if instruction in _CONSTANTS:
            self._stack.append(_CONSTANTS[instruction]())
        elif instruction in _PACKED:
            self._stack.append(self.unpacked(_PACKED[instruction]))
        elif instruction in _SIZED:
            size, value = _SIZED[instruction]
            self._stack.append(value(self.take(self.unpacked(size))))
        elif instruction in _LINES:
            self._stack.append(_LINES[instruction](self.line()))
        elif instruction in _SKIPPED:
            self.take(_SKIPPED[instruction])
        elif instruction in _STORED:
            self._memo[_STORED[instruction](self)] = self._stack[-1]
        elif instruction in _FETCHED:
            self._stack.append(self._memo[_FETCHED[instruction](self)])
        elif instruction in _DONE:
            _DONE[instruction](self)
        else:
            raise DamagedFile(f"it has a pickle with the instruction {instruction!r}")

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._view) - self._at:
            raise DamagedFile("it has a pickle that ends too early")
        found = bytes(self._view[self._at : self._at + size])
        self._at += size
        return found

    def unpacked(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def line(self) -> bytes:
        return self.take(self._contents.index(b"\n", self._at) + 1 - self._at)[:-1]

    def index(self) -> int:
        return int(self.line())

    def byte(self) -> int:
        return self.unpacked("<B")

    def word(self) -> int:
        return self.unpacked("<I")

    def unused(self) -> int:
        return len(self._memo)

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[Any]:
        found, self._stack = self._stack, self._marks.pop()
        return found

    def pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self.since_mark()

    def last(self, count: int) -> tuple[Any, ...]:
        if len(self._stack) < count:
            raise DamagedFile("it has a pickle that takes values that are not there")
        found = tuple(self._stack[len(self._stack) - count :])
        del self._stack[len(self._stack) - count :]
        return found

    def extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise DamagedFile(f"it has a pickle that appends to {type(target).__name__}")
        target += items

    def set_keys(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict:
            raise DamagedFile(f"it has a pickle that sets keys of {type(target).__name__}")
        target.update(_dictionary(items))

    def function(self) -> None:
        self._stack.append(Name(self.line().decode(), self.line().decode()))

    def stack_global(self) -> None:
        self._stack.append(Name(*map(text_of, self.last(2))))

    def reduce(self) -> None:
        function, arguments = self.last(2)
        if not isinstance(function, Name) or type(arguments) is not tuple:
            raise DamagedFile("it has a pickle that calls something that is not a function")
        self._stack.append(self._call(function, arguments))

    def build(self) -> None:
        (state,) = self.last(1)
        target = self._stack[-1]
        if not isinstance(target, Unfinished):
            raise DamagedFile(f"it has a pickle that changes {type(target).__name__}")
        target.build(state)


def _dictionary(items: list[Any]) -> dict[Any, Any]:
    keys, values = items[::2], items[1::2]
    if not all(type(key) in (bytes, str, int) for key in keys):  # deep ones crash when hashed
        raise DamagedFile("it has a dictionary whose keys are not strings")
    return dict(zip(keys, values, strict=True))


def text_of(value: Any) -> str:
    if not isinstance(value, str | bytes):
        raise DamagedFile(f"it has a pickle with {type(value).__name__} for a name")
    return value if isinstance(value, str) else value.decode("ascii")


def _utf8(contents: bytes) -> str:
    return contents.decode("utf-8", "surrogatepass")


def _long(contents: bytes) -> int:
    return int.from_bytes(contents, "little", signed=True)


def _truth_or_int(line: bytes) -> int:
    return {b"00": False, b"01": True}.get(line, int(line))


def _string(line: bytes) -> bytes:
    """Return the bytes that Python 2 wrote as a literal."""
    quoted = len(line) > 1 and line[:1] == line[-1:] and line[:1] in (b"'", b'"')
    if not quoted:
        raise DamagedFile("it has a pickle with a string without quotes")
    return line[1:-1].decode("unicode_escape").encode("latin-1")


_CONSTANTS: dict[bytes, Callable[[], Any]] = {
    pickle.NONE: lambda: None,
    pickle.NEWTRUE: lambda: True,
    pickle.NEWFALSE: lambda: False,
    pickle.EMPTY_LIST: list,
    pickle.EMPTY_DICT: dict,
    pickle.EMPTY_TUPLE: tuple,
}
_PACKED = {pickle.BININT: "<i", pickle.BININT1: "<B", pickle.BININT2: "<H", pickle.BINFLOAT: ">d"}
_SIZED: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    pickle.SHORT_BINSTRING: ("<B", bytes),
    pickle.BINSTRING: ("<i", bytes),
    pickle.SHORT_BINBYTES: ("<B", bytes),
    pickle.BINBYTES: ("<I", bytes),
    pickle.BINBYTES8: ("<Q", bytes),
    pickle.BYTEARRAY8: ("<Q", bytes),
    pickle.SHORT_BINUNICODE: ("<B", _utf8),
    pickle.BINUNICODE: ("<I", _utf8),
    pickle.BINUNICODE8: ("<Q", _utf8),
    pickle.LONG1: ("<B", _long),
    pickle.LONG4: ("<i", _long),
}
_LINES: dict[bytes, Callable[[bytes], Any]] = {
    pickle.INT: _truth_or_int,
    pickle.LONG: lambda line: int(line.rstrip(b"L")),
    pickle.FLOAT: float,
    pickle.STRING: _string,
    pickle.UNICODE: lambda line: line.decode("raw_unicode_escape"),
}
_SKIPPED = {pickle.PROTO: 1, pickle.FRAME: 8}
_STORED: dict[bytes, Callable[[Machine], int]] = {
    pickle.PUT: Machine.index,
    pickle.BINPUT: Machine.byte,
    pickle.LONG_BINPUT: Machine.word,
    pickle.MEMOIZE: Machine.unused,
}
_FETCHED: dict[bytes, Callable[[Machine], int]] = {
    pickle.GET: Machine.index,
    pickle.BINGET: Machine.byte,
    pickle.LONG_BINGET: Machine.word,
}
_DONE: dict[bytes, Callable[[Machine], None]] = {
    pickle.MARK: Machine.mark,
    pickle.POP: Machine.pop,
    pickle.POP_MARK: lambda machine: machine.since_mark().clear(),
    pickle.GLOBAL: Machine.function,
    pickle.STACK_GLOBAL: Machine.stack_global,
    pickle.REDUCE: Machine.reduce,
    pickle.BUILD: Machine.build,
    pickle.TUPLE: lambda machine: machine.push(tuple(machine.since_mark())),
    pickle.TUPLE1: lambda machine: machine.push(machine.last(1)),
    pickle.TUPLE2: lambda machine: machine.push(machine.last(2)),
    pickle.TUPLE3: lambda machine: machine.push(machine.last(3)),
    pickle.LIST: lambda machine: machine.push(machine.since_mark()),
    pickle.DICT: lambda machine: machine.push(_dictionary(machine.since_mark())),
    pickle.APPEND: lambda machine: machine.extend(list(machine.last(1))),
    pickle.APPENDS: lambda machine: machine.extend(machine.since_mark()),
    pickle.SETITEM: lambda machine: machine.set_keys(list(machine.last(2))),
    pickle.SETITEMS: lambda machine: machine.set_keys(machine.since_mark()),
}
