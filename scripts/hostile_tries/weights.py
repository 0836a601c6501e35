"""Weight files that are made to do harm, damaged ones, and files that are no weights at all."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import random
import resource
import struct
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.forks import Fault, address_space, contained
from hostile_tries.fuzz.fuzzing import CANARY
from hostile_tries.fuzz.pickled import harmful
from hostile_tries.fuzz.zipped import zipped as archive_of
from hostile_tries.trying import (
    REFUSED,
    SKIPPED,
    WORKED,
    Count,
    Try,
    check_line,
    refused,
    refused_or_worked,
)

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

import torch_pickles as torch_  # noqa: E402 - of the tests

KEPT = TESTS / "data" / "weights"
_INSTRUCTIONS = 160 << 20  # the values that the longest pickle may make
_BESIDE = " beside weights"  # where what is harmless may be ignored
_MESSAGE = 64 << 20  # that of ONNX, which is copied as a whole
_CUTS, _FLIPS = 50, 200
_SLOW = 10  # damaged files of Keras: texts in HDF5 are first read in a process of their own
_LARGE = 16_000_000  # values of the honest files, whose memory is measured

_BYTES = np.arange(4, dtype="<f4").tobytes()
_PAIR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    contained(lambda: _keep(place))
    families = {
        "pickles": _pickles,
        "zip archives": _archives,
        "safetensors": _safetensors,
        "onnx": _onnx,
        "hdf5": _hdf5,
    }
    for family, files in families.items():
        yield Try(family, functools.partial(_refusals, place / family, files))
    for file in _honest(place):
        yield Try(f"{file.name} cut", functools.partial(_damaged, place, file, _cuts))
        yield Try(f"{file.name} flipped", functools.partial(_damaged, place, file, _flips))
    yield Try("no files", functools.partial(_specials, place / "special"))
    yield from _large(place)
    yield Try("writing", functools.partial(_written, place / "written"))


def _read(path: Path) -> Mapping[str, np.ndarray]:
    from keras_convnets.weights.formats.formats import read

    return read(path).arrays


def _refusals(folder: Path, files: Callable[[], dict[str, Any]]) -> Count:
    """Read files in little memory, each of which must end with a line; nothing may be executed."""
    folder.mkdir()
    os.chdir(folder)
    _read_something()
    found, faults = Counter[str](), []
    for name, contents in files().items():
        try:
            judge = refused_or_worked if name.endswith(_BESIDE) else refused
            found[_refusal(folder / "weights", contents, judge)] += 1
        except Fault as fault:
            faults.append(f"{name}: {fault}")
        if (folder / CANARY).exists():
            raise Fault(f"{name}: the file was executed")
    if faults:
        raise Fault("; ".join(faults))
    return found


def _refusal(file: Path, contents: Any, judge: Callable[..., str]) -> str:
    made = contents() if callable(contents) else contents
    if made is None:
        return SKIPPED
    file.write_bytes(made)
    size = len(made)
    del made
    with _limited(max(_INSTRUCTIONS, 2 * size)):
        return judge(_read, file)


@contextlib.contextmanager
def _limited(memory: int) -> Iterator[None]:
    """Let this process take no more memory than it has, and so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _read_something() -> None:
    """Import what the readers need before memory is limited."""
    import h5py
    import safetensors.numpy

    import keras_convnets.weights.formats.formats

    del h5py, safetensors, keras_convnets


def _pickles() -> dict[str, Any]:
    """Return pickles in both formats of PyTorch."""
    found: dict[str, Any] = {}
    for number, pickled in enumerate(harmful()):
        value = pickled.removesuffix(b".")
        found[f"zip: harmful pickle {number}"] = _zip(value)
        found[f"stream: harmful pickle {number}"] = _stream(value)
        beside = torch_.dictionary([("a", torch_.tensor()), ("b", value)])
        found[f"zip: harmful pickle {number}{_BESIDE}"] = _zip(beside)
    for name, value in _lies().items():
        found[f"zip: {name}"] = _zip(value)
        found[f"stream: {name}"] = _stream(value)
    one = torch_.dictionary([("a", torch_.tensor())])
    for order in (b"middle", b"", b"BIG", b"little\0"):
        found[f"zip: byte order {order!r}"] = torch_.zipped(one, {"0": _BYTES}, order)
    for system in ({"little_endian": False}, {"little_endian": 1}, {}, [], None, 3):
        found[f"stream: system {system}"] = torch_.legacy(one, {"0": _BYTES}, system)
    for count in (0, 3, 5, -1, 2**31, 2**62, -(2**63)):
        found[f"stream: a storage of {count}"] = torch_.legacy(
            one, {"0": _BYTES}, counts={"0": count}
        )
    whole = torch_.legacy(one, {"0": _BYTES})
    found["stream: goes on"] = whole + b"\0"
    found["stream: twice"] = whole + whole
    found["stream: other storages"] = torch_.legacy(one, {"1": _BYTES})
    return found


