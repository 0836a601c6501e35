"""PyTorch's files since 1.6: a zip archive of a pickle and, beside it, storages by number."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO, cast

import numpy as np

from keras_convnets.readers.damage import DamagedFile, shown, size_of
from keras_convnets.readers.pickle_machine import Machine
from keras_convnets.readers.torch_arrays import Choose, arrays
from keras_convnets.readers.torch_values import MOST, Storage, TorchValues
from keras_convnets.readers.zips import opened_zip, stored

_CHUNK = 1 << 20
_ORDERS = (b"little", b"big")


def read_torch_zip(stream: BinaryIO, choose: Choose) -> dict[str, np.ndarray]:
    """Return the arrays of those tensors of a file that are chosen.

    The members that are read are read once, and their checksums verified; what is not chosen, such
    as the state of an optimizer, is not read.

    Args:
        stream: the file.
        choose: a function that finds the tensors in what the pickle has.
    """
    with opened_zip(stream) as archive:
        members = {member.filename: member for member in archive.infolist()}
        folder = _folder(members)
        values = TorchValues()
        tensors = choose(_value(archive, members[f"{folder}/data.pkl"], values))
        is_swapped = _is_swapped(stream, members.get(f"{folder}/byteorder"))

        def read(storage: Storage) -> np.ndarray:
            member = members.get(f"{folder}/data/{storage.key}")
            if member is None:
                raise DamagedFile(f"it lacks its storage {shown(repr(storage.key))}")
            if member.file_size != storage.size:
                raise DamagedFile(
                    f"its storage {shown(repr(storage.key))} has {member.file_size:,} bytes, and "
                    f"its pickle says {storage.size:,}"
                )
            found = stored(stream, member)
            return _swapped(found, storage) if is_swapped else found

        return arrays(tensors, size_of(stream), read)


def _value(archive: zipfile.ZipFile, member: zipfile.ZipInfo, values: TorchValues) -> Any:
    """Return what the pickle has; it is not in memory as a whole."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise DamagedFile("its pickle is compressed")
    with archive.open(member) as stream:
        buffered = io.BufferedReader(cast(io.RawIOBase, stream))
        found = Machine(buffered, member.file_size, values.call, values.persistent, MOST).run()
        while buffered.read(_CHUNK):  # to the end, where the checksum is verified
            pass
    return found


def _folder(members: dict[str, zipfile.ZipInfo]) -> str:
    """Return the folder of the archive in which the pickle is."""
    names = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(names) != 1:
        raise DamagedFile("it lacks the pickle of PyTorch, data.pkl")
    folder = names[0].removesuffix("/data.pkl")
    if f"{folder}/constants.pkl" in members:
        raise DamagedFile(
            "it is a TorchScript archive, a program. Load it with torch.jit.load, and save its "
            "state_dict() by torch.save"
        )
    return folder


def _is_swapped(stream: BinaryIO, member: zipfile.ZipInfo | None) -> bool:
    """Return whether the values have the other byte order; old versions do not say theirs."""
    order = bytes(stored(stream, member)) if member is not None else _ORDERS[0]
    if order not in _ORDERS:
        raise DamagedFile(f"its byte order is {shown(repr(order))}, neither little nor big")
    return order == _ORDERS[1]


def _swapped(contents: np.ndarray, storage: Storage) -> np.ndarray:
    """Return the bytes of a storage in the order of this machine."""
    if storage.kind.endswith("Untyped"):
        raise DamagedFile("it is from a big-endian machine, with storages that have no type")
    size = storage.size // max(storage.count, 1)
    return contents.reshape(-1, size or 1)[:, ::-1].reshape(-1)
