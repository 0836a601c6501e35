"""Zip archives, whose directory is checked before anything is inflated."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from keras_convnets.readers.damage import DamagedFile, allowed, shown, size_of, take

_ENCRYPTED = 0x1
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
        stored = sum(member.compress_size for member in members)
        inflated = sum(member.file_size for member in members)
        if stored > size:  # members that share bytes
            raise DamagedFile(f"its members take {stored:,} of its {size:,} bytes")
        if inflated > allowed(size):
            raise DamagedFile(f"it has {size:,} bytes and inflates to {inflated:,}")
        yield archive


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
