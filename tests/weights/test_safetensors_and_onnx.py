"""Files of safetensors and ONNX that lie, and files that are none of weights."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from keras_convnets.weights.formats.formats import read

PAIR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def file_of(contents):
    Path("weights").write_bytes(contents)
    return "weights"


def refused(contents, says):
    with pytest.raises(ValueError, match=says) as caught:
        read(file_of(contents))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def safetensors(header, data=bytes(8), length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def test_bfloat16_is_float32_of_the_same_value():
    values = np.array([1.5, -0.0, np.inf], np.float32)
    data = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    header = {"a": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}
    found = read(file_of(safetensors(header, data))).arrays["a"]
    assert found.tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (safetensors({"a": PAIR | {"data_offsets": [1, 9]}}, bytes(9)), "does not begin where"),
        (safetensors({"a": PAIR, "b": PAIR}), "'b' does not begin where another ends"),
        (safetensors({"a": PAIR}, bytes(9)), "8 bytes, of 9 that are there"),
        (safetensors({"a": PAIR}, bytes(7)), "8 bytes, of 7 that are there"),
        (safetensors({"a": PAIR | {"shape": [3]}}), r"whose shape \(3,\) needs 12"),
        (safetensors({"a": PAIR | {"shape": [2**40, 2**40]}}), "needs"),
        (safetensors({"a": PAIR | {"shape": [-2]}}), "does not describe the tensor 'a'"),
        (safetensors({"a": PAIR | {"shape": "2"}}), "does not describe the tensor 'a'"),
        (safetensors({"a": PAIR | {"data_offsets": [8, 0]}}), "does not describe the tensor 'a'"),
        (safetensors({"a": PAIR | {"dtype": "F8_E4M3"}}), "of type 'F8_E4M3'; expected one of"),
        (safetensors({"a": 1}), "does not describe"),
        (safetensors(b'{"a": 1, "a": 2}'), "a name twice"),
        (safetensors(b'{"a": ' + b"[" * 100_000), "nested too deeply"),
        (safetensors(b'{"a"'), "cannot read"),
        (safetensors({}, b""), "no arrays"),
        (safetensors({"a\n": PAIR}), "expected a name that can be printed"),
        (safetensors({"a": PAIR}, length=2**39), "header has 549,755,813,888 bytes"),
        (safetensors({"a": PAIR})[:12], "header has"),
    ],
)
def test_safetensors_that_lie(contents, says):
    refused(contents, says)


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b"\x1f\x8b\x08", "compressed by gzip"),
        (b'{"architecture": "resnet50"}', "it is JSON"),
        (b"\x80\x04K\x01.", "plain pickles are not read"),
        (b"\x93NUMPY\x01", "a single array"),
        (b"storages".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b"BC\xc0\xde", "starts with b'BC"),
        (b"PK\x05\x06" + bytes(18), "a zip archive without weights"),
        (b"PK", "cannot read"),
        (b"\x89HDF\r\n\x1a\n", "cannot read"),
    ],
)
def test_other_files_are_told_apart(contents, says):
    refused(contents, says)


def test_no_file():
    os.mkfifo("pipe")
    for path, says in (("none", "there is no file 'none'"), (".", "is a folder"), ("pipe", "pipe")):
        with pytest.raises(ValueError, match=says):
            read(path)


def test_onnx_files_that_lie():
    onnx = pytest.importorskip("onnx")

    def of(*tensors):
        graph = onnx.helper.make_graph([], "g", [], [], tensors)
        return onnx.helper.make_model(graph).SerializeToString()

    def changed(**fields):
        tensor = onnx.numpy_helper.from_array(np.ones(2, np.float32), "a")
        for field, value in fields.items():
            if isinstance(value, list):
                tensor.ClearField(field)
                getattr(tensor, field).extend(value)
            else:
                setattr(tensor, field, value)
        return tensor

    fine = changed()
    np.testing.assert_array_equal(read(file_of(of(fine))).arrays["a"], [1, 1])
    outside = changed(data_location=onnx.TensorProto.EXTERNAL)
    entry = outside.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    refused(of(outside), "'a' is in another file")
    refused(of(changed(dims=[2**40])), "needs")
    refused(of(changed(dims=[-2])), "shape")
    refused(of(changed(data_type=onnx.TensorProto.STRING)), "of a type that is not read")
    refused(of(changed(data_type=onnx.TensorProto.FLOAT8E4M3FN)), "of a type that is not read")
    refused(of(fine, fine), "'a' twice")
    refused(of(), "no arrays")
    short = onnx.helper.make_tensor("b", onnx.TensorProto.FLOAT, (2,), [1, 2])
    short.dims[0] = 2**40
    refused(of(short), "2 values for the shape")
    refused(of(fine)[:-1], "cannot read")


def test_onnx_without_its_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    refused(b"\x08\x08\x12\x00", r"pip install 'keras_convnets\[onnx\]'")
