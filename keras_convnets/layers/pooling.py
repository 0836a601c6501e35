"""Pooling layers that Keras lacks, or that it has for known sizes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks, received
from keras_convnets.layers.slices import Tensor


def _pair(what: str, size: int | Sequence[int]) -> tuple[int, int]:
    """Return rows and columns, which may be given as one number."""
    both = (size, size) if received.integer(size) is not None else size
    rows_and_cols = checks.positive_integers(what, both, "rows and columns, such as 3")
    if len(rows_and_cols) != 2:
        raise ValueError(f"{what}: received {rows_and_cols}; expected two, rows and columns.")
    return rows_and_cols[0], rows_and_cols[1]


@keras.saving.register_keras_serializable("keras_convnets")
class CaffeAveragePooling2D(keras.layers.AveragePooling2D):
    """Average pooling as in Caffe, whose last windows may extend beyond the last row and column.

    Positions beyond the edge are not part of the mean. Rows and columns may be unknown. There are
    no weights.

    Args:
        pool_size: the rows and columns of a window, at least ``strides``.
        strides: the strides along rows and columns.
        data_format: ``"channels_first"``, ``"channels_last"``, or ``None`` for Keras' setting.
        **kwargs: the arguments of every Keras layer.

    Examples:
        >>> import keras
        >>> from keras_convnets import CaffeAveragePooling2D
        >>> CaffeAveragePooling2D(3, 2)(keras.Input((16, 17, 96))).shape
        (None, 8, 8, 96)
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int],
        strides: int | tuple[int, int],
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        sizes = {"pool_size": pool_size, "strides": strides}
        pairs = {what: _pair(what, size) for what, size in sizes.items()}
        super().__init__(**pairs, data_format=data_format, **kwargs)

    def call(self, x: Tensor) -> Tensor:
        """Return the means of the windows."""
        is_first = self.data_format == "channels_first"
        one_plane = keras.ops.ones_like(x[:1, :1] if is_first else x[:1, ..., :1])
        return self._pool(x) / self._pool(one_plane)

    def _pool(self, x: Tensor) -> Tensor:
        """Return the means of the windows if all positions beyond the edge were zeros."""
        beyond = self._of_axes((0, 0), *((0, stride - 1) for stride in self.strides))
        how = (self.pool_size, self.strides, "valid", self.data_format)
        return keras.ops.average_pool(keras.ops.pad(x, beyond), *how)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output: sizes are rounded up."""
        beyond = self._of_axes(0, *(stride - 1 for stride in self.strides))
        padded = zip(input_shape, beyond, strict=True)
        return super().compute_output_shape(
            tuple(None if size is None else size + more for size, more in padded)
        )

    def _of_axes(self, others: Any, rows: Any, cols: Any) -> list[Any]:
        """Return what applies to each axis of a batch."""
        is_first = self.data_format == "channels_first"
        return [others, others, rows, cols] if is_first else [others, rows, cols, others]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        del config["padding"]
        return config


@keras.saving.register_keras_serializable("keras_convnets")
class AdaptiveAveragePooling2D(keras.layers.Layer):
    """Average pooling to a fixed number of rows and columns, as in PyTorch.

    The window of output row ``i`` begins at row ``floor(i * rows / output_rows)`` and ends before
    row ``ceil((i + 1) * rows / output_rows)``; columns likewise. Windows may overlap, and there may
    be fewer rows than ``output_rows``. With TensorFlow, Keras' layer of this name works at a known
    size only: ``predict`` with a second size and ``export`` fail. There are no weights.

    Args:
        output_size: the rows and columns of the output.
        data_format: ``"channels_first"``, ``"channels_last"``, or ``None`` for Keras' setting.
        **kwargs: the arguments of every Keras layer.

    Examples:
        >>> import keras
        >>> from keras_convnets import AdaptiveAveragePooling2D
        >>> AdaptiveAveragePooling2D(7)(keras.Input((None, None, 512))).shape
        (None, 7, 7, 512)
    """

    def __init__(
        self,
        output_size: int | tuple[int, int],
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_size = _pair("output_size", output_size)
        self.data_format = data_format or keras.config.image_data_format()

    def call(self, x: Tensor) -> Tensor:
        """Return the means of the windows."""
        rows, cols = self._spatial_axes()
        x = _means_along(x, rows, self.output_size[0])
        return _means_along(x, cols, self.output_size[1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output."""
        shape = list(input_shape)
        for axis, size in zip(self._spatial_axes(), self.output_size, strict=True):
            shape[axis] = size
        return tuple(shape)

    def _spatial_axes(self) -> tuple[int, int]:
        return (2, 3) if self.data_format == "channels_first" else (1, 2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        own = {"output_size": self.output_size, "data_format": self.data_format}
        return super().get_config() | own


def _means_along(x: Tensor, axis: int, count: int) -> Tensor:
    """Return the means of ``count`` windows along one axis, whose size may be unknown."""
    size = keras.ops.shape(x)[axis]
    means = []
    for number in range(count):
        window = [slice(None)] * len(x.shape)
        window[axis] = slice(number * size // count, -(-(number + 1) * size // count))
        means.append(keras.ops.mean(x[tuple(window)], axis=axis, keepdims=True))
    return keras.ops.concatenate(means, axis=axis)