def _zip(value: bytes) -> bytes:
    return torch_.zipped(value, {"0": _BYTES})


def _stream(value: bytes) -> bytes:
    return torch_.legacy(value, {"0": _BYTES})


def _lies() -> dict[str, bytes]:
    """Return instructions, by what is wrong with them."""

    def of(*tensors: bytes) -> bytes:
        return torch_.dictionary([(str(n), one) for n, one in enumerate(tensors)])

    tensor, storage = torch_.tensor, torch_.storage
    views = {
        f"shape {shape}, strides {strides}, offset {offset}": of(
            tensor(None, offset, shape, strides)
        )
        for shape, strides, offset in (
            ((5,), (1,), 0),
            ((4,), (1,), 1),
            ((4,), (2,), 0),
            ((4,), (-1,), 3),
            ((4,), (1,), -1),
            ((2, 2), (1,), 0),
            ((2**40,), (0,), 0),
            ((2**62, 2**62), (0, 0), 0),
            ((2**70,), (1,), 0),
            ((-1, -4), (1, 1), 0),
            ((1,), (2**62,), 2**62),
            ((0,), (1,), 5),
            ((1,) * 40, (1,) * 40, 0),
            ((True,), (1,), 0),
            ((2.0,), (1,), 0),
            ("4", "1", 0),
            (None, None, 0),
            ((4,), (1,), None),
        )
    }
    storages = {
        f"a storage of {count}": of(tensor(storage(count=count)))
        for count in (2**20, 2**40, 2**62, 2**63, -1, None, "4", 4.0)
    }
    kinds = {
        f"a storage of kind {kind}": of(tensor(storage(kind=kind)))
        for kind in ("Storage", "ObjectStorage", "DoubleStorage", "ComplexFloatStorage", "float")
    }
    names = {
        f"a name of {what}": torch_.dictionary([(name, tensor())])
        for what, name in {
            "a million letters": "a" * 1_000_000,
            "control characters": "\x1b[2J\x1b]0;x\x07",
            "NUL": "a\0b",
            "a line break": "a\nb",
            "letters that turn the text": "a\u202eb",
            "a lone surrogate": "a\udc80",
            "nothing": "",
        }.items()
    }
    wide = b"}q\x00" + b"".join(
        b"}q%s(" % bytes([n + 1])
        + b"".join(torch_.plain(str(key)) + b"h" + bytes([n]) for key in range(500))
        + b"u"
        for n in range(6)
    )
    return {
        **views,
        **storages,
        **kinds,
        **names,
        "a name twice": torch_.dictionary([("a", tensor()), ("a", tensor())]),
        "dictionaries within dictionaries": b"}" + b"U\x01a}" * 5_000 + b"s" * 5_000,
        "500**6 dictionaries": wide,
        "a dictionary with itself": b"}q\x00U\x01ah\x00s",
        "a list with itself": b"]q\x00h\x00a",
        "2 million dictionaries": b"}" * 2_000_000,
        "900,000 dictionaries": b"}" * 900_000,
        "a text of 200 MB": b"X" + struct.pack("<I", 200_000_000) + b"a" * 200_000_000,
        "a memo of a million": b"N" + b"\x94" * 900_000,
        "tuples within tuples": b")" + b"\x85" * 300_000,
        "an optimizer": torch_.plain({"state": {}, "param_groups": []}),
        "no tensors": torch_.plain({"epoch": 3}),
        "a tensor alone": tensor(),
        "two state dicts": torch_.dictionary([("g", of(tensor())), ("d", of(tensor()))]),
        "a storage that is a text": of(tensor(torch_.plain("0"))),
        "a tensor that is a function": of(torch_.name("torch", "load")),
        "a rebuilder without arguments": of(torch_.call("torch._utils", "_rebuild_tensor_v2")),
        "a rebuilder of a rebuilder": of(
            torch_.call(
                "torch._tensor",
                "_rebuild_from_type_v2",
                torch_.name("os", "system") + torch_.plain(0) + torch_.plain(("true",)) + b"N",
            )
        ),
        "load from bytes": of(
            torch_.call("torch.storage", "_load_from_bytes", torch_.plain(harmful()[0]))
        ),
        "a persistent id of a function": of(b"(" + torch_.plain("storage") + b"tQ"),
        "a persistent text": b"Pstorage\n",
        "an extension": b"\x82\x01",
        "a buffer elsewhere": b"\x97",
    }


