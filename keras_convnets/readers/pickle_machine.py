"""A machine for pickles that can call nothing.

A pickle is a program: its instructions build values, name functions and call them. This machine
has the instructions that build plain values. A function is only its name here; what a few of them
would return is for the machine's user to say, as is what a persistent id refers to. Strings that
Python 2 wrote are bytes. Sets are lists.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from keras_convnets.readers.damage import DamagedFile, reason
from keras_convnets.readers.pickle_values import (
    CONSTANTS,
    LINES,
    PACKED,
    SIZED,
    SKIPPED,
    Name,
    Unfinished,
    dictionary,
    text_of,
)

_MOST = 2_000_000  # instructions; the largest of the published files has 400,000


def no_persistent_ids(identifier: Any) -> Any:
    """Refuse a persistent id, for pickles that have none."""
    raise DamagedFile("it has a pickle that refers to something outside")


class Machine:
    """What carries out the instructions of a pickle.

    Args:
        stream: where the pickle begins; once it has run, where it ends.
        size: how many bytes there are at most.
        call: a function that returns what a call returns, given a name and arguments; it raises
            `DamagedFile` for what may not be called. Instances of classes are calls too.
        persistent: a function that returns what a persistent id refers to.
        most: how many instructions it may have; each may make a value of a hundred bytes.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        call: Callable[[Name, tuple[Any, ...]], Any],
        persistent: Callable[[Any], Any] = no_persistent_ids,
        most: int | None = None,
    ) -> None:
        self._stream, self._left = stream, size
        self._call, self._persistent = call, persistent
        self._most = _MOST if most is None else most
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the value that the pickle describes."""
        try:
            return self._run()
        except (DamagedFile, MemoryError):
            raise
        except Exception as error:  # values that are not there, or not what they should be
            raise DamagedFile(f"its pickle is damaged: {reason(error)}") from error

    def _run(self) -> Any:
        for _ in range(self._most):
            instruction = self.take(1)
            if instruction == pickle.STOP:
                return self._stack.pop()
            self.carry_out(instruction)
        raise DamagedFile(f"it has a pickle of more than {self._most:,} instructions")

    def carry_out(self, instruction: bytes) -> None:
        if instruction in CONSTANTS:
            self._stack.append(CONSTANTS[instruction]())
        elif instruction in PACKED:
            self._stack.append(self.unpacked(PACKED[instruction]))
        elif instruction in SIZED:
            size, value = SIZED[instruction]
            self._stack.append(value(self.take(self.unpacked(size))))
        elif instruction in LINES:
            self._stack.append(LINES[instruction](self.line()))
        elif instruction in SKIPPED:
            self.take(SKIPPED[instruction])
        elif instruction in _STORED:
            self._memo[_STORED[instruction](self)] = self._stack[-1]
        elif instruction in _FETCHED:
            self._stack.append(self._memo[_FETCHED[instruction](self)])
        elif instruction in _DONE:
            _DONE[instruction](self)
        else:
            raise DamagedFile(f"it has a pickle with the instruction {instruction!r}")

    def take(self, size: int) -> bytes:
        found = self._stream.read(size) if 0 <= size <= self._left else b""
        if len(found) != size:
            raise DamagedFile("it has a pickle that ends too early")
        self._left -= size
        return found

    def unpacked(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def line(self) -> bytes:
        found = self._stream.readline(self._left)
        if not found.endswith(b"\n"):
            raise DamagedFile("it has a pickle that ends too early")
        self._left -= len(found)
        return found[:-1]

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
        if type(target) is not list and not isinstance(target, Unfinished):
            raise DamagedFile(f"it has a pickle that appends to {type(target).__name__}")
        target.extend(items)

    def set_keys(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict and not isinstance(target, Unfinished):
            raise DamagedFile(f"it has a pickle that sets keys of {type(target).__name__}")
        added = dictionary(items)
        if isinstance(target, dict) and not target.keys().isdisjoint(added):
            raise DamagedFile("it has a dictionary with a key twice")
        target.update(added)

    def function(self) -> None:
        self._stack.append(Name(self.line().decode(), self.line().decode()))

    def stack_global(self) -> None:
        self._stack.append(Name(*map(text_of, self.last(2))))

    def reduce(self) -> None:
        self.call(*self.last(2))

    def call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, Name) or type(arguments) is not tuple:
            raise DamagedFile("it has a pickle that calls something that is not a function")
        self._stack.append(self._call(function, arguments))

    def instance(self) -> None:
        """Make an instance of a class that is named within the instruction."""
        arguments = tuple(self.since_mark())
        self.call(Name(self.line().decode(), self.line().decode()), arguments)

    def instance_of(self) -> None:
        """Make an instance of a class that comes before the arguments."""
        function, *arguments = self.since_mark() or [None]
        self.call(function, tuple(arguments))

    def instance_with_names(self) -> None:
        """Make an instance of a class, some of whose arguments have names."""
        function, arguments, named = self.last(3)
        self.call(function, (*arguments, named) if type(arguments) is tuple else None)

    def persistent_id(self) -> None:
        (identifier,) = self.last(1)
        self._stack.append(self._persistent(identifier))

    def build(self) -> None:
        (state,) = self.last(1)
        target = self._stack[-1]
        if not isinstance(target, Unfinished):
            raise DamagedFile(f"it has a pickle that changes {type(target).__name__}")
        target.build(state)


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
    pickle.INST: Machine.instance,
    pickle.OBJ: Machine.instance_of,
    pickle.NEWOBJ: Machine.reduce,
    pickle.NEWOBJ_EX: Machine.instance_with_names,
    pickle.BINPERSID: Machine.persistent_id,
    pickle.BUILD: Machine.build,
    pickle.TUPLE: lambda machine: machine.push(tuple(machine.since_mark())),
    pickle.TUPLE1: lambda machine: machine.push(machine.last(1)),
    pickle.TUPLE2: lambda machine: machine.push(machine.last(2)),
    pickle.TUPLE3: lambda machine: machine.push(machine.last(3)),
    pickle.LIST: lambda machine: machine.push(machine.since_mark()),
    pickle.DICT: lambda machine: machine.push(dictionary(machine.since_mark())),
    pickle.APPEND: lambda machine: machine.extend(list(machine.last(1))),
    pickle.APPENDS: lambda machine: machine.extend(machine.since_mark()),
    pickle.ADDITEMS: lambda machine: machine.extend(machine.since_mark()),
    pickle.FROZENSET: lambda machine: machine.push(machine.since_mark()),
    pickle.SETITEM: lambda machine: machine.set_keys(list(machine.last(2))),
    pickle.SETITEMS: lambda machine: machine.set_keys(machine.since_mark()),
}
