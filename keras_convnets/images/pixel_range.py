"""The range of pixels: which one a preprocessing is for, which one images have, and what follows.

This is the only place that decides whether pixels are what a trained model knows, and how they are
brought to that where it is certain. Image files have 8 bits, so that their pixels are 0 to 255;
digits are 0 to 16; arrays may be anything, which their values must tell.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing

_UNIT, _DIGIT, _BYTE = 1.0, 16.0, 255.0
_LOOKED_AT = 32  # images that are not in memory
_VALUES = 2**22  # of images in memory, of which it is seen whether they are whole numbers
_FEW = 8  # images, which may all be dark
_UNLIKE = 4.0  # how many times one range may be another that is not one of the usual


class PixelRange(NamedTuple):
    """The least and the largest value that pixels may have."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


BYTES = PixelRange(0.0, _BYTE)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was seen of the pixels of some images.

    Attributes:
        low: the least value.
        high: the largest value.
        are_whole: whether all values are whole numbers.
        images: how many images were looked at.
    """

    low: float
    high: float
    are_whole: bool
    images: int


NOTHING = Seen(0.0, 0.0, True, 0)


def range_of(preprocessing: Preprocessing) -> PixelRange | None:
    """Return the range of the pixels that a preprocessing is for; ``None`` if it does not tell.

    One that does not say it is for the pixels that its scale makes 1. Where the mean of the scaled
    pixels is 1 or more, these are from -1 to 1, or not scaled at all, as in Caffe: then pixels are
    bytes.

    Examples:
        >>> print(range_of(Preprocessing(1, 8, 8, scale=16)))
        0 to 16
        >>> print(range_of(Preprocessing(1, 8, 8, scale=127.5, mean=(1,))))
        0 to 255
        >>> print(range_of(Preprocessing(1, 8, 8, scale=1)))
        None
    """
    if preprocessing.pixels is not None:
        return PixelRange(*preprocessing.pixels)
    scale, mean = float(preprocessing.scale), max(preprocessing.mean)
    if scale == 1 and not any(preprocessing.mean) and set(preprocessing.std) == {1.0}:
        return None
    return PixelRange(0.0, max(scale, _BYTE) if mean >= 1 else scale)


def largest_pixel(preprocessing: Preprocessing) -> float:
    """Return the largest pixel of the images that a preprocessing is for; 255 if it is unknown."""
    return (range_of(preprocessing) or BYTES).high


def usual_range(seen: Seen) -> PixelRange:
    """Return the range that the pixels of all of some images have: a usual one, or what was seen.

    Examples:
        >>> print(usual_range(Seen(0, 15, are_whole=True, images=100)))
        0 to 16
        >>> print(usual_range(Seen(-2.1, 2.6, are_whole=False, images=100)))
        -2.1 to 2.6
    """
    if seen.low >= 0:
        for most in (_UNIT, _DIGIT, _BYTE):
            if seen.high <= most:
                return PixelRange(0.0, most)
    return PixelRange(seen.low, seen.high)


def taken_for(wanted: PixelRange, seen: Seen, are_files: bool) -> PixelRange | None:
    """Return the range that pixels are taken to have; ``None`` if it cannot be told.

    Args:
        wanted: the range that is wanted.
        seen: what was seen of them.
        are_files: whether they are from image files, of 8 bits.

    Examples:
        >>> digits, bytes = PixelRange(0, 16), PixelRange(0, 255)
        >>> print(taken_for(digits, Seen(0, 240, are_whole=True, images=1), are_files=True))
        0 to 255
        >>> print(taken_for(digits, Seen(0, 15, are_whole=True, images=1), are_files=True))
        0 to 16
        >>> print(taken_for(bytes, Seen(0, 1, are_whole=False, images=9), are_files=False))
        0 to 1
        >>> print(taken_for(bytes, Seen(-1, 1, are_whole=False, images=9), are_files=False))
        None
    """
    if not is_usual(wanted):
        return wanted if _alike(wanted, seen) else None
    if seen.low < 0:
        return None
    are_fractions = not seen.are_whole and seen.high <= _UNIT
    if are_fractions:
        return PixelRange(0.0, _UNIT)
    if seen.high <= wanted.high:
        return wanted
    if seen.high <= _BYTE and (are_files or seen.high > _DIGIT):
        return BYTES
    return None


def are_dark(wanted: PixelRange, seen: Seen) -> bool:
    """Return whether pixels are so dark that they may have been scaled in another way."""
    return 0 < seen.high <= wanted.high * _DIGIT / _BYTE and seen.images >= _FEW


def scaled_for(preprocessing: Preprocessing, found: PixelRange) -> Preprocessing:
    """Return a preprocessing that does the same to pixels of another range, both from 0.

    Examples:
        >>> scaled_for(Preprocessing(1, 8, 8, scale=127.5, mean=(1,)), PixelRange(0, 16)).scale
        8.0
    """
    wanted = range_of(preprocessing)
    if wanted is None or wanted == found:
        return preprocessing
    scale = preprocessing.scale * found.high / wanted.high
    return of_range(dataclasses.replace(preprocessing, scale=scale), found)


def of_range(preprocessing: Preprocessing, found: PixelRange) -> Preprocessing:
    """Return a preprocessing that tells the range of the pixels, as it may do without saying it."""
    silent = dataclasses.replace(preprocessing, pixels=None)
    return silent if range_of(silent) == found else dataclasses.replace(silent, pixels=found)


def seen_in(images: Images) -> Seen:
    """Look at the pixels of some images: of all that are in memory, else of a few.

    Those that are not in memory are looked at until one is so bright that they have 8 bits. Those
    that cannot be read are passed over.
    """
    if images.array is not None:
        return seen_of(images.array, len(images))
    found = NOTHING
    numbers = np.linspace(0, len(images) - 1, min(_LOOKED_AT, len(images))).astype(int)
    for number in numbers.tolist():
        try:
            one = seen_of(images.read(tf.constant(number, tf.int64)).numpy(), 1)
        except tf.errors.OpError:
            continue
        found = both(found, one)
        if found.high > _DIGIT:
            break
    return found


def seen_of(pixels: np.ndarray, images: int) -> Seen:
    """Return what is seen of an array of pixels, of one or several images."""
    if not pixels.size:
        return NOTHING
    some = pixels[: 1 + _VALUES // pixels[0].size] if images > 1 else pixels
    are_whole = pixels.dtype.kind in "iu" or bool((some == np.floor(some)).all())
    return Seen(float(pixels.min()), float(pixels.max()), are_whole, images)


def both(one: Seen, other: Seen) -> Seen:
    """Return what was seen of some images and of others."""
    if not one.images:
        return other
    return Seen(
        min(one.low, other.low),
        max(one.high, other.high),
        one.are_whole and other.are_whole,
        one.images + other.images,
    )


def is_usual(found: PixelRange) -> bool:
    """Return whether a range is that of fractions, of digits or of bytes."""
    return found.low == 0 and found.high in (_UNIT, _DIGIT, _BYTE)


def _alike(wanted: PixelRange, seen: Seen) -> bool:
    """Return whether pixels may have a range that is none of the usual."""
    span, size = wanted.high - wanted.low, max(abs(wanted.low), abs(wanted.high))
    has = max(abs(seen.low), abs(seen.high))
    is_apart = seen.images >= _FEW and abs(min(wanted.low, seen.low)) >= size / _UNLIKE
    signs = (wanted.low < 0) == (seen.low < 0) or (not is_apart and seen.high - seen.low < span)
    return signs and 1 / _UNLIKE <= has / size <= _UNLIKE
