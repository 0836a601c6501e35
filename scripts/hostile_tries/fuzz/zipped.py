"""Mutations of archives and arrays that keep their checksums: what a damaged disk cannot make."""

from __future__ import annotations

import functools
import gzip
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable

from hostile_tries.fuzz import mutations
from hostile_tries.fuzz.fuzzing import CANARY, Mutation

_SIZES = (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
_AXES = (0, 1, 3, 28, 10**6, 2**31, 2**40, 2**63, -1)
_CODES = (
    "|u1",
    "<f4",
    "<i8",
    "|O",
    "|O8",
    "<U9",
    "|V8",
    "<M8[s]",
    "|S1",
    "<c8",
    "<f16",
    "|b1",
    "x",
)
_RECORDS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")


@functools.cache
def members(honest: bytes) -> dict[str, bytes]:
    """Return the members of an archive."""
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive of files, of which several may have one name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, contents in files:
            archive.writestr(zipfile.ZipInfo(name), contents, method)
    return written.getvalue()


def of_member(names: tuple[str, ...], mutate: Mutation) -> Mutation:
    """Return a mutation of one of the members, whose archive is then as it should be."""

    def mutated(chance: random.Random, honest: bytes) -> bytes:
        files = dict(members(honest))
        name = chance.choice([name for name in files if name in names or not names])
        files[name] = mutate(chance, files[name])
        return zipped(
            list(files.items()), chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        )

    return mutated


def directory(chance: random.Random, honest: bytes) -> bytes:
    """Mutate the directory of an archive: its members, or the fields that describe one."""
    files = list(members(honest).items())
    at = chance.randrange(len(files))
    name, contents = files[at]
    way = chance.randrange(8)
    if way == 0:
        files.pop(at)
    elif way == 1:
        files.append((name, chance.choice((contents, b"", contents[:-1]))))
    elif way == 2:
        files[at] = (chance.choice(("../", "/tmp/", "a/../../", "x")) + name, contents)
    elif way == 3:
        return zipped(files, chance.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    else:
        return _field(chance, honest)
    return zipped(files)


def _field(chance: random.Random, honest: bytes) -> bytes:
    record = chance.choice(_RECORDS)
    starts = [at for at in range(len(honest)) if honest.startswith(record, at)]
    at = chance.choice(starts) + chance.randrange(4, 44)
    size = chance.choice(("<H", "<I"))
    value = struct.pack(size, chance.choice(_SIZES) & (2 ** (8 * struct.calcsize(size)) - 1))
    return honest[:at] + value + honest[at + len(value) :]


def npy_header(chance: random.Random, honest: bytes) -> bytes:
    """Give an array another header."""
    (length,) = struct.unpack("<H", honest[8:10])
    header, data = honest[10 : 10 + length].decode(), honest[10 + length :]
    way = chance.randrange(6)
    if way == 0:
        header = header.replace("'descr': '", "'descr': '" + chance.choice(_CODES))
    elif way == 1:
        shape = tuple(chance.choice(_AXES) for _ in range(chance.choice((0, 1, 2, 3, 40))))
        header = header[: header.index("(")] + f"{shape}, }}"
    elif way == 2:
        header = header.replace("False", chance.choice(("True", "1", "None", "[]", "eval")))
    elif way == 3:
        header = mutations.anywhere(chance, header.encode()).decode("latin-1")
    elif way == 4:
        header = chance.choice(("(" * 5000, "-" * 9000 + "1", f"open({CANARY!r}, 'w')", "{}", ""))
    code = chance.choice(_CODES)
    if way == 5:
        header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': ({len(data)},), }}"
    version = chance.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    size = struct.pack("<H" if version[0] == 1 else "<I", len(header.encode("latin-1")))
    return honest[:6] + version + size + header.encode("latin-1") + data


def of_gzip(mutate: Mutation) -> Mutation:
    """Return a mutation of what a gzip file has within, whose checksum is then as it should be."""

    def mutated(chance: random.Random, honest: bytes) -> bytes:
        return gzip.compress(mutate(chance, _inflated(honest)), 1)

    return mutated


@functools.cache
def _inflated(honest: bytes) -> bytes:
    return gzip.decompress(honest)


def idx_header(chance: random.Random, honest: bytes) -> bytes:
    """Give an IDX file another header."""
    rank = honest[3]
    header = bytearray(honest[: 4 + 4 * rank])
    for _ in range(chance.choice((1, 2))):
        if chance.random() < 0.3:
            header[chance.randrange(4)] = chance.choice((0, 1, 8, 9, 13, 14, 255))
        else:
            at = 4 + 4 * chance.randrange(rank)
            header[at : at + 4] = struct.pack(">I", chance.choice((*_SIZES, 2, 3, 28, 2**26)))
    return bytes(header) + honest[4 + 4 * rank :]


def tar_header(chance: random.Random, honest: bytes) -> bytes:
    """Change a field of a member's header in a tar archive, and its checksum with it."""
    starts = [at for at in range(0, len(honest), 512) if honest[at + 257 : at + 262] == b"ustar"]
    at = chance.choice(starts)
    header = bytearray(honest[at : at + 512])
    field = chance.choice(
        ((0, 100), (124, 12), (124, 12), (156, 1), (156, 1), (157, 100), (345, 155))
    )
    header[field[0] : sum(field)] = _field_value(chance, field[1])
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    return honest[:at] + bytes(header) + honest[at + 512 :]


def _field_value(chance: random.Random, size: int) -> bytes:
    if size == 1:
        return bytes([chance.choice(b"\x000123456789LKSxgXDMNV")])
    if size == 12:
        numbers = (
            b"77777777777",
            b"00000000000",
            b"\x80" + (2**62).to_bytes(11, "big"),
            b"\xff" * 12,
        )
        return chance.choice((*numbers, b"-0000000001", b"00000006000")).ljust(12, b"\0")
    return chance.choice((b"../x", b"/etc/passwd", b"\xff" * size, b"", b"a/" * 49)).ljust(
        size, b"\0"
    )[:size]


def of_json(change: Callable[[random.Random, object], object]) -> Mutation:
    """Return a mutation of JSON that changes its values."""

    def mutated(chance: random.Random, honest: bytes) -> bytes:
        return json.dumps(change(chance, json.loads(honest))).encode("utf-8", "surrogatepass")

    return mutated
