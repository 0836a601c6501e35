"""Normalisation across channels."""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets import checks, received
from keras_convnets.layers.slices import Tensor, pad, take


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
        if received.integer(size) is None or size < 1 or size % 2 == 0:
            raise ValueError(
                f"size: received {received.shown(size)}; expected an odd integer, such as 5."
            )
        self.size = checks.positive_integer("size", size, "an odd integer, such as 5")
        self.alpha = checks.non_negative_number("alpha", alpha, "a factor such as 1e-4")
        self.beta = checks.non_negative_number("beta", beta, "an exponent such as 0.75")
        self.bias = checks.positive_number("bias", bias, "a number such as 2")
        self.axis = checks.choice("axis", axis, (-1, 1, 3))

    def call(self, x: Tensor) -> Tensor:
        """Return the normalised feature maps."""
        channels = x.shape[self.axis]
        reach = self.size // 2
        # In float32 under any policy: the square of 256 overflows float16.
        squares = pad(keras.ops.square(keras.ops.cast(x, "float32")), self.axis, reach, reach)
        total = sum(take(squares, self.axis, start, channels) for start in range(self.size))
        factor = keras.ops.power(self.bias + self.alpha * total, -self.beta)
        return x * keras.ops.cast(factor, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        own = ("size", "alpha", "beta", "bias", "axis")
        return super().get_config() | {name: getattr(self, name) for name in own}
