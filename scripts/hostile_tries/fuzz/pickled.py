"""Mutations of a pickle's instructions, and pickles that would do harm."""

from __future__ import annotations

import functools
import os
import pickle
import pickletools
import random
import struct

from hostile_tries.fuzz.fuzzing import CANARY

_NUMBERS = (0, 1, 2, 255, 2**16 - 1, 2**31 - 1, 2**32 - 1)
_INSTRUCTIONS = [info.code.encode("latin-1") for info in pickletools.opcodes]


class _Harm:
    """What calls a function of the system when it is unpickled."""

    def __init__(self, function: object, *arguments: object) -> None:
        self._what = function, arguments

    def __reduce__(self) -> object:
        return self._what


def harmful() -> list[bytes]:
    """Return pickles that execute, crash or take gigabytes in an unpickler that trusts them."""
    touch = f"touch {CANARY}"
    calls = [(os.system, touch), (eval, f"open({CANARY!r}, 'w')"), (exec, f"open({CANARY!r}, 'w')")]
    executed = [
        pickle.dumps(_Harm(function, words), protocol)
        for function, words in (*calls, (open, CANARY))
        for protocol in range(5)
    ]
    old = f"(S'{touch}'\nios\nsystem\n.".encode()  # INST
    deep = b")" + b"\x85" * 300_000
    addresses = b"cnumpy\nndarray\n((I2\ntS'O'\nS'AAAAAAAABBBBBBBB'\ntR"
    return [
        *executed,
        old,
        b"(cos\nsystem\nS'" + touch.encode() + b"'\no.",  # OBJ
        b"cos\nsystem\n(S'" + touch.encode() + b"'\nt\x81.",  # NEWOBJ
        b"}" + deep + b"Ns.",  # the hash of a deep tuple
        b"]" * 100_000 + b".",
        b"(dS'data'\n" + addresses + b"sS'labels'\n(lI1\nas.",
        _array("(I2\nI3072\ntp", "u1", b"A" * 6144).replace(b"(lI1\na", addresses),
        b"(dS'labels'\ncnumpy\nndarray\n((I1099511627776\ntS'u1'\ntRs.",
        b"N" + b"r\xff\xff\xff\x7f" + b".",  # a memo of 2**31 places
        b"\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x95" + struct.pack("<Q", 2**62) + b"N.",
        b"\x8b" + struct.pack("<i", 2**31 - 1) + b"1.",
        b"L" + b"9" * 100_000 + b"L\n.",
        _array("(I1000000000000\ntp", "O", b"A" * 8),
        _array("(I1\ntp", "O", b"A" * 8),
        _array("(I1099511627776\ntp", "u1", b"A" * 8),
        _array("(I-1\ntp", "u1", b"A" * 8),
        _array("(I1\ntp", "O8,O8", b"A" * 16),
        b"cnumpy\nndarray\n((I1\ntS'O'\nS'AAAAAAAA'\ntR.",
        b"cnumpy\nndarray\n((I1099511627776\ntS'u1'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1099511627776\ntS'b'\ntR.",
        b"cnumpy.core.multiarray\nfromstring\n(S'AAAAAAAA'\nS'O'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\nI0\nI1\ntRS'AAAAAAAA'\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(S'AAAAAAAA'\ncnumpy\ndtype\n(S'O8'\nI0\nI1\ntR(I1\ntS'C'\ntR.",
    ]


def _array(shape: str, kind: str, contents: bytes) -> bytes:
    """Return a batch whose pixels are such an array."""
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    typed = f"cnumpy\ndtype\n(S'{kind}'\nI0\nI1\ntR".encode()
    state = b"(I1\n" + shape.replace("tp", "t").encode() + typed + b"I00\nS'" + contents + b"'\ntb"
    return b"(dS'data'\n" + made + state + b"sS'labels'\n(lI1\nas."


@functools.cache
def _parts(honest: bytes) -> list[bytes]:
    starts = [at for _, _, at in pickletools.genops(honest)]
    return [honest[a:b] for a, b in zip(starts, [*starts[1:], len(honest)], strict=True)]


@functools.cache
def _harmful() -> list[bytes]:
    return harmful()


def instructions(chance: random.Random, honest: bytes) -> bytes:
    """Mutate the instructions of a pickle, which stays a sequence of instructions."""
    if chance.random() < 0.05:
        return chance.choice(_harmful())
    parts = list(_parts(honest))
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice((_drop, _double, _swap, _replace, _number, _insert))(chance, parts)
    return b"".join(parts)


def _drop(chance: random.Random, parts: list[bytes]) -> None:
    parts.pop(chance.randrange(len(parts)))


def _double(chance: random.Random, parts: list[bytes]) -> None:
    at = chance.randrange(len(parts))
    parts.insert(at, parts[at])


def _swap(chance: random.Random, parts: list[bytes]) -> None:
    one, other = (chance.randrange(len(parts)) for _ in range(2))
    parts[one], parts[other] = parts[other], parts[one]


def _replace(chance: random.Random, parts: list[bytes]) -> None:
    at = chance.randrange(len(parts))
    parts[at] = chance.choice(_INSTRUCTIONS) + parts[at][1:]


def _number(chance: random.Random, parts: list[bytes]) -> None:
    at = chance.randrange(len(parts))
    parts[at] = b"J" + struct.pack("<I", chance.choice(_NUMBERS))


def _insert(chance: random.Random, parts: list[bytes]) -> None:
    """Insert what would call a function, in the midst of the pickle."""
    parts.insert(chance.randrange(len(parts)), chance.choice(_harmful())[:-1][:100_000])