def _archives() -> dict[str, Any]:
    """Return zip archives: of PyTorch, of arrays, of neither."""
    one = torch_.dictionary([("a", torch_.tensor())])
    whole = torch_.zipped(one, {"0": _BYTES})
    pickled = torch_.whole(one)
    rooted = ("w/data.pkl", pickled), ("w/data/0", _BYTES)
    found: dict[str, Any] = {
        "zip: compressed": torch_.zipped(one, {"0": _BYTES}, method=zipfile.ZIP_DEFLATED),
        "zip: a compressed storage of 1 GB": lambda: _bomb("w/data/0", 1 << 30, rooted[:1]),
        "zip: a compressed pickle of 1 GB": lambda: _bomb("w/data.pkl", 1 << 30),
        "zip: an array of 3 GB": lambda: _bomb("a.npy", 3 << 30),
        "zip: a program": torch_.zipped(
            one, {"0": _BYTES}, others=[("weights/constants.pkl", b"")]
        ),
        "zip: two roots": archive_of([*rooted, ("v/data.pkl", pickled)]),
        "zip: the member above": archive_of([*rooted, ("../canary", b"")]),
        "zip: an absolute member": archive_of([*rooted, ("/tmp/canary", b"")]),
        "zip: no storages": archive_of([rooted[0]]),
        "zip: nothing": archive_of([]),
        "zip: a photograph": archive_of([("cat.jpg", b"\xff\xd8\xff")]),
        "zip: arrays and a script": archive_of([("a.npy", b""), ("setup.py", b"")]),
        "zip: within a zip": archive_of([("weights.pth", whole)]),
    }
    for size in (0, 2**16, 2**31 - 1, 2**32 - 1):
        for at in (20, 24, 42):  # the sizes of a member, and where it is, in the directory
            found[f"zip: {size} at {at} of the last member"] = _edited(whole, at, size)
    return found


def _edited(whole: bytes, at: int, value: int) -> bytes:
    place = whole.rindex(b"PK\x01\x02") + at
    return whole[:place] + struct.pack("<I", value) + whole[place + 4 :]


def _bomb(name: str, size: int, others: Any = ()) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, contents in others:
            archive.writestr(other, contents)
        with archive.open(name, "w", force_zip64=True) as stream:
            for _ in range(size >> 26):
                stream.write(bytes(1 << 26))
    return written.getvalue()


def _safetensors() -> dict[str, Any]:
    def of(header: Any, data: bytes = bytes(8), length: int | None = None) -> bytes:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    entries: dict[str, Any] = {
        "a hole": {"a": _PAIR | {"data_offsets": [1, 9]}},
        "an overlap": {"a": _PAIR, "b": _PAIR},
        "a shape of 2**80": {"a": _PAIR | {"shape": [2**40, 2**40]}},
        "a negative size": {"a": _PAIR | {"shape": [-2]}},
        "a shape of truth values": {"a": _PAIR | {"shape": [True, True]}},
        "a million axes": {"a": _PAIR | {"shape": [1] * 1_000_000}},
        "offsets the other way": {"a": _PAIR | {"data_offsets": [8, 0]}},
        "huge offsets": {"a": _PAIR | {"data_offsets": [0, 2**63]}},
        "offsets of floats": {"a": _PAIR | {"data_offsets": [0.0, 8.0]}},
        "an unknown type": {"a": _PAIR | {"dtype": "F8_E5M2"}},
        "a type that is a list": {"a": _PAIR | {"dtype": ["F32"]}},
        "a name of NUL": {"a\0": _PAIR},
        "an empty name": {"": _PAIR},
        "a huge name": {"a" * 100_000: _PAIR},
        "metadata alone": {"__metadata__": {"format": "pt"}},
        "a list": [_PAIR],
    }
    return {f"safetensors: {name}": of(header) for name, header in entries.items()} | {
        "safetensors: 50,000 nested lists": of(b'{"a":' + b"[" * 50_000),
        "safetensors: a name twice": of(b'{"a":%b,"a":%b}' % ((json.dumps(_PAIR).encode(),) * 2)),
        "safetensors: bytes after the last": of({"a": _PAIR}, bytes(9)),
        "safetensors: bytes too few": of({"a": _PAIR}, bytes(7)),
        "safetensors: a header of 2**39": of({"a": _PAIR}, length=2**39),
        "safetensors: a header of 99 million": of({"a": _PAIR}, length=99_000_000),
        "safetensors: 2 million entries": of(b'{"a":[' + b"{}," * 2_000_000 + b"{}]}"),
        "safetensors: a huge integer": of(b'{"a":{"shape":[' + b"9" * 100_000 + b"]}}"),
        "safetensors: NaN": of(b'{"a":NaN}'),
        "safetensors: no UTF-8": of(b'{"\xff":1}'),
    }


