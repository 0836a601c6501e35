"""Files of PyTorch, put together by hand: a pickle's instructions, and storages beside it.

A function of this module that returns bytes returns instructions that leave one value on the stack.
"""

import io
import pickle
import struct
import zipfile

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"int": 4}}


def plain(value):
    """Return what makes a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def name(module, function):
    return f"c{module}\n{function}\n".encode()


def call(module, function, *arguments):
    return name(module, function) + b"(" + b"".join(arguments) + b"tR"


def storage(key="0", count=4, kind="FloatStorage", view=None):
    """Return what refers to a storage; only old streams have views of one."""
    start = b"(" + plain("storage") + name("torch", kind) + plain(key) + plain("cpu")
    return start + plain(count) + (b"" if view is None else plain(view)) + b"tQ"


def tensor(of=None, offset=0, shape=(4,), strides=(1,)):
    of = storage() if of is None else of
    rest = plain(offset) + plain(shape) + plain(strides) + plain(False)
    return call("torch._utils", "_rebuild_tensor_v2", of, rest, call("collections", "OrderedDict"))


def dictionary(items):
    """Return what makes a dictionary of pairs of a key and a value's instructions."""
    return b"}(" + b"".join(plain(key) + value for key, value in items) + b"u"


def whole(value):
    return b"\x80\x02" + value + b"."


def zipped(value, storages, byteorder=b"little", method=zipfile.ZIP_STORED, others=()):
    """Return a zip of a value's instructions and of the bytes of storages by name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.writestr("weights/data.pkl", whole(value))
        if byteorder is not None:
            archive.writestr("weights/byteorder", byteorder)
        for key, contents in storages.items():
            archive.writestr(f"weights/data/{key}", contents)
        for other, contents in others:
            archive.writestr(other, contents)
    return written.getvalue()


def legacy(value, storages, system=SYSTEM, counts=None):
    """Return a stream of a value's instructions and of storages of 4-byte values by name."""
    counts = {key: len(contents) // 4 for key, contents in storages.items()} | (counts or {})
    start = b"".join(pickle.dumps(what, 2) for what in (MAGIC, PROTOCOL, system))
    parts = [struct.pack("<q", counts[key]) + contents for key, contents in storages.items()]
    return start + whole(value) + pickle.dumps(list(storages), 2) + b"".join(parts)
