"""PyTorch's files without PyTorch: what they mean is known by name, and nothing is called."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch_pickles import (
    SYSTEM,
    call,
    dictionary,
    legacy,
    name,
    plain,
    storage,
    tensor,
    whole,
    zipped,
)

from keras_convnets.weights.formats.formats import read

VALUES = np.arange(4, dtype="<f4")
BYTES = VALUES.tobytes()
ONE = dictionary([("a", tensor())])
HARM = call("os", "mkdir", plain("executed"))


def file_of(contents):
    Path("weights.pth").write_bytes(contents)
    return "weights.pth"


def both(value, storages=None):
    """Yield a value as both formats have it."""
    storages = {"0": BYTES} if storages is None else storages
    yield zipped(value, storages)
    yield legacy(value, storages)


def refused(contents, says):
    with pytest.raises(ValueError, match=says) as caught:
        read(file_of(contents))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    assert not os.path.exists("executed")


def test_views_of_a_storage():
    value = dictionary(
        [
            ("whole", tensor()),
            ("cut", tensor(offset=1, shape=(2,), strides=(2,))),
            ("transposed", tensor(shape=(2, 2), strides=(1, 2))),
            ("scalar", tensor(offset=3, shape=(), strides=())),
            ("none", tensor(offset=4, shape=(0, 3), strides=(3, 1))),
            ("parameter", call("torch._utils", "_rebuild_parameter", tensor(), plain((True, 0)))),
        ]
    )
    for contents in both(value):
        found = read(file_of(contents)).arrays
        np.testing.assert_array_equal(found["whole"], VALUES)
        np.testing.assert_array_equal(found["cut"], [1, 3])
        np.testing.assert_array_equal(found["transposed"], [[0, 2], [1, 3]])
        assert found["scalar"] == 3
        assert found["none"].shape == (0, 3)
        np.testing.assert_array_equal(found["parameter"], VALUES)


def test_views_in_streams_of_the_first_versions():
    view = storage(view=("view", 1, 3))
    value = dictionary([("a", tensor(view, offset=1, shape=(2,)))])
    np.testing.assert_array_equal(read(file_of(legacy(value, {"0": BYTES}))).arrays["a"], [2, 3])
    beyond = dictionary([("a", tensor(storage(view=("view", 3, 2))))])
    refused(legacy(beyond, {"0": BYTES}), "a view beyond its storage")


def test_names_that_python_2_wrote():
    value = call("collections", "OrderedDict", b"](](U\x01a" + tensor() + b"ee")
    found = read(file_of(legacy(value, {"0": BYTES}))).arrays
    np.testing.assert_array_equal(found["a"], VALUES)


def test_a_big_endian_machine():
    swapped = VALUES.astype(">f4").tobytes()
    found = read(file_of(zipped(ONE, {"0": swapped}, byteorder=b"big"))).arrays["a"]
    np.testing.assert_array_equal(found, VALUES)
    old = zipped(ONE, {"0": BYTES}, byteorder=None)
    np.testing.assert_array_equal(read(file_of(old)).arrays["a"], VALUES)
    refused(zipped(ONE, {"0": BYTES}, byteorder=b"middle"), "neither little nor big")
    refused(legacy(ONE, {"0": BYTES}, SYSTEM | {"little_endian": False}), "little-endian machine")
    refused(legacy(ONE, {"0": BYTES}, system={}), "little-endian machine")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (HARM, "calls os.mkdir, which no weights need"),
        (dictionary([("a", tensor()), ("b", HARM)]), "calls os.mkdir"),
        (dictionary([("a", tensor()), ("b", b"(U\x08executedios\nmkdir\n")]), "calls os.mkdir"),
        (dictionary([("a", call("builtins", "eval", plain("open('executed', 'w')")))]), "eval"),
        (dictionary([("a", call("__builtin__", "getattr", plain("")))]), "__builtin__.getattr"),
        (dictionary([("a", call("torch", "Size", HARM))]), "calls os.mkdir"),
        (
            dictionary([("a", call("torch._utils", "_rebuild_tensor_v2", name("os", "mkdir")))]),
            "argument",
        ),
        (
            dictionary([("a", call("torch._utils", "_rebuild_tensor", plain((1,) * 4)[:-3]))]),
            "cannot read",
        ),
        (dictionary([("a", tensor(shape=(5,)))]), r"shape \(5,\) and strides \(1,\) beyond its"),
        (dictionary([("a", tensor(shape=(2, 2), strides=(4, 1)))]), "beyond its storage of 4"),
        (dictionary([("a", tensor(strides=(-1,), offset=3))]), "a tensor of shape"),
        (dictionary([("a", tensor(offset=-1))]), "beyond its storage"),
        (dictionary([("a", tensor(shape=(-4,)))]), "a tensor of shape"),
        (dictionary([("a", tensor(shape=(2**40,), strides=(0,)))]), "values are repeated"),
        (dictionary([("a", tensor(shape=(2**40, 0)))]), "a tensor of shape"),
        (dictionary([("a", tensor(storage(count=2**40)))]), "storage '0'"),
        (dictionary([("a", tensor(storage(count=-4)))]), "a storage of -4 values"),
        (dictionary([("a", tensor(storage(count=3)))]), "beyond its storage of 3"),
        (dictionary([("a", tensor()), ("b", tensor(storage(count=9)))]), "'0' has two sizes"),
        (dictionary([("a", tensor(storage(kind="OddStorage")))]), "a storage of type torch.Odd"),
        (dictionary([("a", tensor(storage(key="1")))]), "storage"),
        (dictionary([("a", tensor(plain("0")))]), "a tensor without a storage"),
        (dictionary([("a", tensor()), ("a", tensor())]), "a key twice"),
        (dictionary([("a", tensor())]) + b"(U\x01a" + tensor() + b"u", "two tensors called 'a'"),
        (dictionary([("a\0", tensor())]), r"called 'a\\x00'; expected a name that can be printed"),
        (dictionary([("a\x1b[31m", tensor())]), r"called 'a\\x1b\[31m'"),
        (dictionary([("a" * 9999, tensor())]), "called 'aaaa"),
        (dictionary([("", tensor())]), "called ''"),
        (dictionary([("epoch", plain(3))]), "it has no tensors, but 'epoch'"),
        (plain({"state": {}, "param_groups": []}), "the state of an optimizer"),
        (plain(3), "one value of type int"),
        (b"]q\x00h\x00a", "one value of type list"),  # it has itself
        (b"}q\x00U\x01ah\x00s", "it has no tensors"),
        (b"]" * 200_000, "of type list"),
        (b"}" + b"U\x01a" * 600 + b"}" * 600 + b"s" * 600, "cannot read"),
    ],
)
def test_hostile_pickles_in_both_formats(value, says):
    for contents in both(value):
        refused(contents, says)


def test_what_training_scripts_add_is_never_made():
    baggage = [
        ("args", name("argparse", "Namespace") + b")\x81}(U\x02lrG?\xb9\x99\x99\x99\x99\x99\x9aub"),
        ("path", call("pathlib", "PosixPath", plain("out"))),
        ("config", name("omegaconf", "DictConfig") + b")\x81}(K\x01K\x02ub"),
        ("own", call("__main__", "Meter", plain(1)) + b"(K\x01K\x02e"),
        ("class", name("os", "system")),
        ("state_dict", dictionary([("module.a", tensor())])),
    ]
    for contents in both(dictionary(baggage)):
        found = read(file_of(contents))
        assert list(found.arrays) == ["a"]
        assert found.taken == "state_dict; also there: args, path, config, own, class"


def test_zips_that_lie():
    whole_file = zipped(ONE, {"0": BYTES})
    refused(zipped(ONE, {"0": BYTES[:-4]}), "has 12 bytes, and its pickle says 16")
    refused(zipped(ONE, {}), "lacks its storage '0'")
    refused(zipped(ONE, {"0": BYTES}, method=zipfile.ZIP_DEFLATED), "is compressed")
    end = zipped(ONE + b"N.N", {"0": BYTES}).replace(b"N.N.", b"N.X.")
    refused(end, "Bad CRC-32")
    refused(zipped(ONE, {"0": BYTES}, others=[("weights/constants.pkl", b"")]), "TorchScript")
    refused(zipped(ONE, {"0": BYTES}, others=[("other/data.pkl", b"")]), "lacks the pickle")
    flipped = bytearray(whole_file)
    flipped[whole_file.index(BYTES) + 5] ^= 1
    refused(flipped, "another checksum")


def test_streams_that_lie():
    refused(legacy(ONE, {"0": BYTES}) + b"\0", "goes on for 1 bytes")
    refused(legacy(ONE, {"0": BYTES})[:-1], "ends after 15 of 16 bytes")
    refused(legacy(ONE, {"0": BYTES}, counts={"0": 2**60}), "its pickle says 4")
    refused(legacy(ONE, {"0": BYTES, "1": BYTES}), "list of storages")
    refused(legacy(ONE, {}), "list of storages")
    refused(whole(plain({"a": 1})), "a pickle, but not one of PyTorch's files")
