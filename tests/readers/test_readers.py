"""Every file is read in one package, whose readers believe nothing that a file says."""

import ast
import gzip
import io
import json
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import keras_convnets
from keras_convnets.readers import json_text, numeric
from keras_convnets.readers.damage import DamagedFile, damage, opened, size_of, take
from keras_convnets.readers.hdf5 import check_hdf5
from keras_convnets.readers.inflated import read_idx, read_tar
from keras_convnets.readers.npz import npy, read_npz
from keras_convnets.readers.zips import opened_zip

PACKAGE = Path(keras_convnets.__file__).parent
PARSERS = {"pickle", "marshal", "shelve", "zipfile", "tarfile", "gzip", "bz2", "lzma", "h5py"}
PARSERS |= {"dill", "joblib", "yaml", "safetensors", "torch", "onnx", "xml", "plistlib", "tomllib"}
CALLS = {"np.load", "np.fromfile", "np.loadtxt", "np.genfromtxt", "np.fromstring", "json.load"}
CALLS |= {"np.memmap", "numpy.load", "json.loads", "ast.literal_eval", "eval", "exec"}
CALLS |= {"np.frombuffer", "keras.saving.load_model", "keras.models.load_model"}
# What is no file of anybody's: settings from the environment, messages, copies of our own values.
ALLOWED = {
    "explaining/differentiation.py": {"torch"},  # computes
    "inference/compiled.py": {"torch"},  # computes
    "saved_models.py": {"keras.models.load_model"},  # once the readers have checked the file
    "training/run/checkpoint.py": {"np.frombuffer"},  # writes
    "weights/formats/writing.py": {"safetensors"},  # writes
    "weights/placing/keras_writing.py": {"h5py"},  # writes
    "shipping/engines/writing/litert.py": {"zipfile"},  # writes
    "shipping/engines/writing/openvino_file.py": {"xml"},  # writes
    "shipping/benchmark/in_a_process.py": {"json.loads"},  # what its own process says
    "shipping/benchmark/worker.py": {"json.load"},  # what the process that started it says
    "shipping/export/writers/onnx.py": {"onnx"},  # writes
    "shipping/export/writers/onnx_pads.py": {"onnx"},  # writes
    "shipping/precision/onnx.py": {"onnx"},  # writes
    "training/distribute/cluster.py": {"json.loads"},
    "typed.py": {"eval"},  # of annotations in the package's own source
}


