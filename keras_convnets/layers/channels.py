"""Padding with channels of zeros, and selection of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_convnets import checks, received
from keras_convnets.layers.slices import Tensor, pad

_AXES = (-1, 1, 3)  # of the channels of a batch


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
        self.channels = checks.positive_integer("channels", channels, "the output channels")
        self.axis = checks.choice("axis", axis, _AXES)

    def call(self, x: Tensor) -> Tensor:
        """Return the input's channels, followed by channels of zeros."""
        return pad(x, self.axis, 0, self.channels - x.shape[self.axis])

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
        numbers = checks.items("indices", indices)
        found = [received.integer(number) for number in numbers]
        self.indices = tuple(number for number in found if number is not None)
        if len(self.indices) < len(found):
            raise ValueError(
                f"indices: received {received.shown(indices)}; expected integers. Pass the numbers "
                "of channels, from 0."
            )
        self.axis = checks.choice("axis", axis, _AXES)

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
