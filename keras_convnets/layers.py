"""Layers that the classical networks need and Keras lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable("keras_convnets")
class Conv2D(keras.layers.Conv2D):
    """Keras' convolution for channels_first, which always adds the bias along the channels.

    With the TensorFlow backend, Keras 3.12 to 3.15 adds the bias along the columns if there are as
    many columns as filters. That is wrong in eager mode and in the gradients. Since image sizes may
    change, every biased channels_first convolution uses this class, whatever its size.
    """

    def call(self, x: Tensor) -> Tensor:
        """Return the convolved feature maps."""
        return self.activation(_biased(self.convolution_op(x, self.kernel), self.bias))


@keras.saving.register_keras_serializable("keras_convnets")
class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras' depthwise convolution, with the same correction as ``Conv2D``."""

    def call(self, x: Tensor) -> Tensor:
        """Return the convolved feature maps."""
        settings = (self.strides, self.padding, self.data_format, self.dilation_rate)
        convolved = keras.ops.depthwise_conv(x, self.kernel, *settings)
        return self.activation(_biased(convolved, self.bias))


@keras.saving.register_keras_serializable("keras_convnets")
class LocalResponseNormalization(keras.layers.Layer):
    """Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3).

    ``y[i] = x[i] / (bias + alpha * sum(x[j] ** 2)) ** beta``, where the sum runs over the ``size``
    channels centred at ``i``, fewer at the ends. There are no weights. (Caffe divides ``alpha`` by
    ``size``: its ``alpha: 1e-4`` with ``local_size: 5`` is 2e-5 here.)

    Args:
        size: the number of channels in the sum, odd.
        alpha: the factor of the sum.
        beta: the exponent.
        bias: the constant added to the sum; ``k`` in the paper.
        axis: the channel axis of a batch, -1 or 1.
        **kwargs: the arguments of every Keras layer.

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
        """Return the normalised feature maps."""
        channels = x.shape[self.axis]
        reach = self.size // 2
        # In float32 under any policy: the square of 256 overflows float16.
        squares = _pad(keras.ops.square(keras.ops.cast(x, "float32")), self.axis, reach, reach)
        total = sum(_take(squares, self.axis, start, channels) for start in range(self.size))
        factor = keras.ops.power(self.bias + self.alpha * total, -self.beta)
        return x * keras.ops.cast(factor, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        own = ("size", "alpha", "beta", "bias", "axis")
        return super().get_config() | {name: getattr(self, name) for name in own}


@keras.saving.register_keras_serializable("keras_convnets")
class PadChannels(keras.layers.Layer):
    """Appends channels of zeros to the input, for a total of ``channels``.

    This gives a residual block that increases the number of channels a shortcut without parameters
    (He et al. 2015, shortcut option A).

    Args:
        channels: the number of output channels, at least as many as the input has.
        axis: the channel axis of a batch, -1 or 1.
        **kwargs: the arguments of every Keras layer.

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
        """Return the input's channels, followed by channels of zeros."""
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


@keras.saving.register_keras_serializable("keras_convnets")
class TakeChannels(keras.layers.Layer):
    """Selects channels by index, in the given order. A channel may be selected more than once.

    Followed by a grouped convolution, this connects each output channel to its own selection of
    input channels (LeCun et al. 1998, table I). There are no weights.

    Args:
        indices: the indices of the channels, from 0.
        axis: the channel axis of a batch, -1 or 1.
        **kwargs: the arguments of every Keras layer.

    Examples:
        >>> import keras
        >>> from keras_convnets import TakeChannels
        >>> TakeChannels((0, 1, 2, 1, 2, 3))(keras.Input((14, 14, 6))).shape
        (None, 14, 14, 6)
    """

    def __init__(self, indices: Sequence[int], axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.indices, self.axis = tuple(indices), axis

    def call(self, x: Tensor) -> Tensor:
        """Return the selected channels."""
        return keras.ops.take(x, self.indices, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input, with one channel for each index."""
        have = input_shape[self.axis]
        if not self.indices or not 0 <= min(self.indices) <= max(self.indices) < have:
            raise ValueError(
                f"indices: received {self.indices}; expected numbers of the input's {have} "
                f"channels, from 0 to {have - 1}."
            )
        shape = list(input_shape)
        shape[self.axis] = len(self.indices)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return super().get_config() | {"indices": list(self.indices), "axis": self.axis}


@keras.saving.register_keras_serializable("keras_convnets")  # type: ignore[untyped-decorator]
def scaled_tanh(x: Tensor) -> Tensor:
    """Return ``1.7159 * tanh(2 / 3 * x)``, the activation of LeCun et al. (1998, appendix A).

    It maps 1 to 1 and -1 to -1.

    Examples:
        >>> from keras_convnets import scaled_tanh
        >>> round(float(scaled_tanh(1.0)), 4)
        1.0
    """
    return 1.7159 * keras.ops.tanh(2 / 3 * x)


def _biased(convolved: Tensor, bias: Tensor) -> Tensor:
    # The bias comes first: Keras guesses the channel axis of the first argument only.
    return keras.ops.add(keras.ops.reshape(bias, (1, -1, 1, 1)), convolved)


def _pad(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (before, after)
    return keras.ops.pad(x, widths)


def _take(x: Tensor, axis: int, start: int, count: int) -> Tensor:
    slices = [slice(None)] * len(x.shape)
    slices[axis] = slice(start, start + count)
    return x[tuple(slices)]