def parsed(source):
    """Return the parsers of files that a module imports or calls."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & PARSERS
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module.split(".")[0]} & PARSERS
        elif isinstance(node, ast.Call) and not copies(node):
            found |= {ast.unparse(node.func)} & CALLS
    return found


def copies(node):
    """Return whether a call reads back what the module itself has just written."""
    return ast.unparse(node).startswith("json.loads(json.dumps(")


def test_files_are_parsed_by_the_readers_alone():
    found = {
        str(path.relative_to(PACKAGE)): parsed(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
        if (PACKAGE / "readers") not in path.parents
    }
    outside = {path: names - ALLOWED.get(path, set()) for path, names in found.items()}
    assert {path: names for path, names in outside.items() if names} == {}


def test_the_check_sees_what_it_must():
    source = "import pickle\nfrom zipfile import ZipFile\nnp.load(f)\njson.loads(json.dumps(1))"
    assert parsed(source) == {"pickle", "zipfile", "np.load"}


@pytest.mark.parametrize(
    "error",
    [
        *(MemoryError(), RecursionError(), LookupError(), KeyError("a"), OSError(), EOFError()),
        *(OverflowError("b"), struct.error("c"), UnicodeDecodeError("utf-8", b"", 0, 1, "d")),
        *(ValueError("first\nsecond\x1b[31m"), RuntimeError(" "), TypeError("x" * 9999)),
    ],
)
def test_whatever_a_reader_raises_is_damage_in_a_line(error):
    with pytest.raises(DamagedFile) as caught, damage():
        raise error
    line = str(caught.value)
    assert line.strip()
    assert line.isprintable()
    assert len(line) < 300


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path, "a\0b", tmp_path / ("x" * 5000)):
        with pytest.raises(DamagedFile), opened(path):
            pass
    with pytest.raises(FileNotFoundError), opened(tmp_path / "none"):
        pass


def written(contents, name="file"):
    Path(name).write_bytes(contents)
    return name


def refused(read, contents, says=None):
    with pytest.raises(DamagedFile, match=says), opened(written(contents)) as stream, damage():
        read(stream)


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.asfortranarray(np.arange(6, dtype=">u2").reshape(3, 2)),
    "c": np.array(-5),
    "d": np.zeros((0, 2), np.float64),
    "e": np.array([True, False]),
    "f": np.array([0.5, -0.0, np.inf], np.float16),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_bit_for_bit(save):
    save("arrays.npz", **ARRAYS)
    with opened("arrays.npz") as stream, damage():
        found = read_npz(stream)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_headers_of_every_version(version):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, ARRAYS["a"], version)
    np.testing.assert_array_equal(npy(bytearray(stream.getvalue())), ARRAYS["a"])


def a_header(text, data=b"A" * 8):
    return bytearray(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


def test_headers_of_others():
    for text in (
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 4L), }   \n",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4)}",
    ):
        assert npy(a_header(text)).shape == (2, 4)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '|V8', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-8,), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }",
        "{'descr': '|u1', 'fortran_order': open('executed', 'w'), 'shape': (8,), }",
        "(" * 9000,
        "",
    ],
)
def test_headers_that_lie(header):
    with pytest.raises(DamagedFile):
        npy(a_header(header))
    assert not os.path.exists("executed")


def test_truth_values_are_0_or_1():
    with pytest.raises(DamagedFile, match="neither 0 nor 1"):
        numeric.array("|b1", (2,), b"\x01\x02")


def a_zip(*members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, contents in members:
            archive.writestr(zipfile.ZipInfo(name), contents, method)
    return stream.getvalue()


def test_archives_that_lie():
    def read(stream):
        with opened_zip(stream):
            pass

    bomb = a_zip(("a.npy", bytes(300 << 20)), method=zipfile.ZIP_DEFLATED)
    refused(read, bomb, "inflates to 314,572,800")
    refused(read, a_zip(("../a.npy", b"")), "lies outside")
    refused(read, a_zip(("/a.npy", b"")), "lies outside")
    refused(read, a_zip(("a", b""), method=zipfile.ZIP_LZMA), "unusual")
    refused(read, b"", "it is empty")
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = a_zip(("a", b"1"), ("a", b"2"))
    refused(read, twice, "several members")


def test_a_member_that_is_lost_in_the_directory_is_missed():
    whole = npz(a=np.arange(8), b=np.arange(8))
    first = whole.index(b"PK\x01\x02")
    comment = first + 32  # its length: the second entry is taken for the comment of the first
    swallowed = whole[:comment] + struct.pack("<H", 46 + 5) + whole[comment + 2 :]
    refused(read_npz, swallowed, "it has 2 members, of which 1 are listed")
    refused(read_npz, whole + b"\0", "cannot|goes on|zip")


def test_every_flip_of_a_checksummed_array_is_found():
    whole = npz(a=np.arange(8, dtype=np.uint8))
    start = whole.index(b"\x93NUMPY")
    for at in range(start, start + 128 + 8):
        mutated = bytearray(whole)
        mutated[at] ^= 1
        refused(read_npz, mutated)


def idx(sizes, data):
    return gzip.compress(
        bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}i", *sizes) + data
    )


def test_idx_files_that_lie():
    with opened(written(idx((2, 3), bytes(range(6))))) as stream:
        np.testing.assert_array_equal(read_idx(stream), np.arange(6).reshape(2, 3))
    refused(read_idx, idx((2**30, 2**30), b"A" * 8), "it inflates|it ends")
    refused(read_idx, idx((-1, 8), b"A" * 8), "shape")
    refused(read_idx, idx((2, 3), b"A" * 7), "goes on")
    refused(read_idx, idx((2, 3), b"A" * 5), "ends after 5 of 6")
    refused(read_idx, gzip.compress(b"\0\0\x0d\1"), "no IDX")
    whole = idx((2, 3), b"ABCDEF")
    refused(read_idx, whole[:-8] + b"\0" * 8)  # the checksum
    refused(read_idx, whole[:-8])


def a_tar(*members, sizes=()):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for info, contents in members:
            info.size = len(contents)
            archive.addfile(info, io.BytesIO(contents))
    return stream.getvalue()


def test_archives_of_tar_that_lie():
    def read(stream):
        return read_tar(stream, "in", ("a",))

    plain = tarfile.TarInfo("x/in/a")
    for whole in (a_tar((plain, b"abc")), gzip.compress(a_tar((plain, b"abc")))):
        with opened(written(whole)) as stream:
            assert read(stream) == {"a": bytearray(b"abc")}
    refused(read, a_tar((plain, b"abc"), (plain, b"abd")), "not a regular file")
    refused(read, gzip.compress(bytes(300 << 20) + a_tar((plain, b"abc")), 1), "inflates to more")
    link = tarfile.TarInfo("x/in/a")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    refused(read, a_tar((link, b"")), "not a regular file")
    compressed = bytearray(gzip.compress(a_tar((plain, b"abc")), 0))
    compressed[compressed.index(b"abc")] ^= 1
    refused(read, compressed, "CRC")


@pytest.mark.parametrize("text", [b'\\"' * 200_000, b'"' + b'\\"' * 200_000, b'"' * 200_001])
def test_quotes_without_an_end_take_no_longer_than_other_text(text):
    began = time.process_time()
    with pytest.raises(ValueError):
        json_text.parse(text)
    assert time.process_time() - began < 5  # minutes, if each quote is searched for its end


def test_json_that_is_too_deep():
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    for text in (deep, b"[" * 100_000, b'"\\"[["' + b"[" * 100_000):
        with pytest.raises(DamagedFile, match="nested too deeply, more than 500 times"):
            json_text.parse(text)
    brackets = json.dumps({"[" * 1000: '\\"{' * 1000, "a": [[[]]]}).encode()
    assert json_text.parse(brackets) == json.loads(brackets)
    for text in (b"\xff", b"", b'{"a": 1', b"1" * 5000, '{"a": 1}'.encode("utf-16")):
        with pytest.raises(ValueError):
            json_text.parse(text)


def an_h5(fill):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "b")), "is a link"),
        (lambda file: file.__setitem__("a", h5py.SoftLink("/b")), "is a link"),
        (
            lambda file: file.create_dataset("a", (2**20, 2**20), "f4", chunks=(64, 64)),
            "more numbers",
        ),
        (lambda file: file.create_dataset("a", (9,), "u1", external="/etc/passwd"), "lies outside"),
        (lambda file: file.attrs.__setitem__("model_config", "[" * 9999), "nested too deeply"),
    ],
)
def test_hdf5_files_that_lie(fill, says):
    stream = an_h5(fill)
    with pytest.raises(DamagedFile, match=says), damage():
        check_hdf5(stream.getvalue())


def test_hdf5_files_may_have_circles():
    def fill(file):
        file.create_group("a")["b"] = file["/"]
        file["a/c"] = np.zeros((2, 3))

    assert check_hdf5(an_h5(fill).getvalue()) == 6


def test_no_more_is_taken_than_is_there():
    with opened(written(b"abc")) as stream:
        assert size_of(stream) == 3
        with pytest.raises(DamagedFile, match="ends after 3 of 1,099,511,627,776"):
            take(stream, 2**40)


def test_texts_of_hdf5_files_that_lie():
    """The library of HDF5 would look for the end of a text for ever, or take gigabytes."""

    def fill(file):
        file.attrs["model_config"] = "{}"
        file.create_group("weights").attrs["backend"] = "tensorflow"

    whole = an_h5(fill).getvalue()
    assert check_hdf5(whole) == 0
    heap = whole.index(b"GCOL\x01")
    long = (10).to_bytes(4, "little") + heap.to_bytes(8, "little")  # the length of "tensorflow"
    for damaged in (
        whole[: heap + 8] + b"\xff" * 8 + whole[heap + 16 :],  # the size of the heap
        whole[: heap + 24] + bytes(8) + whole[heap + 32 :],  # of a text in it
        whole[: heap + 24] + b"\xf0" + b"\xff" * 7 + whole[heap + 32 :],
        whole.replace(long, b"\xf0" + b"\xff" * 3 + long[4:]),
    ):
        assert damaged != whole
        with pytest.raises(DamagedFile), damage():
            check_hdf5(damaged)
