"""Convolutions for channels_first that always add their bias along the channels."""

from __future__ import annotations

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


def _biased(convolved: Tensor, bias: Tensor) -> Tensor:
    # The bias comes first: Keras guesses the channel axis of the first argument only.
    return keras.ops.add(keras.ops.reshape(bias, (1, -1, 1, 1)), convolved)
