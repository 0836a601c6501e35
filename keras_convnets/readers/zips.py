"""Zip archives, whose directory is checked before anything is inflated."""

from __future__ import annotations

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np

from keras_convnets.readers.damage import DamagedFile, allowed, block, shown, size_of, take

_ENCRYPTED, _UTF8 = 0x1, 0x800
_LOCAL = struct.Struct("<4s5H3I2H")  # the header before a member's bytes
_END = struct.Struct("<4s4H2IH")  # the last record: the number of members is its fifth field
_LARGE_END = struct.Struct("<4sQ2H2I4Q")  # that of archives of more than 65,534 members or 4 GiB
_LARGE_PLACE = 20  # the bytes of the record between the two
_IS_LARGE = 0xFFFF
_LOCAL_MARK = b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the two that inflate in bounded steps


@contextlib.contextmanager
def opened_zip(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose members have different names and inflate to a bounded size."""
    size = size_of(stream)
    if not size:
        raise DamagedFile("it is empty")
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        for member in members:
            _check(member)
        if len(set(archive.namelist())) < len(members):
            raise DamagedFile("it has several members of one name")
        if len(members) != (listed := _listed(stream)):
            raise DamagedFile(f"it has {listed:,} members, of which {len(members):,} are listed")
        stored = sum(member.compress_size for member in members)
        inflated = sum(member.file_size for member in members)
        if stored > size:  # members that share bytes
            raise DamagedFile(f"its members take {stored:,} of its {size:,} bytes")
        if inflated > allowed(size):
            raise DamagedFile(f"it has {size:,} bytes and inflates to {inflated:,}")
        yield archive


def _listed(stream: BinaryIO) -> int:
    """Return how many members an archive says it has, at its end, where there is no comment."""
    start = max(0, size_of(stream) - _END.size - _LARGE_END.size - _LARGE_PLACE)
    stream.seek(start)
    tail = bytes(take(stream, size_of(stream) - start))
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\x05\x06":
        raise DamagedFile("it goes on after its end")
    count = _END.unpack(tail[-_END.size :])[4]
    if count == _IS_LARGE and tail[:4] == b"PK\x06\x06":
        return int(_LARGE_END.unpack(tail[: _LARGE_END.size])[7])
    return int(count)


def _check(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename)
    name = shown(repr(member.filename))
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
        raise DamagedFile(f"its member {name} lies outside")
    if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
        raise DamagedFile(f"its member {name} is encrypted or compressed in an unusual way")
    if not member.compress_type and member.compress_size != member.file_size:
        raise DamagedFile(f"its member {name} has two sizes")


def contents(archive: zipfile.ZipFile, name: str) -> bytearray:
    """Return a member's bytes, which have their checksum."""
    member = archive.getinfo(name)
    with archive.open(member) as stream:
        found = take(stream, member.file_size)
        stream.read(1)  # an empty member's checksum
    return found


def stored(stream: BinaryIO, member: zipfile.ZipInfo) -> np.ndarray:
    """Return the bytes of a member that is not compressed, read once, with their checksum.

    Args:
        stream: the archive's file.
        member: the member.
    """
    name = shown(repr(member.filename))
    if member.compress_type != zipfile.ZIP_STORED:
        raise DamagedFile(f"its member {name} is compressed")
    stream.seek(member.header_offset)
    header = take(stream, _LOCAL.size)
    mark, *_, name_size, extra_size = _LOCAL.unpack(header)
    if mark != _LOCAL_MARK:
        raise DamagedFile(f"its member {name} is not where it should be")
    if bytes(take(stream, name_size)) != _encoded(member):
        raise DamagedFile(f"its member {name} has two names")
    stream.seek(extra_size, os.SEEK_CUR)
    found = block(stream, member.file_size)
    if zlib.crc32(found.data) != member.CRC:
        raise DamagedFile(f"its member {name} has another checksum: the file is damaged")
    return found


def _encoded(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8 else "cp437")


def names_in(stream: BinaryIO) -> list[str]:
    """Return the names of an archive's members."""
    with opened_zip(stream) as archive:
        return archive.namelist()
