"""A batch normalisation computed a second time, by the statistics that the first time found."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


class KnownStatistics:
    """A call of a layer in the fused kernel, in a graph, which can be made again for other tensors.

    It takes a fifth of the time, for the kernel need not look for the statistics.
    """

    def __init__(self, layer: Any, kernel: Any) -> None:
        self._layer = layer
        self._scale, self._offset = kernel.inputs[1:3]
        self._mean, self._variance = kernel.outputs[1:3]
        self._reserved = kernel.outputs[3:6]  # the statistics as the gradient's kernel takes them
        self._options = {name: kernel.get_attr(name) for name in ("epsilon", "data_format")}

    @classmethod
    def of(cls, layer: Any, outputs: Tensor) -> KnownStatistics | None:
        """Return the call that made the outputs of a layer; ``None`` if it is another kind."""
        kernel = getattr(outputs, "op", None)  # of an eager tensor there is none
        if (
            kernel is None
            or kernel.type != "FusedBatchNormV3"
            or not kernel.get_attr("is_training")
        ):
            return None
        return cls(layer, kernel)

    def outputs(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the layer for the inputs of the call, computed again.

        Their gradient is that of the call. The kernel's own would take the statistics for given, so
        that gradients of gradients would be wrong.
        """
        import tensorflow as tf

        def again(inputs: Tensor, scale: Tensor, offset: Tensor) -> tuple[Tensor, Any]:
            outputs = self._normalised(inputs, scale, offset)
            return outputs, lambda arriving: self._backwards(inputs, scale, arriving)

        return tf.custom_gradient(again)(inputs, self._scale, self._offset)

    def gradients(self, inputs: Tensor, arriving: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Return the gradients of the inputs, and those of variables by their ``id``."""
        gradient, by_scale, by_offset = self._backwards(inputs, self._scale, arriving)
        learnt = (self._layer.gamma, by_scale), (self._layer.beta, by_offset)
        gradients = {
            id(variable): keras.ops.cast(found, variable.dtype)
            for variable, found in learnt
            if variable is not None
        }
        return gradient, gradients

    def _normalised(self, inputs: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
        import tensorflow as tf

        from keras_convnets.fast.fused import without_bessel  # needs TensorFlow too

        return tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=scale,
            offset=offset,
            mean=self._mean,
            variance=self._variance * without_bessel(inputs, self._layer),
            is_training=False,
            **self._options,
        ).y

    def _backwards(
        self, inputs: Tensor, scale: Tensor, arriving: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of the inputs, the scale and the offset of the call."""
        import tensorflow as tf

        first, second, third = self._reserved
        found = tf.raw_ops.FusedBatchNormGradV3(
            y_backprop=arriving,
            x=inputs,
            scale=scale,
            reserve_space_1=first,
            reserve_space_2=second,
            reserve_space_3=third,
            is_training=True,
            **self._options,
        )
        return found.x_backprop, found.scale_backprop, found.offset_backprop
