"""How the images of a model are prepared: as it knows, as its first layers tell, or as is said.

It is never guessed. What contradicts what is known of the model is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_convnets import axes
from keras_convnets.image_config import NAMES
from keras_convnets.images.fitted import for_input
from keras_convnets.images.input_layers import OwnScaling, own_scaling
from keras_convnets.images.labelled import Images
from keras_convnets.images.model_preprocessing import preprocessing_of
from keras_convnets.images.named import named, scaled_to
from keras_convnets.images.pixel_range import (
    BYTES,
    PixelRange,
    are_dark,
    of_range,
    range_of,
    scaled_for,
    seen_in,
    taken_for,
)
from keras_convnets.images.preprocessing import Preprocessing

_DIGITS = PixelRange(0.0, 16.0)
_USUAL = (BYTES, PixelRange(0.0, 1.0), PixelRange(-1.0, 1.0), _DIGITS)
_NEAR = 0.05  # as a share of a range
_TIMES = 8.0  # how far apart normalised numbers may be, against those that are not

Said = Preprocessing | str | None


def preprocessing_for(
    model: Any,
    said: Said = None,
    whose: str | None = None,
    image_size: Sequence[int] | None = None,
) -> Preprocessing:
    """Return how the images of a model are prepared.

    Args:
        model: a model of one input, of images.
        said: how they are prepared, or the name of a usual way, as in `named`; by default what the
            model knows, or what its first layers tell.
        whose: where the model is from, for errors.
        image_size: rows and columns for a model that takes images of any size.

    Raises:
        ValueError: it cannot be told, or what is said contradicts what is known of the model.

    Examples:
        >>> import keras
        >>> rescaling = keras.layers.Rescaling(1 / 255)
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), rescaling, keras.layers.Conv2D(4, 3)])
        >>> print(preprocessing_for(model))
        3 x 8 x 8, resized, pixels as they are
    """
    found = told_preprocessing(model, said, image_size)
    if found is None:
        raise ValueError(
            f"preprocessing: received none, and {whose or model.name} does not say how its images "
            f"are prepared; expected {', '.join(NAMES)}, or a run with the same. Say it by "
            "--preprocessing (preprocessing)."
        )
    return found


def told_preprocessing(
    model: Any, said: Said = None, image_size: Sequence[int] | None = None
) -> Preprocessing | None:
    """Return how a model's images are prepared, as `preprocessing_for`; ``None`` if unknown."""
    shape = axes.in_papers_order(model.inputs[0].shape, axes.format_of(model))
    known = preprocessing_of(model)
    if known is not None:
        channels, rows, cols = (
            has or usual for has, usual in zip(shape, known.image_shape, strict=True)
        )
        known = for_input(known, (channels, rows, cols))
        if said is not None:
            _check(model, _as_said(said, known.image_shape), known, None)
        return known
    own = own_scaling(model)
    if said is None and (own is None or own.pixels is None):
        return None
    channels, rows, cols = (
        has or given for has, given in zip(shape, (3, *(image_size or (0, 0))), strict=True)
    )
    if not rows or not cols:
        raise ValueError(
            f"image_size: received none, and {model.name} takes images of any size; expected rows "
            "and columns. Pass --image-size to train, or a Preprocessing in Python."
        )
    if own is not None and own.pixels is not None and said is None:
        return _for_own(own.pixels, (channels, rows, cols))
    given = _as_said(said or "none", (channels, rows, cols))
    _check(model, given, None, own)
    return given


def check_same(model: Any, said: Said, known: Preprocessing) -> None:
    """Refuse what is said of the images of a model if it is something else than is known.

    Raises:
        ValueError: it is.
    """
    if said is not None:
        _check(model, _as_said(said, known.image_shape), known, None)


def check_known(model: Any, preprocessing: Preprocessing) -> None:
    """Refuse a preprocessing that is another than that which a model knows.

    Raises:
        ValueError: it is another.
    """
    known = preprocessing_of(model)
    if known is not None:
        _check(model, preprocessing, known, None)