def _onnx() -> dict[str, Any]:
    def of(**fields: Any) -> Callable[[], bytes | None]:
        return lambda: _onnx_file(fields)

    outside = {"external_data": [("location", "/etc/passwd")]}
    deep = b"\x08\x08\x3a" + b"\x80\x80\x80\x01" + b"\x2b" * 100_000
    return {
        "onnx: values outside": of(**outside, data_location=1),
        "onnx: values outside, unsaid": of(**outside),
        "onnx: a shape of 2**80": of(dims=[2**40, 2**40]),
        "onnx: a negative size": of(dims=[-2]),
        "onnx: strings": of(data_type=8),
        "onnx: complex": of(data_type=14),
        "onnx: type 2**31 - 1": of(data_type=2**31 - 1),
        "onnx: numbers too few": of(dims=[2**40], raw_data=None, float_data=[1.0, 2.0]),
        "onnx: no values": of(raw_data=None),
        "onnx: a name of NUL": of(name="a\0"),
        "onnx: no name": of(name=""),
        "onnx: twice": of(times=2),
        "onnx: none": of(times=0),
        "onnx: groups within groups": deep,
        "onnx: a length of 2**63": b"\x08\x08\x3a" + b"\xff" * 8 + b"\x7f",
        "onnx: nothing": b"\x08\x08\x12\x00",
    }


def _onnx_file(fields: dict[str, Any]) -> bytes | None:
    try:
        import onnx
    except ImportError:
        return None
    fields = {"name": "a", "dims": [2], "data_type": 1, "raw_data": bytes(8), **fields}
    times = fields.pop("times", 1)
    entries = fields.pop("external_data", ())
    tensor = onnx.TensorProto(**{name: one for name, one in fields.items() if one is not None})
    for key, value in entries:
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    graph = onnx.helper.make_graph([], "g", [], [], [tensor] * times)
    return bytes(onnx.helper.make_model(graph).SerializeToString())


