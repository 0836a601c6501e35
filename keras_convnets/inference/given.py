"""Images as a script has them, as pixels with a name: whatever they come as, the same pixels.

Files, their bytes, open files and the files of a folder go through the decoders of training. An
image of Pillow's is turned upright and converted as these do it. Arrays are pixels already.
"""

from __future__ import annotations

import functools
import io
import operator
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_convnets.analysis.tables import sizes
from keras_convnets.images import decoding, others
from keras_convnets.images.contents import MOST_PIXELS
from keras_convnets.images.headers import NotReadError
from keras_convnets.images.kinds import KINDS, SUFFIXES
from keras_convnets.images.listing import walk
from keras_convnets.images.pixel_range import largest_pixel, range_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.printable import one_line
from keras_convnets.received import shown

_ONE = "a path, a file's bytes, an open file, a Pillow image, or an array (rows, cols, channels)"
_KINDS = (
    "a path, a folder, a file's bytes, an open file, a Pillow image, an array (rows, cols, "
    "channels), a list of these, or an array (images, rows, cols, channels)"
)
_MOST_CHANNELS = 4
_LARGEST = 2**31 - 1


class UnreadableError(ValueError):
    """An image that is one by its kind, but cannot be read; the error names it."""


def pixels_of(
    images: Any, preprocessing: Preprocessing, skip: Callable[[str], None]
) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Yield the name of each image, and a function that returns its pixels.

    The pixels are an array (rows, cols, channels). The function raises `UnreadableError` if the
    image cannot be read, and `ValueError` if it is none, or its values are no pixels.

    Args:
        images: one image or several: see `classify`.
        preprocessing: that of the images that the model was trained on.
        skip: called with a line for what is left out of a folder, because it is named otherwise
            than an image or cannot be looked into.

    Raises:
        ValueError: these are no images.
    """
    for number, (where, image) in enumerate(_each(images, skip)):
        if isinstance(image, str | os.PathLike):
            name = os.fspath(image)
            yield name, functools.partial(_of_file, name)
        else:
            name = f"image {number}"
            yield name, functools.partial(_of_one, name, where, image, preprocessing)


def at_once(images: Any, most: int) -> int:
    """Return how many images may be in a batch, as far as it is known."""
    if is_array(images):
        shape = np.shape(images)
        return min(most, shape[0]) if len(shape) == 4 else 1
    if isinstance(images, str | os.PathLike):
        return most if os.path.isdir(images) else 1
    if _is_alone(images):
        return 1
    several = images if isinstance(images, list | tuple) else ()
    if any(isinstance(one, str | os.PathLike) and os.path.isdir(one) for one in several[:most]):
        return most
    return max(1, min(most, operator.length_hint(images, most)))


def is_array(images: Any) -> bool:
    """Return whether a value is an array: NumPy's, or a tensor of any package."""
    return isinstance(images, np.ndarray) or hasattr(images, "__array__")


def as_array(where: str, images: Any) -> np.ndarray:
    """Return an array as NumPy's."""
    try:
        return np.asarray(images)
    except (
        Exception
    ) as error:  # a tensor of a GPU, or one that needs gradients, and anybody's class
        raise ValueError(
            f"{where}: received a {type(images).__name__} that NumPy cannot read "
            f"({one_line(error)}); expected an array. Convert it by numpy.asarray."
        ) from error


def _is_alone(images: Any) -> bool:
    """Return whether a value can be one image only."""
    return isinstance(images, Image.Image | bytes | bytearray | memoryview) or _is_file(images)


def _is_file(image: Any) -> bool:
    return isinstance(image, io.IOBase) or callable(getattr(image, "read", None))


