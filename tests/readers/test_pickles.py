"""Pickles are read without calling anything: honest ones bit for bit, others refused."""

import os
import pickle
import struct

import numpy as np
import pytest

from keras_convnets.readers import pickle_machine
from keras_convnets.readers.damage import DamagedFile, damage
from keras_convnets.readers.pickles import read_pickle

VALUES = {
    b"data": np.arange(12, dtype=np.uint8).reshape(3, 4),
    b"fortran": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
    b"floats": np.array([0.1, -0.0, np.nan], np.float32),
    b"none": np.zeros((0, 3), np.int64),
    b"zero": np.array(7, np.uint16),
    b"true": np.array([True, False]),
    b"labels": [0, 255, 256, 70_000, -1, 2**40],
    b"batch_label": b"training batch 1 of 5\xff",
    b"others": (None, True, False, 1.5, (), (1,), (1, 2), (1, 2, 3, 4), {b"a": [b"b", "\xe9"]}),
    b"scalar": [np.int64(3), np.float32(0.5)],
    3: b"x" * 300,
}


def same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if isinstance(value, np.ndarray):
            assert (found[key].dtype, found[key].shape) == (value.dtype, value.shape)
            assert found[key].tobytes() == value.tobytes()
        else:
            assert found[key] == value


@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize("protocol", range(6))
def test_honest_pickles_of_every_protocol(protocol, numpy_1):
    pickled = pickle.dumps(VALUES, protocol=protocol)
    if numpy_1 and protocol < 4:  # later, names have a length
        pickled = pickled.replace(b"numpy._core", b"numpy.core")
    elif numpy_1:
        pickled = pickled.replace(
            b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray"
        )
    same(read_pickle(pickled), VALUES)


def test_pickles_of_python_2():
    """A batch as Python 2 wrote it, by its fast pickler and by its first protocol."""
    typed = b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    first = (
        b"(dp0\nS'data'\np1\n" + made + b"(I1\n(I2\nI2\nt" + typed + b"I00\nS'\\x00\\xff\\'a'\ntbs"
    )
    first += b"S'labels'\n(lI1\naL7L\nasS'batch_label'\nS\"it's\"\ns."
    found = read_pickle(first)
    assert found[b"labels"] == [1, 7]
    assert found[b"batch_label"] == b"it's"
    np.testing.assert_array_equal(found[b"data"], [[0, 255], [ord("'"), ord("a")]])
    fast = b"\x80\x02}q\x01(U\x04dataq\x02" + made + b"(K\x01K\x02K\x02\x86" + typed
    fast += b"\x89T\x04\x00\x00\x00\x00\xff'atbU\x06labels]q\x09(K\x01K\x07eu."
    np.testing.assert_array_equal(read_pickle(fast)[b"data"], found[b"data"])


class Harm:
    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what[0], self.what[1:]


def an_array(kind, shape, contents):
    typed = b"cnumpy\ndtype\n(S'" + kind + b"'\nI0\nI1\ntR"
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return made + b"(I1\n(" + shape + b"t" + typed + b"I00\nS'" + contents + b"'\ntb."


HOSTILE = {
    "a function of the system": pickle.dumps(Harm(os.mkdir, "executed")),
    "the same by STACK_GLOBAL": pickle.dumps(Harm(os.mkdir, "executed"), protocol=4),
    "eval": pickle.dumps(Harm(eval, "open('executed', 'w')")),
    "INST": b"(S'executed'\nios\nmkdir\n.",
    "OBJ": b"(cos\nmkdir\nS'executed'\no.",
    "NEWOBJ": b"cos\nmkdir\n(S'executed'\nt\x81.",
    "ndarray itself": b"cnumpy\nndarray\n((I1\ntS'O'\nS'AAAAAAAA'\ntR.",
    "another function of NumPy": b"cnumpy.core.multiarray\nfromfile\n(S'/etc/passwd'\ntR.",
    "objects": an_array(b"O", b"I1\n", b"A" * 8),
    "records": an_array(b"O8,u1", b"I1\n", b"A" * 9),
    "records in the state": b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nN(S'a'\ntNI-1\ntb.",
    "a shape of 2**40": an_array(b"u1", b"I1099511627776\n", b"A" * 8),
    "a shape whose product overflows": an_array(b"u1", b"I4294967296\n" * 2, b""),
    "a negative shape": an_array(b"u1", b"I-8\n", b"A" * 8),
    "a shape that is no integer": an_array(b"u1", b"F8\n", b"A" * 8),
    "a memo of 2**31 places": b"Nr\xff\xff\xff\x7f" + b"]" * 10,
    "bytes that are not there": b"\x8e" + struct.pack("<Q", 2**62) + b"x.",
    "a negative length": b"T\xff\xff\xff\xffx.",
    "the hash of a deep tuple": b"})" + b"\x85" * 100_000 + b"Ns.",
    "no value": b".",
    "no end": b"N",
    "nothing": b"",
    "an extension": b"\x82\x01.",
    "a persistent name": b"Pa\n.",
    "setting an attribute of a function": b"cos\nmkdir\n}(S'a'\nI1\nub.",
    "keys of a list": b"](I1\nI2\nu.",
    "items of a dictionary": b"}N" + b"a.",
    "a mark that is not there": b"Nt.",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_pickles_are_refused(what):
    with pytest.raises(DamagedFile), damage():
        read_pickle(HOSTILE[what])
    assert not os.path.exists("executed")


def test_a_pickle_has_a_bounded_number_of_instructions(monkeypatch):
    assert read_pickle(b"]" * 1000 + b".") == []
    monkeypatch.setattr(pickle_machine, "_MOST", 1000)
    with pytest.raises(DamagedFile, match="more than 1,000 instructions"):
        read_pickle(b"]" * 1000 + b".")
