"""The channel axis: which axis it is while a network is built, and what that means for shapes.

Only this file asks Keras for the data format, and only while building. Once a layer exists, ask
the layer (``layer.data_format``, ``layer.axis``): a model keeps the format that it was built in.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets import channels_first
from keras_convnets.checks import ImageShape

FORMATS = ("channels_first", "channels_last")

# Keras holds its data format for the whole process, so two threads must not build at once.
_one_builder_at_a_time = threading.RLock()


@contextlib.contextmanager
def building(data_format: str | None) -> Iterator[None]:
    """Build in ``data_format``, or in Keras' own setting where it is ``None``.

    Keras' setting is changed for the duration, so that blocks which call ``keras.layers``
    without naming a format follow too, and is put back at the end, whatever happens.
    """
    with _one_builder_at_a_time:
        before = keras.config.image_data_format()
        keras.config.set_image_data_format(data_format or before)
        try:
            if current_format() == "channels_first":
                channels_first.warn_where_it_cannot_run()
            yield
        finally:
            keras.config.set_image_data_format(before)


def current_format() -> str:
    """Return the data format of the network that is being built, or else Keras' setting."""
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
    return x.shape[channel_axis()]


def rows_and_cols(x: Any) -> tuple[int | None, int | None]:
    """Return the rows and columns of a batch of images; ``None`` where they are not known."""
    return tuple(x.shape[2:4] if current_format() == "channels_first" else x.shape[1:3])


def format_of(model: Any) -> str:
    """Return the data format that a model was built in, asked of its layers.

    A model without a single layer that has a format, in it or in the models within, is taken to
    be in Keras' current one.
    """
    return next(_formats(model), current_format())


def _formats(model: Any) -> Iterator[str]:
    for layer in model.layers:
        if getattr(layer, "data_format", None):
            yield layer.data_format
        elif hasattr(layer, "layers"):
            yield from _formats(layer)


def in_papers_order(shape: tuple[int | None, ...], data_format: str) -> tuple[int | None, ...]:
    """Return a batch's shape as papers write it: without the batch, the channels first.

    Examples:
        >>> in_papers_order((None, 56, 56, 64), "channels_last")
        (64, 56, 56)
    """
    sizes = tuple(shape[1:])
    return sizes if data_format == "channels_first" else (*sizes[-1:], *sizes[:-1])
