"""Layers that the classical networks need and Keras does not have."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable("keras_convnets")
class LocalResponseNormalization(keras.layers.Layer):
    """Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

    ``y[i] = x[i] / (bias + alpha * sum(x[j] ** 2)) ** beta``, the sum over the ``size`` channels
    around ``i``, fewer at the ends. There are no weights. (Caffe divides ``alpha`` by ``size``:
    its ``alpha: 1e-4`` with ``local_size: 5`` is 2e-5 here.)

    Args:
        size: the number of channels that are summed, odd.
        alpha: the factor of the sum.
        beta: the power.
        bias: what is added to the sum; ``k`` in the paper.
        axis: the channel axis of a batch, -1 or 1.
        **kwargs: those of every Keras layer.

    Examples:
        >>> import keras
        >>> from keras_convnets import LocalResponseNormalization
        >>> LocalResponseNormalization()(keras.Input((27, 27, 96))).shape
        (None, 27, 27, 96)
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 2.0,
        axis: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size: received {size!r}; expected an odd integer, such as 5.")
        self.size, self.alpha, self.beta, self.bias, self.axis = size, alpha, beta, bias, axis

    def call(self, x: Tensor) -> Tensor:
        """Return the normalised maps."""
        channels = x.shape[self.axis]
        reach = self.size // 2
        squares = _pad(keras.ops.square(x), self.axis, reach, reach)
        total = sum(_take(squares, self.axis, start, channels) for start in range(self.size))
        return x * keras.ops.power(self.bias + self.alpha * total, -self.beta)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        own = ("size", "alpha", "beta", "bias", "axis")
        return super().get_config() | {name: getattr(self, name) for name in own}


@keras.saving.register_keras_serializable("keras_convnets")
class PadChannels(keras.layers.Layer):
    """Channels of zeros behind those that there are, up to ``channels`` of them.

    It lets a residual block add its input to more channels without parameters (He et al. 2015,
    shortcut option A).

    Args:
        channels: the number of channels of the output, at least that of the input.
        axis: the channel axis of a batch, -1 or 1.
        **kwargs: those of every Keras layer.

    Examples:
        >>> import keras
        >>> from keras_convnets import PadChannels
        >>> PadChannels(32)(keras.Input((16, 16, 20))).shape
        (None, 16, 16, 32)
    """

    def __init__(self, channels: int, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.axis = channels, axis

    def call(self, x: Tensor) -> Tensor:
        """Return the maps, and maps of zeros behind them."""
        return _pad(x, self.axis, 0, self.channels - x.shape[self.axis])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input, with ``channels`` channels."""
        have = input_shape[self.axis]
        if have > self.channels:
            raise ValueError(
                f"channels: received {self.channels}; expected at least {have}, as many as the "
                "input has. Fewer channels need a projection."
            )
        shape = list(input_shape)
        shape[self.axis] = self.channels
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return super().get_config() | {"channels": self.channels, "axis": self.axis}


def _pad(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (before, after)
    return keras.ops.pad(x, widths)


def _take(x: Tensor, axis: int, start: int, count: int) -> Tensor:
    slices = [slice(None)] * len(x.shape)
    slices[axis] = slice(start, start + count)
    return x[tuple(slices)]
