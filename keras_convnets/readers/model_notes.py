"""What the files of other runtimes say of their models: texts by name, of which few are long."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO
from xml.parsers import expat

from keras_convnets.readers import protobuf
from keras_convnets.readers.damage import DamagedFile, size_of, take
from keras_convnets.readers.zips import contents, opened_zip

MOST = 32 << 20
"""How many bytes the texts of a file may have together."""

_METADATA = 14  # the number of the field of ONNX' ModelProto
_KEY, _VALUE = 1, 2  # those of its entries
_LONGEST_XML = 256 << 20
_DEEPEST = 64  # nested elements; those of OpenVINO are at most nine deep
_PLACE = ["net", "rt_info", "model_info"]


def of_onnx(stream: BinaryIO) -> dict[str, bytes]:
    """Return the properties in the metadata of an ONNX file; its graph is not read."""
    found = {}
    for entry in protobuf.texts(stream, size_of(stream), _METADATA, MOST):
        found[_field(entry, _KEY).decode("utf-8")] = _field(entry, _VALUE)
    return found


def _field(entry: bytes, number: int) -> bytes:
    """Return a text of an entry; of several the last, as protobuf does."""
    return [b"", *protobuf.texts(io.BytesIO(entry), len(entry), number, MOST)][-1]


def of_litert(stream: BinaryIO) -> dict[str, bytes]:
    """Return the files that are zipped onto the end of a LiteRT file; it may have none."""
    if not zipfile.is_zipfile(stream):
        return {}
    with opened_zip(stream) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST:
            raise DamagedFile(f"its associated files have more than {MOST:,} bytes")
        return {name: bytes(contents(archive, name)) for name in archive.namelist()}


def end_of_model(stream: BinaryIO) -> int:
    """Return where a LiteRT file's model ends and the archive begins, if there is one."""
    if not zipfile.is_zipfile(stream):
        return size_of(stream)
    with opened_zip(stream) as archive:
        starts = [member.header_offset for member in archive.infolist()]
        return min(starts, default=archive.start_dir)


def of_openvino(stream: BinaryIO) -> dict[str, bytes]:
    """Return the values under ``model_info`` in the runtime information of an OpenVINO file."""
    size = size_of(stream)
    if size > _LONGEST_XML:
        raise DamagedFile(f"its XML has {size:,} bytes; expected at most {_LONGEST_XML:,}")
    found: dict[str, bytes] = {}
    path: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if path == _PLACE and "value" in attributes:
            found[name] = attributes["value"].encode("utf-8")
        path.append(name)
        if len(path) > _DEEPEST:
            raise DamagedFile(f"its XML is nested more than {_DEEPEST} times")

    def refuse(*_: object) -> None:
        raise DamagedFile("its XML declares a document type, which may define entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(bytes(take(stream, size)), True)
    return found
