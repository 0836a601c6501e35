"""PyTorch's files before 1.6: a stream of pickles, then the storages, one after the other."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np

from keras_convnets.readers.damage import DamagedFile, block, shown, size_of, take
from keras_convnets.readers.pickle_machine import Machine
from keras_convnets.readers.pickle_values import text_of
from keras_convnets.readers.torch_arrays import Choose, arrays
from keras_convnets.readers.torch_values import MOST, Storage, TorchValues

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_IN_A_PICKLE = (_MAGIC.to_bytes(10, "little"), b"%dL\n" % _MAGIC)


def is_torch_legacy(start: bytes) -> bool:
    """Return whether a file that starts so is one of these: its first pickle is a number."""
    return any(magic in start[:64] for magic in _IN_A_PICKLE)


def read_torch_legacy(stream: BinaryIO, choose: Choose) -> dict[str, np.ndarray]:
    """Return the arrays of those tensors of a file that are chosen.

    The format has no checksums. What each storage should have is compared with the file before any
    is read, and the file must end with the last one.

    Args:
        stream: the file.
        choose: a function that finds the tensors in what the pickle has.
    """
    values = TorchValues()
    magic, protocol, system, value, keys = (_next(stream, values) for _ in range(5))
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise DamagedFile("its first pickles are not those of PyTorch")
    _check_order(system)
    tensors = choose(value)
    places = _places(stream, values, keys)

    def read(storage: Storage) -> np.ndarray:
        stream.seek(places[storage.key])
        return block(stream, storage.size)

    return arrays(tensors, size_of(stream), read)


def _next(stream: BinaryIO, values: TorchValues) -> Any:
    left = size_of(stream) - stream.tell()
    return Machine(stream, left, values.call, values.persistent, MOST).run()


def _check_order(system: Any) -> None:
    """Refuse what no machine of today has written: values in another order than this reads."""
    pairs = system.items() if isinstance(system, dict) else ()
    if {text_of(key): value for key, value in pairs}.get("little_endian") is not True:
        raise DamagedFile(
            "it does not say that it is from a little-endian machine. Load it with PyTorch, and "
            "save it again by torch.save"
        )


def _places(stream: BinaryIO, values: TorchValues, keys: Any) -> dict[str, int]:
    """Return where each storage's values are; all of the file belongs to one of them."""
    names = [text_of(key) for key in keys] if type(keys) is list else []
    if sorted(names) != sorted(values.storages):
        raise DamagedFile("its list of storages is not that of its tensors")
    found = {}
    for name in names:
        storage = values.storages[name]
        (count,) = struct.unpack("<q", take(stream, 8))
        found[name] = stream.tell()
        left = size_of(stream) - found[name]
        if count != storage.count:
            raise DamagedFile(
                f"its storage {shown(repr(name))} has {count:,} values, and its pickle says "
                f"{storage.count:,}"
            )
        if storage.size > left:
            raise DamagedFile(
                f"its storage {shown(repr(name))} ends after {left:,} of {storage.size:,} bytes"
            )
        stream.seek(found[name] + storage.size)
    if rest := size_of(stream) - stream.tell():
        raise DamagedFile(f"it goes on for {rest:,} bytes after its last storage")
    return found
