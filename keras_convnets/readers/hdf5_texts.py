"""A check of the texts in an HDF5 file: values of variable length.

The library of HDF5 reads them by lengths that it finds in the file: damaged ones make it run for
ever, or take gigabytes. A file that has any is therefore read in a process of its own at first,
whose time and memory are limited. The weights in a ``.keras`` file have none, but for bfloat16.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import h5py

from keras_convnets.readers.damage import DamagedFile, allowed

_SECONDS = 30
_HEAP = b"GCOL\x01"  # how a heap of texts begins
_OBJECT = 16  # bytes before an object of a heap
_READ = """
import io, os, resource, sys
import h5py
contents = sys.stdin.buffer.read()
with open("/proc/self/statm") as statm:
    most = int(statm.read().split()[0]) * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
def read(name, found):
    for key in found.attrs:
        found.attrs[key]
    if isinstance(found, h5py.Dataset) and found.dtype.kind == "O":
        found[()]
with h5py.File(io.BytesIO(contents), "r") as file:
    read("/", file)
    file.visititems(read)
"""


def has_texts(objects: Iterable[Any], groups: bool = False) -> bool:
    """Return whether data sets, or what describes them, have values of variable length.

    What describes a group counts only with ``groups``: in a file of weights, Keras does not read
    it.
    """
    read = (found for found in objects if groups or isinstance(found, h5py.Dataset))
    return any(_is_variable(kind) for found in read for kind in _types(found))


def _types(found: Any) -> Iterable[Any]:
    if isinstance(found, h5py.Dataset):
        yield found.id.get_type()
    for number in range(h5py.h5a.get_num_attrs(found.id)):
        yield h5py.h5a.open(found.id, index=number).get_type()


def _is_variable(kind: Any) -> bool:
    if isinstance(kind, h5py.h5t.TypeStringID):
        return bool(kind.is_variable_str())
    return bool(kind.detect_class(h5py.h5t.VLEN))


def check_texts(contents: bytes | bytearray) -> None:
    """Refuse a file whose texts the library of HDF5 cannot read within bounds."""
    _check_heaps(contents)
    command = [sys.executable, "-P", "-c", _READ, str(allowed(len(contents)))]
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        subprocess.run(
            command, input=contents, capture_output=True, timeout=_SECONDS, check=True, env=alone
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise DamagedFile("its strings cannot be read") from error


def _check_heaps(contents: bytes | bytearray) -> None:
    """Check that each heap ends where it says: the library would look for the end for ever."""
    at = contents.find(_HEAP)
    while at >= 0:
        place, left = at + 16, _number(contents, at + 8) - 16
        whole = 0 <= left <= len(contents) - place
        while whole and left >= _OBJECT:
            is_free = contents[place : place + 2] == b"\0\0"
            size = _number(contents, place + 8)
            taken = size if is_free else _OBJECT + -(-size // 8) * 8
            place, left = place + taken, left - taken
            whole = taken >= _OBJECT and left >= 0
        if not whole:
            raise DamagedFile("it has a damaged heap")
        at = contents.find(_HEAP, at + 1)


def _number(contents: bytes | bytearray, at: int) -> int:
    return int.from_bytes(contents[at : at + 8], "little")
