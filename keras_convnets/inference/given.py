"""Images as a script has them: files, arrays and Pillow's images, as pixels with a name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_convnets.analysis.tables import sizes
from keras_convnets.images import decoding
from keras_convnets.images.contents import MOST_PIXELS
from keras_convnets.printable import one_line
from keras_convnets.received import shown

_KINDS = (
    "a path, a Pillow image, an array (rows, cols, channels), a list of these, or an array "
    "(images, rows, cols, channels)"
)
_ONE = "a path, a Pillow image, or an array (rows, cols, channels)"
_MOST_CHANNELS = 4
_LARGEST = 2**31 - 1
_COARSE = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")


def pixels_of(images: Any, brightest: float, channels: int = 3) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and the pixels, (rows, cols, channels), of each image.

    Args:
        images: one image or several: see `classify`.
        brightest: the largest pixel value that is expected.
        channels: those that the network takes; arrays may have so many.

    Raises:
        ValueError: it is no image, or its values are no pixels.
    """
    for number, (where, image) in enumerate(_each(images)):
        if isinstance(image, str | os.PathLike):
            yield os.fspath(image), decoding.read_image(os.fspath(image))
        elif isinstance(image, Image.Image):
            yield f"image {number}", _of_pillow(where, image)
        else:
            yield f"image {number}", _of_array(where, image, brightest, channels)


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


def _each(images: Any) -> Iterator[tuple[str, Any]]:
    """Yield each image, and what it is called in errors."""
    if isinstance(images, str | os.PathLike | Image.Image):
        yield "images", images
    elif is_array(images):
        array = as_array("images", images)
        if array.ndim != 4:
            yield "images", array
        else:
            yield from ((f"images[{number}]", image) for number, image in enumerate(array))
    elif isinstance(images, dict | bytes | tf.data.Dataset) or not isinstance(images, Iterable):
        raise ValueError(f"images: received {shown(images)}; expected {_KINDS}. Pass one of these.")
    else:
        yield from ((f"images[{number}]", image) for number, image in enumerate(images))


def _of_pillow(where: str, image: Image.Image) -> np.ndarray:
    if image.mode not in _COARSE:
        raise ValueError(
            f"{where}: received an image of Pillow's mode {image.mode!r}; expected 8 bits a "
            "channel. Scale it to 0 to 255, and convert it to 'L' or 'RGB'."
        )
    try:
        pixels = np.asarray(image.convert("RGB"))
    except MemoryError:
        raise
    except Exception as error:  # the file is read now; Pillow does not document its exceptions
        raise ValueError(
            f"{where}: received an image that Pillow cannot read ({one_line(error)}); expected a "
            "whole one that is open. Mend its file, or open it again."
        ) from error
    return _checked(where, pixels)


def _of_array(where: str, image: Any, brightest: float, channels: int) -> np.ndarray:
    if not is_array(image):
        raise ValueError(f"{where}: received {shown(image)}; expected {_ONE}. Pass one of these.")
    pixels = as_array(where, image)
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    _checked(where, pixels, channels)
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind in "iu":
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > _LARGEST:
            raise _no_pixels(where, pixels, low, high, brightest)
        return pixels.astype(np.int32)
    if pixels.dtype.kind == "f" or pixels.dtype.name == "bfloat16":
        return _of_floats(where, pixels.astype(np.float32), brightest)
    raise ValueError(
        f"{where}: received an array of type {pixels.dtype}; expected pixels, from 0 to "
        f"{brightest:g}. Convert them to uint8."
    )


def _of_floats(where: str, pixels: np.ndarray, brightest: float) -> np.ndarray:
    """Return pixels that are floats; refuse what was scaled or normalised already."""
    low, high = float(pixels.min()), float(pixels.max())
    is_scaled = high <= 1 < brightest and bool((pixels != np.floor(pixels)).any())
    if not (np.isfinite([low, high]).all() and low >= 0) or is_scaled:
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
