"""Ways to mutate bytes, whatever they are."""

from __future__ import annotations

import random

_SPECIAL = (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01")


def anywhere(chance: random.Random, honest: bytes) -> bytes:
    """Mutate bytes somewhere, once or a few times."""
    mutated = honest
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        mutated = chance.choice(_WAYS)(chance, mutated)
    return mutated


def _flip(chance: random.Random, honest: bytes) -> bytes:
    mutated = bytearray(honest or b"\0")
    for _ in range(chance.choice((1, 1, 2, 8))):
        mutated[chance.randrange(len(mutated))] ^= 1 << chance.randrange(8)
    return bytes(mutated)


def _truncate(chance: random.Random, honest: bytes) -> bytes:
    return honest[: chance.randrange(len(honest) + 1)]


def _insert(chance: random.Random, honest: bytes) -> bytes:
    at = chance.randrange(len(honest) + 1)
    return honest[:at] + chance.randbytes(chance.choice((1, 2, 16, 300))) + honest[at:]


def _splice(chance: random.Random, honest: bytes) -> bytes:
    one, other = (chance.randrange(len(honest) + 1) for _ in range(2))
    return honest[:one] + honest[other:]


def _repeat(chance: random.Random, honest: bytes) -> bytes:
    at, size = chance.randrange(len(honest) + 1), chance.choice((4, 64, 1000))
    return (
        honest[: at + size]
        + honest[at : at + size] * chance.choice((1, 2, 50))
        + honest[at + size :]
    )


def _blank(chance: random.Random, honest: bytes) -> bytes:
    at, size = chance.randrange(len(honest) + 1), chance.choice((1, 2, 4, 8, 200))
    filled = (chance.choice(_SPECIAL) * size)[: len(honest) - at]
    return honest[:at] + filled + honest[at + size :]


def _copy(chance: random.Random, honest: bytes) -> bytes:
    at, other = (chance.randrange(len(honest) + 1) for _ in range(2))
    copied = honest[other : other + chance.choice((1, 8, 64))]
    return honest[:at] + copied + honest[at + len(copied) :]


_WAYS = (_flip, _flip, _truncate, _insert, _splice, _repeat, _blank, _copy)