def check_images(model: Any, preprocessing: Preprocessing) -> None:
    """Refuse a preprocessing that contradicts what is known of a model.

    A model that scales images itself may have been trained on images that were normalised before,
    as long as its weights still receive numbers of the usual size.

    Raises:
        ValueError: the model knows another, or scales images itself that are already scaled.
    """
    known = preprocessing_of(model)
    own = own_scaling(model) if known is None else None
    is_near = own is not None and (own.pixels is None or _feeds_nearly(preprocessing, own.pixels))
    _check(model, preprocessing, known, None if is_near else own)


def check_pixels(images: Images, preprocessing: Preprocessing) -> None:
    """Refuse images whose pixels have another range than those that a preprocessing is for.

    Raises:
        ValueError: they have.
    """
    wanted = range_of(preprocessing)
    if wanted is None:
        return
    seen = seen_in(images)
    are_files = images.array is None or images.array.dtype == np.uint8
    if taken_for(wanted, seen, are_files) != wanted or are_dark(wanted, seen):
        raise ValueError(
            f"images: received pixels of {seen.low:g} to {seen.high:g}; expected {wanted}, as the "
            "preprocessing is for. Pass it to load_data, Data.from_arrays or load_images, and the "
            "preprocessing of what they return to evaluate."
        )


def _as_said(said: Preprocessing | str, image_shape: tuple[int, int, int]) -> Preprocessing:
    return named(said, image_shape) if isinstance(said, str) else for_input(said, image_shape)


def _for_own(pixels: PixelRange, image_shape: tuple[int, int, int]) -> Preprocessing:
    """Return the preprocessing for a model that scales pixels of a range itself."""
    if pixels == _DIGITS:  # which no image files have
        return of_range(Preprocessing(*image_shape, scale=1.0, resize="stretch"), _DIGITS)
    return scaled_to(pixels, image_shape)


def _check(
    model: Any, given: Preprocessing, known: Preprocessing | None, own: OwnScaling | None
) -> None:
    """Refuse a preprocessing that contradicts what is known of a model."""
    if known is not None:
        if not do_the_same(given, known):
            raise ValueError(
                f"preprocessing: received '{given}', but {model.name} knows how its images are "
                f"prepared: {known}; expected the same. Leave --preprocessing (preprocessing) out."
            )
    elif own is not None and not _feeds(given, own):
        takes = (
            "pixels that are not normalised" if own.pixels is None else f"pixels of {own.pixels}"
        )
        raise ValueError(
            f"preprocessing: received '{given}', but {model.name} scales images itself (layer "
            f"{own.layer!r}) and takes {takes}; expected only one of the two. Leave "
            "--preprocessing (preprocessing) out, or pass 'none'."
        )


def do_the_same(one: Preprocessing, other: Preprocessing) -> bool:
    """Return whether two preprocessings make the same numbers of an image, whatever its size."""
    wanted = range_of(other)
    if one.order != other.order or one.channels != other.channels:
        return False
    if wanted is not None and (range_of(one) or wanted).low == wanted.low == 0:
        one = scaled_for(one, wanted)
    first, second = (_ends(each, wanted or BYTES) for each in (one, other))
    return bool(np.abs(first - second).max() <= _NEAR * np.ptp(second))


def _feeds(given: Preprocessing, own: OwnScaling) -> bool:
    """Return whether a preprocessing makes what a model takes that scales images itself."""
    ends = _ends(given, range_of(given) or BYTES)
    return any(
        np.abs(ends - taken).max() <= _NEAR * (taken.high - taken.low)
        for taken in (_USUAL if own.pixels is None else (own.pixels,))
    )


def _feeds_nearly(given: Preprocessing, pixels: PixelRange) -> bool:
    """Return whether a preprocessing makes numbers nearly as far apart as some pixels."""
    span = float(np.ptp(_ends(given, range_of(given) or BYTES)))
    return 1 / _TIMES <= span / (pixels.high - pixels.low) <= _TIMES


def _ends(preprocessing: Preprocessing, pixels: PixelRange) -> np.ndarray:
    """Return what becomes of the lowest and the highest pixel, (channels, 2)."""
    scaled = np.array(pixels) / preprocessing.scale
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    return (scaled - mean[:, np.newaxis]) / std[:, np.newaxis]
