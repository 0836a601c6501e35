"""The bytes of image files that can be decoded within bounds.

A file of a few kilobytes can say that it has billions of pixels, and ``x.png`` can be the name of a
pipe that never ends. So the kind and size of a file are looked at before it is read, and the size
of an image before it is decoded.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import NoReturn

import tensorflow as tf

from keras_convnets import files
from keras_convnets.images import headers, others, turning
from keras_convnets.images.exif import UPRIGHT
from keras_convnets.images.headers import Header, NotReadError

NOT_WHOLE = "not a complete image"

MOST_PIXELS = 89_478_485  # 256 MiB of colours; the limit of Pillow, too
MOST_BYTES = 2**29  # of a file
LONGEST = 100  # times the shorter side, which is the one that is scaled to the network's input

_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
}


class RefusedImageError(tf.errors.InvalidArgumentError):
    """An image that is not read or not decoded.

    Attributes:
        reason: why it is not.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(None, None, reason)
        self.reason = reason


class TooLargeError(RefusedImageError):
    """An image of which more would be decoded than is read.

    Attributes:
        size: its size, in words.
        pixels: how many it has.
        expected: what is read.
    """

    def __init__(self, rows: int, cols: int, expected: str) -> None:
        self.size = f"{cols:,} pixels wide and {rows:,} high"
        self.pixels, self.expected = rows * cols, expected
        super().__init__(f"{self.size}; expected {expected}")


def read(path: bytes | str, channels: int = 3, turns: bool = True) -> bytes:
    """Return the bytes of an image file, as `checked` returns them.

    Raises:
        RefusedImageError: the file cannot be read, is not a regular file or is too large, or
            `checked` refuses it.
    """
    try:
        contents = files.read_regular(path, MOST_BYTES)
    except OSError as error:
        _refuse(_REASONS.get(error.errno or 0, error.strerror or str(error)), error)
    except ValueError as error:
        _refuse(str(error), error)
    return checked(contents, channels, turns)


def checked(contents: bytes, channels: int = 3, turns: bool = True) -> bytes:
    """Return an encoded image that TensorFlow decodes, and that is not too large for it.

    What Pillow has to decode comes back as a BMP, and a JPEG that is to be turned as `turning`
    marks it.

    Args:
        contents: the bytes of the file.
        channels: those that will be decoded, 1 (grey) or 3 (colour).
        turns: whether marked JPEGs are turned where they are decoded; if not, Pillow turns them.

    Raises:
        RefusedImageError: the image has too many pixels or is too long, is of a kind that is not
            read, or is damaged.
    """
    header = checked_header(contents)
    marks = turns and contents.endswith(headers.JPEG_END)
    if not header.by_pillow and (marks or header.orientation == UPRIGHT):
        return turning.marked(contents, header.orientation)
    with _refused():
        return others.as_bmp(contents, header.kind, channels, _check_size)


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Refuse an image that Pillow cannot read."""
    try:
        yield
    except NotReadError as error:
        _refuse(str(error), error)
    except (RefusedImageError, MemoryError):
        raise
    except Exception as error:  # Pillow does not document its exceptions
        _refuse(NOT_WHOLE, error)


def checked_header(contents: bytes) -> Header:
    """Return the header of an image that is not too large to decode, as far as that says its size.

    Raises:
        RefusedImageError: it has too many pixels or is too long, is of a kind that is not read, or
            its header is damaged.
    """
    try:
        header = headers.read(contents)
    except NotReadError as error:
        _refuse(str(error), error)
    except ValueError as error:
        _refuse(NOT_WHOLE, error)
    _check_size(header.rows, header.cols)
    return header


def size_of(contents: bytes) -> tuple[int, int]:
    """Return the rows and columns of an image that is not too large to decode, as it is stored.

    Raises:
        RefusedImageError: as in `checked`.
    """
    header = checked_header(contents)
    if header.rows and header.cols:
        return header.rows, header.cols
    with _refused():  # only its decoder knows
        rows, cols = others.size(contents, header.kind)
    _check_size(rows, cols)
    return rows, cols


def _check_size(rows: int, cols: int) -> None:
    if rows * cols > MOST_PIXELS:
        raise TooLargeError(rows, cols, f"at most {MOST_PIXELS:,}")
    if max(rows, cols) > LONGEST * min(rows, cols) > 0:
        raise TooLargeError(rows, cols, f"one side to be at most {LONGEST} times the other")


def _refuse(reason: str, cause: Exception | None = None) -> NoReturn:
    raise RefusedImageError(reason) from cause
