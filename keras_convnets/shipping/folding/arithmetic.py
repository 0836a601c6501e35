"""What a normalisation does to the kernel and the bias of the layer next to it, in float64."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_convnets.graph.layer_types import LayerType, type_of

Array = np.ndarray[Any, np.dtype[np.float64]]
_LARGEST = 3.38e38  # of bfloat16
_PER_CHANNEL = {LayerType.DEPTHWISE, LayerType.SEPARABLE}


class Affine(NamedTuple):
    """What a batch normalisation computes at inference: ``scale * x + shift`` for each channel."""

    scale: Array
    shift: Array

    @classmethod
    def of(cls, norm: Any) -> Affine:
        """Return what a batch normalisation of Keras computes."""
        with np.errstate(all="ignore"):  # what is not finite is refused: see `Weights.fits`
            deviation = np.sqrt(_float64(norm.moving_variance) + norm.epsilon)
            scale = (_float64(norm.gamma) if norm.scale else 1.0) / deviation
            shift = -_float64(norm.moving_mean) * scale
        return cls(scale, shift + _float64(norm.beta) if norm.center else shift)

    def taken(self, channels: Any) -> Affine:
        """Return what it does to features, given the channel of each; ``None`` for one each."""
        return self if channels is None else Affine(self.scale[channels], self.shift[channels])


class Weights:
    """The weights of a convolution or a dense layer, to which normalisations are added.

    ``kernel`` is what the inputs meet; of a separable convolution that is the depthwise one, whose
    outputs meet ``pointwise``.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._type = type_of(layer)
        separable = self._type is LayerType.SEPARABLE
        self.kernel = _float64(layer.depthwise_kernel if separable else layer.kernel)
        self.pointwise = _float64(layer.pointwise_kernel) if separable else None
        self.bias = _float64(layer.bias) if layer.use_bias else np.zeros(self.outputs)

    @property
    def outputs(self) -> int:
        """The number of output channels."""
        if self._type is LayerType.DEPTHWISE:
            return int(np.prod(self.kernel.shape[-2:]))
        last = -2 if self._type is LayerType.TRANSPOSED else -1
        return int((self.kernel if self.pointwise is None else self.pointwise).shape[last])

    def after(self, affine: Affine) -> Weights:
        """Return the weights with a normalisation of the outputs."""
        new = copy.copy(self)
        with np.errstate(all="ignore"):
            if self.pointwise is not None:
                new.pointwise = self.pointwise * affine.scale
            elif self._type is LayerType.DEPTHWISE:
                new.kernel = self.kernel * affine.scale.reshape(self.kernel.shape[-2:])
            elif self._type is LayerType.TRANSPOSED:
                new.kernel = self.kernel * affine.scale[:, np.newaxis]
            else:
                new.kernel = self.kernel * affine.scale
            new.bias = self.bias * affine.scale + affine.shift
        return new

    def before(self, affine: Affine) -> Weights:
        """Return the weights with a normalisation of the inputs, none of them beyond an edge."""
        new = copy.copy(self)
        with np.errstate(all="ignore"):
            scale, shift = (self._by_input(values) for values in affine)
            moved = self.kernel * shift
            around = tuple(range(moved.ndim - 2))
            if self._type in _PER_CHANNEL:
                added = moved.sum(around).reshape(-1)
            else:
                inputs = -1 if self._type is LayerType.TRANSPOSED else -2
                added = moved.sum((*around, inputs))
            if self.pointwise is not None:
                added = added @ self.pointwise.reshape(-1, self.pointwise.shape[-1])
            new.kernel, new.bias = self.kernel * scale, self.bias + added
        return new

    def _by_input(self, values: Array) -> Array:
        """Return one value for each input channel, to be multiplied with the kernel."""
        if self._type is LayerType.TRANSPOSED:
            return values
        groups = getattr(self._layer, "groups", None) or 1
        if groups == 1 or self._type in _PER_CHANNEL:
            return values[:, np.newaxis]
        filters = self.kernel.shape[-1] // groups
        return np.repeat(values.reshape(groups, -1).T, filters, axis=1)

    def fits(self) -> bool:
        """Return whether the layer can hold and compute with the values: none is too large."""
        kinds = {str(self._layer.variable_dtype), str(self._layer.compute_dtype)}
        largest = min(map(_largest, kinds))
        return all(np.abs(array).max(initial=0) <= largest for array in self.arrays().values())

    def arrays(self) -> dict[str, Array]:
        """Return the values by the layer's attribute."""
        if self.pointwise is None:
            return {"kernel": self.kernel, "bias": self.bias}
        return {
            "depthwise_kernel": self.kernel,
            "pointwise_kernel": self.pointwise,
            "bias": self.bias,
        }


def _float64(variable: Any) -> Array:
    """Return the values of a variable of any type, bfloat16 included."""
    return np.asarray(keras.ops.convert_to_numpy(variable)).astype(np.float64)


def _largest(dtype: str) -> float:
    """Return the largest number of a type; bfloat16, which NumPy lacks, is nearly float32."""
    return float(np.finfo(dtype).max if dtype in ("float16", "float64") else _LARGEST)
