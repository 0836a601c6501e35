"""What a script may hand to `classify`: all that is an image or none, in each combination."""

from __future__ import annotations

import functools
import itertools
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Count, Try, refused_or_worked

_TYPES = (
    "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64", "float16", "float32",
    "float64", "bool", "complex64", "<U3", "S3", "datetime64[s]", "object", "V4",
)  # fmt: skip
_SHAPES = (
    (), (3,), (6, 5), (6, 5, 1), (6, 5, 2), (6, 5, 3), (6, 5, 4), (6, 5, 5), (3, 6, 5),
    (2, 6, 5, 3), (0, 6, 5, 3), (2, 0, 5, 3), (0, 0, 0), (1, 1, 3), (1, 2, 6, 5, 3), (2, 3, 6, 5),
    (1, 300, 3),
)  # fmt: skip
_VALUES = (0, 1, 0.5, 255, -1, 1e30, float("nan"), float("inf"))
_MODES = (
    "1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX",
    "RGBa", "La", "I;16", "I;16L", "I;16B",
)  # fmt: skip


class _Broken:
    """It says that it is an array."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("nothing\nhere")


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each kind of input."""
    kinds = {"arrays": _arrays, "Pillow's images": _pillow, "what is none": _none, "files": _files}
    for name, inputs in kinds.items():
        yield Try(f"classify {name}", lambda inputs=inputs: _classified(inputs, place))


def _classified(inputs: Callable[[Path], Iterator[Any]], place: Path) -> Count:
    """Classify each input, alone and within a list, as pixels and as if it were prepared."""
    from keras_convnets import ResnetBuilder, classify
    from keras_convnets.training import Preprocessing

    warnings.simplefilter("ignore")
    model = ResnetBuilder.build((3, 8, 8), 2, "basic_block", (1,))
    call = functools.partial(classify, model, preprocessing=Preprocessing(3, 8, 8, resize="crop"))
    counts = {REFUSED: 0, WORKED: 0}
    prepared = functools.partial(classify, model, prepared=True)
    for one in inputs(place):
        for how, images in ((call, one), (call, [one]), (prepared, one)):
            try:
                counts[refused_or_worked(how, images=images)] += 1
            except Exception as error:
                raise Fault(f"{_words(images)}: {type(error).__name__}: {error}") from error
    return counts


def _words(images: Any) -> str:
    try:
        return f"{repr(images)[:150]} {getattr(images, 'shape', '')} {getattr(images, 'dtype', '')}"
    except Exception:
        return type(images).__name__


def _arrays(place: Path) -> Iterator[Any]:
    for kind, shape in itertools.product(_TYPES, _SHAPES):
        yield np.zeros(shape, kind)
    for kind, value in itertools.product(("int16", "float16", "float64"), _VALUES):
        if kind != "int16" or abs(value) < 2**15:
            yield np.full((6, 5, 3), value).astype(kind)
    yield np.broadcast_to(np.uint8(7), (10**6, 10**6, 3))  # without the memory of one
    yield np.broadcast_to(np.uint8(7), (10**6, 10**6))
    yield np.zeros((12, 10, 3), np.uint8)[::-2, ::2]
    yield np.ma.masked_all((6, 5, 3), np.uint8)


def _pillow(place: Path) -> Iterator[Any]:
    for mode in _MODES:
        for size in ((6, 5), (1, 1), (0, 5)):
            yield Image.new(mode, size)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)).save("x.png")
    whole = Path("x.png").read_bytes()
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    yield Image.open("cut.png")
    closed = Image.open("x.png")
    closed.close()
    yield closed


def _none(place: Path) -> Iterator[Any]:
    import tensorflow as tf

    yield from (None, 0, 1.5, True, b"bytes", {}, {"a": 1}, set(), object(), object, len, (), [[]])
    yield from ([[1, 2], [3, 4]], [None], ["x", None], range(3), iter(()), _Broken(), "x" * 5_000)
    yield tf.data.Dataset.range(3)
    yield from (tf.constant("text"), tf.constant([1.0]), tf.zeros((6, 5, 3), tf.bfloat16))
    yield tf.ragged.constant([[1, 2], [3]])
    yield tf.sparse.from_dense([[1.0]])
    yield tf.Variable(tf.zeros((6, 5, 3)))


def _files(place: Path) -> Iterator[Any]:
    os.chdir(place)
    Path("folder").mkdir()
    Path("text.png").write_text("no image")
    yield from ("", ".", "..", "none.png", "folder", "text.png", "a\0b", "\ud800", "~", "x/y/z")
    yield Path("none\n.png")