def _hdf5() -> dict[str, Any]:
    import h5py

    def of(fill: Callable[[Any], Any]) -> Callable[[], bytes]:
        def made() -> bytes:
            stream = io.BytesIO()
            with h5py.File(stream, "w") as file:
                fill(file)
            return stream.getvalue()

        return made

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout((2,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "a", (2,))
        file.create_virtual_dataset("a/vars/0", layout)

    def listed(file: Any, layers: Any, weights: Any) -> None:
        file.attrs["layer_names"] = layers
        file.create_group("a").attrs["weight_names"] = weights

    def nameless(file: Any) -> None:
        file.attrs["layer_names"] = [b"a"]
        file.create_group("a")["kernel"] = [1.0]

    def described(file: Any, name: Any) -> None:
        group = file.create_group("a/vars", track_order=True)  # where a name may be of any size
        group["0"] = [1.0]
        group.attrs["name"] = name

    return {
        "hdf5: nothing": of(lambda file: None),
        "hdf5: a link outside": of(
            lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "b"))
        ),
        "hdf5: a link to itself": of(lambda file: file.__setitem__("a", h5py.SoftLink("/a"))),
        "hdf5: values outside": of(
            lambda file: file.create_dataset("a/vars/0", (9,), "u1", external="/etc/passwd")
        ),
        "hdf5: virtual values": of(virtual),
        "hdf5: 2**40 values": of(
            lambda file: file.create_dataset("a/vars/0", (2**20, 2**20), "f4", chunks=(64, 64))
        ),
        "hdf5: texts": of(lambda file: file.create_dataset("a/vars/0", data=[b"a", b"b"])),
        "hdf5: records": of(
            lambda file: file.create_dataset("a/vars/0", (2,), [("a", "f4"), ("b", "i4")])
        ),
        "hdf5: an array that is a group": of(lambda file: file.create_group("a/vars/0")),
        "hdf5: a group that is an array": of(lambda file: file.create_dataset("a", data=[1.0])),
        "hdf5: layers that are not there": of(lambda file: listed(file, [b"b"], [])),
        "hdf5: weights that are not there": of(lambda file: listed(file, [b"a"], [b"a/kernel"])),
        "hdf5: layers that are numbers": of(lambda file: listed(file, [1], [])),
        "hdf5: a layer twice": of(lambda file: listed(file, [b"a", b"a"], [])),
        "hdf5: the layer above": of(lambda file: listed(file, [b".."], [])),
        "hdf5: layers without weights' names": of(nameless),
        "hdf5: complex numbers": of(
            lambda file: file.create_dataset("a/vars/0", data=np.ones(2, "c8"))
        ),
        "hdf5: bytes that are no bfloat16": of(
            lambda file: file.create_dataset("a/vars/0", data=np.ones(2, "V2"))
        ),
        "hdf5: an array without a shape": of(
            lambda file: file.create_dataset("a/vars/0", data=h5py.Empty("f4"))
        ),
        "hdf5: 100 MB of names": of(lambda file: described(file, np.zeros(12_500_000, "S8"))),
        "hdf5: a name in records": of(lambda file: described(file, np.zeros(2, "f4,i4"))),
        "hdf5: no name": of(lambda file: described(file, h5py.Empty("S8"))),
        "keras: a model that would run a command beside weights": functools.partial(
            _model, of(lambda file: file.__setitem__("a/vars/0", [1.0]))
        ),
        "hdf5: groups in 3,000 groups": of(
            lambda file: file.create_dataset("a/" * 3000 + "vars/0", data=[1.0])
        ),
    }


def _model(weights: Callable[[], bytes]) -> bytes:
    """Return a model of Keras whose layers would be made by calling what they name."""
    harm = {"module": "os", "class_name": "system", "config": {"command": f"touch {CANARY}"}}
    code = {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None}}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": code}}
    config = {"module": "os", "class_name": "Sequential", "config": {"layers": [harm, layer]}}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", weights())
    return stream.getvalue()


def _keep(place: Path) -> int:
    """Write the honest files that the tests do not keep."""
    import keras

    (place / "honest").mkdir()
    layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    model = keras.Sequential(layers)
    model.save(place / "honest" / "model.keras")
    model.save(place / "honest" / "model.h5")
    model.save_weights(place / "honest" / "model.weights.h5")
    return 0


def _honest(place: Path) -> Iterator[Path]:
    for name in ("zip.pth", "legacy.pth", "weights.safetensors", "weights.onnx", "expected.npz"):
        yield KEPT / name
    yield from sorted((place / "honest").iterdir())


