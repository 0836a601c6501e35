"""The data format: where the channel axis is while a network is built, and the order of shapes.

This is the only module that reads Keras' global data format, and it does so only while building.
For an existing layer, read the layer's own setting (``layer.data_format``, ``layer.axis``): a model
keeps the format that it was built with.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets import channels_first
from keras_convnets.checks import ImageShape
from keras_convnets.received import shown

FORMATS = ("channels_first", "channels_last")

# Keras' data format is global to the process, so two threads must not build at the same time.
_one_builder_at_a_time = threading.RLock()


@contextlib.contextmanager
def building(data_format: str | None) -> Iterator[None]:
    """Build in ``data_format``, or in Keras' current format if it is ``None``.

    Keras' global setting is changed for the duration, so that blocks that call ``keras.layers``
    without specifying a format use it too. It is always restored at the end.
    """
    with _one_builder_at_a_time:
        before = keras.config.image_data_format()
        keras.config.set_image_data_format(data_format or before)
        try:
            if current_format() == "channels_first":
                channels_first.warn_where_it_cannot_run(keras.config.dtype_policy().compute_dtype)
            yield
        finally:
            keras.config.set_image_data_format(before)


def current_format() -> str:
    """Return the data format of the network being built, or Keras' setting if there is none."""
    return keras.config.image_data_format()


def channel_axis() -> int:
    """Return the channel axis of a batch of images: 1 or -1, for ``axis=`` arguments.

    Examples:
        >>> import keras
        >>> from keras_convnets import channel_axis
        >>> layer = keras.layers.BatchNormalization(axis=channel_axis())
    """
    return 1 if current_format() == "channels_first" else -1


def keras_shape(input_shape: ImageShape) -> tuple[int | None, ...]:
    """Return ``(channels, rows, cols)`` in the order of the current data format."""
    channels, rows, cols = input_shape
    if current_format() == "channels_first":
        return channels, rows, cols
    return rows, cols, channels


def channels(x: Any) -> int:
    """Return the number of channels of a batch of images, in the current data format.

    Examples:
        >>> import keras
        >>> from keras_convnets import channels
        >>> channels(keras.Input((56, 56, 64)))
        64
    """
    return _shape(x)[channel_axis()]


def _shape(x: Any) -> tuple[Any, ...]:
    """Return the shape of a batch of images."""
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) != 4:
        raise ValueError(
            f"x: received {shown(x)}; expected a batch of images, with four axes. Pass a tensor."
        )
    return shape


def rows_and_cols(x: Any) -> tuple[int | None, int | None]:
    """Return the rows and columns of a batch of images; ``None`` for an unknown size."""
    return _shape(x)[2:4] if current_format() == "channels_first" else _shape(x)[1:3]


def format_of(model: Any) -> str:
    """Return the data format that a model was built in, as recorded by its layers.

    If neither the model nor any nested model has a layer with a data format, Keras' current format
    is returned.
    """
    return next(_formats(model), current_format())


def _formats(model: Any) -> Iterator[str]:
    for layer in model.layers:
        if getattr(layer, "data_format", None):
            yield layer.data_format
        elif hasattr(layer, "layers"):
            yield from _formats(layer)


def in_papers_order(shape: tuple[int | None, ...], data_format: str) -> tuple[int | None, ...]:
    """Return the shape of a batch as papers write it: channels first, without the batch axis.

    Examples:
        >>> in_papers_order((None, 56, 56, 64), "channels_last")
        (64, 56, 56)
    """
    sizes = tuple(shape[1:])
    return sizes if data_format == "channels_first" else (*sizes[-1:], *sizes[:-1])