def _each(images: Any, skip: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """Yield each image, and what it is called in errors."""
    if isinstance(images, str | os.PathLike):
        yield from _of_path("images", images, skip)
    elif _is_alone(images):
        yield "images", images
    elif is_array(images):
        array = as_array("images", images)
        if array.ndim != 4:
            yield "images", array
        else:
            yield from ((f"images[{number}]", image) for number, image in enumerate(array))
    elif isinstance(images, dict | tf.data.Dataset) or not isinstance(images, Iterable):
        raise ValueError(f"images: received {shown(images)}; expected {_KINDS}. Pass one of these.")
    else:
        for number, image in enumerate(images):
            yield from _of_path(f"images[{number}]", image, skip)


def _of_path(where: str, image: Any, skip: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """Yield an image, or those of a folder: its own, sorted, then those of the folders in it."""
    if not isinstance(image, str | os.PathLike) or not os.path.isdir(image):
        yield where, image
        return
    count = 0
    for path, reason in walk(os.fspath(image)):
        if reason is not None:
            skip(f"{path}: {reason}")
        elif os.path.splitext(path)[1].lower() not in SUFFIXES:
            skip(f"{path}: its name is not that of a {KINDS}")
        else:
            count += 1
            yield where, path
    if not count:
        yield where, image  # which is refused as a folder without images


def _of_file(name: str) -> np.ndarray:
    if os.path.isdir(name):
        raise UnreadableError(f"{name}: it is a folder without images; expected a file, or some")
    try:
        return decoding.read_image(name)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _of_one(name: str, where: str, image: Any, preprocessing: Preprocessing) -> np.ndarray:
    """Return the pixels of an image that has no path."""
    if isinstance(image, Image.Image):
        return _of_pillow(where, image)
    if isinstance(image, bytes | bytearray | memoryview):
        return _of_bytes(name, bytes(image))
    if _is_file(image):
        return _of_bytes(name, _contents(where, image))
    return _of_array(where, image, preprocessing)


def _contents(where: str, file: Any) -> bytes:
    """Return what is left to read of an open file."""
    try:
        contents = file.read()
    except Exception as error:  # of anybody's class
        raise UnreadableError(
            f"{where}: received a {type(file).__name__} that cannot be read ({one_line(error)}); "
            "expected an open file. Open it again, or pass its path."
        ) from error
    if not isinstance(contents, bytes | bytearray | memoryview):
        raise ValueError(
            f"{where}: received a {type(file).__name__} of {type(contents).__name__}; expected a "
            "file opened for bytes. Open it with 'rb'."
        )
    return bytes(contents)


def _of_bytes(name: str, contents: bytes) -> np.ndarray:
    try:
        return decoding.read_contents(name, contents)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _of_pillow(where: str, image: Image.Image) -> np.ndarray:
    try:
        pixels = np.asarray(others.upright(image))
    except MemoryError:
        raise
    except NotReadError as error:
        raise UnreadableError(
            f"{where}: received an image of Pillow's mode {image.mode!r}; expected 8 bits a "
            "channel. Scale it to 0 to 255, and convert it to 'L' or 'RGB'."
        ) from error
    except Exception as error:  # the file is read now; Pillow does not document its exceptions
        raise UnreadableError(
            f"{where}: received an image that Pillow cannot read ({one_line(error)}); expected a "
            "whole one that is open. Mend its file, or open it again."
        ) from error
    return _checked(where, pixels)


def _of_array(where: str, image: Any, preprocessing: Preprocessing) -> np.ndarray:
    if not is_array(image):
        raise ValueError(f"{where}: received {shown(image)}; expected {_ONE}. Pass one of these.")
    pixels = as_array(where, image)
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    _checked(where, pixels, preprocessing.channels)
    brightest = largest_pixel(preprocessing)
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind in "iu":
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > _LARGEST:
            raise _no_pixels(where, pixels, low, high, brightest)
        return pixels.astype(np.int32)
    if pixels.dtype.kind == "f" or pixels.dtype.name == "bfloat16":
        return _of_floats(where, pixels.astype(np.float32), preprocessing)
    raise ValueError(
        f"{where}: received an array of type {pixels.dtype}; expected pixels, from 0 to "
        f"{brightest:g}. Convert them to uint8."
    )


def _of_floats(where: str, pixels: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Return pixels that are floats; refuse what was scaled or normalised already.

    Arrays that a model was trained on may have had any range, which `pixel_range` then compares.
    """
    wanted, brightest = range_of(preprocessing), largest_pixel(preprocessing)
    low, high = float(pixels.min()), float(pixels.max())
    is_finite = bool(np.isfinite([low, high]).all())
    if is_finite and (wanted is None or wanted.low < 0):
        return pixels
    is_scaled = high <= 1 < brightest and bool((pixels != np.floor(pixels)).any())
    if not is_finite or low < 0 or is_scaled:
        raise _no_pixels(where, pixels, low, high, brightest)
    return pixels


def _no_pixels(
    where: str, pixels: np.ndarray, low: float, high: float, brightest: float
) -> ValueError:
    return ValueError(
        f"{where}: received {pixels.dtype} from {low:.4g} to {high:.4g}; expected pixels, from 0 "
        f"to {brightest:g}. Scale them to that, or pass prepared=True if they are already as the "
        "network takes them."
    )


def _checked(where: str, pixels: np.ndarray, channels: int = 3) -> np.ndarray:
    shape = pixels.shape
    known = range(1, _MOST_CHANNELS + 1) if channels in (1, 3) else [channels]
    if len(shape) == 3 and 0 not in shape and shape[2] in known:
        if shape[0] * shape[1] <= MOST_PIXELS:
            return pixels
        raise ValueError(
            f"{where}: received an array of {sizes(shape)}; expected at most {MOST_PIXELS:,} "
            "pixels. Resize it."
        )
    has = f"an array of {sizes(shape)}" if shape else "a number"
    count = f"1 to {_MOST_CHANNELS}" if channels in (1, 3) else channels
    raise ValueError(
        f"{where}: received {has}; expected (rows, cols, channels) with {count} "
        "channels, and at least one pixel. Transpose it if its channels come first, and add an "
        "axis if it has none."
    )
