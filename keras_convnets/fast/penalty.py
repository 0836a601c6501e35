"""L2 penalties in one pass over each weight, and one for the gradient.

Keras' penalty squares a weight, sums the squares, and goes back the same way. TensorFlow has one
operation for the sum, whose gradient is the weight times a number. A layer keeps Keras' ``L2`` as
its regularizer, which is what a saved model says; only its weights call another one.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_convnets.keras_private import learnt_weights

Tensor = Any


class _FastL2(keras.regularizers.L2):
    """Keras' L2 penalty on a weight, computed by TensorFlow's operation.

    Args:
        own: Keras' penalty, which the layer keeps. Its factor is read at each call: it may change.
    """

    def __init__(self, own: keras.regularizers.L2) -> None:
        self._own = own  # instead of a factor: see `l2`

    @property
    def l2(self) -> Any:
        """The factor."""
        return self._own.l2

    @l2.setter
    def l2(self, factor: Any) -> None:
        self._own.l2 = factor

    def __call__(self, x: Any) -> Tensor:
        if keras.backend.standardize_dtype(x.dtype) != "float32":
            return super().__call__(x)  # the operation adds up in the weight's own type
        import tensorflow as tf

        return (2 * self.l2) * tf.nn.l2_loss(tf.convert_to_tensor(x))


def quicken(layer: Any) -> Any:
    """Let the L2 penalties on the weights of a built layer be computed faster; return the layer.

    The losses that are reported stay as they are.
    """
    if keras.backend.backend() == "tensorflow":
        for weight in learnt_weights(layer):
            if type(weight.regularizer) is keras.regularizers.L2:
                weight.regularizer = _FastL2(weight.regularizer)
    return layer