def _cuts(whole: bytes, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield whole[: len(whole) * number // count]


def _flips(whole: bytes, count: int) -> Iterator[bytes]:
    chance = random.Random(14)
    for _ in range(count):
        mutated = bytearray(whole)
        mutated[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        yield bytes(mutated)


def _damaged(place: Path, file: Path, ways: Callable[[bytes, int], Iterator[bytes]]) -> str | Count:
    """Read damaged files; one that is read nevertheless has what was written, if that is known."""
    os.chdir(place)
    if file.suffix == ".onnx" and _onnx_file({}) is None:
        return SKIPPED
    expected, found = _read(file), Counter[str]()
    count = _SLOW if file.parent.name == "honest" else _CUTS if ways is _cuts else _FLIPS
    for contents in ways(file.read_bytes(), count):
        Path("damaged").write_bytes(contents)
        try:
            arrays = _read(Path("damaged"))
        except ValueError as error:
            check_line(str(error))
            found[REFUSED] += 1
            continue
        is_checked = file.name in ("zip.pth", "expected.npz") or ways is _cuts
        if is_checked and not _same(arrays, expected):
            raise Fault("other weights")
        found[WORKED] += 1
    return found


def _same(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].tobytes() == array.tobytes() for name, array in expected.items()
    )


def _specials(place: Path) -> Count:
    """Read what is no file, or no weights, whatever its suffix."""
    makers: dict[str, Callable[[Path], Any]] = {
        "a pipe": os.mkfifo,
        "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
        "/dev/stdin": lambda path: path.symlink_to("/dev/stdin"),
        "a folder": Path.mkdir,
        "a link to itself": lambda path: path.symlink_to(path),
        "nothing": lambda path: None,
        "an empty file": Path.touch,
        "a web page": lambda path: path.write_bytes(b"<!DOCTYPE html><html>404"),
        "a pointer of Git LFS": lambda path: path.write_bytes(b"version https://git-lfs.github"),
        "a pickle": lambda path: path.write_bytes(harmful()[0]),
        "a hole of 1 TB": _hole,
    }
    found = Counter[str]()
    for what, make in makers.items():
        for suffix in ("pth", "safetensors", "onnx", "npz", "keras", "h5"):
            folder = place / f"{what.replace('/', '')} {suffix}"
            folder.mkdir(parents=True)
            make(folder / f"weights.{suffix}")
            found[refused(_read, folder / f"weights.{suffix}")] += 1
    return found


def _hole(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(1 << 40)


def _large(place: Path) -> Iterator[Try]:
    """Yield honest files, which are read in less memory than twice their size."""
    values = lambda: np.arange(_LARGE, dtype="<f4")  # noqa: E731
    value = torch_.dictionary([("a", torch_.tensor(torch_.storage(count=_LARGE), shape=(_LARGE,)))])
    header = {"a": {"dtype": "F32", "shape": [_LARGE], "data_offsets": [0, 4 * _LARGE]}}
    text = json.dumps(header).encode()
    makers: dict[str, Callable[[], bytes | None]] = {
        "zip": lambda: torch_.zipped(value, {"0": values().tobytes()}),
        "stream": lambda: torch_.legacy(value, {"0": values().tobytes()}),
        "safetensors": lambda: struct.pack("<Q", len(text)) + text + values().tobytes(),
        "npz": lambda: archive_of([("a.npy", _npy(values()))]),
        "onnx": lambda: _onnx_file({"dims": [_LARGE], "raw_data": values().tobytes()}),
    }
    for name, make in makers.items():
        yield Try(f"honest: {name} of 64 MB", functools.partial(_measured, place, name, make))


def _npy(array: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def _measured(place: Path, name: str, make: Callable[[], bytes | None]) -> str:
    file = place / f"large {name}"
    contents = make()
    if contents is None:
        return SKIPPED
    size = file.write_bytes(contents)
    del contents
    _read_something()

    def read() -> bool:
        found = _read(file)["a"]
        return bool((found[:: _LARGE // 100] == np.arange(0, _LARGE, _LARGE // 100)).all())

    most = 2 * size + (_MESSAGE if name == "onnx" else 0)
    if not contained(read, memory=most):
        raise Fault("other weights")
    return WORKED


def _written(place: Path) -> Count:
    """Write files that cannot be written, beside which nothing may be left."""
    from keras_convnets.weights.formats import writing

    makers: dict[str, Callable[[Path], Any]] = {
        "a folder": Path.mkdir,
        "a pipe": os.mkfifo,
        "/dev/full": lambda path: path.symlink_to("/dev/full"),
        "a link to itself": lambda path: path.symlink_to(path),
    }
    suffixes = ("pth", "pt", "bin", "h5", "keras", "onnx", "\0.npz", "x" * 300 + ".npz")
    cases = [(make, suffix) for make in makers.values() for suffix in ("safetensors", "npz")]
    cases += [(lambda path: None, suffix) for suffix in suffixes]
    found = Counter[str]()
    for number, (make, suffix) in enumerate(cases):
        folder = place / str(number)
        folder.mkdir(parents=True)
        make(folder / f"weights.{suffix}")
        before = os.listdir(folder)
        arrays = {"a": np.ones(3, np.float32)}
        found[refused(writing.write, folder / f"weights.{suffix}", arrays)] += 1
        if os.listdir(folder) != before:
            raise Fault(f"left {os.listdir(folder)}")
    return found
