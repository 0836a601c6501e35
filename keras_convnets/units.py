"""The smallest pieces of a network: each function returns a function from tensor to tensor.

This is the only file that constructs Keras layers, so the choices that all networks share stand
here once: He's normal initialisation, the L2 penalty on kernels, names, the channel axis.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import keras
from keras import layers

from keras_convnets import axes
from keras_convnets.naming import layer_name

Tensor = Any
Part = Callable[[Tensor], Tensor]

_weight_decay: ContextVar[float] = ContextVar("weight_decay", default=1e-4)


class TooSmallError(ValueError):
    """The feature maps are too small for the layer that is to be put on them."""


@contextlib.contextmanager
def decaying(weight_decay: float) -> Iterator[None]:
    """Give the convolutions made inside an L2 penalty of this factor on their kernels; 0: none."""
    token = _weight_decay.set(weight_decay)
    try:
        yield
    finally:
        _weight_decay.reset(token)


def conv(
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int | tuple[int, int] = 1,
    padding: str = "same",
) -> Part:
    """Return a biased convolution, initialised after He et al. (2015), with weight decay.

    Examples:
        >>> import keras
        >>> conv(64, 7, strides=2)(keras.Input((224, 224, 3))).shape
        (None, 112, 112, 64)
    """

    def apply(x: Tensor) -> Tensor:
        _check_size(x, "convolution", kernel_size, strides, padding)
        decay = _weight_decay.get()
        return layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=axes.current_format(),
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(decay) if decay else None,
            name=layer_name("conv"),
        )(x)

    return apply


def bn_relu() -> Part:
    """Return batch normalisation with Keras' defaults (momentum 0.99, epsilon 1e-3), then ReLU."""

    def apply(x: Tensor) -> Tensor:
        x = layers.BatchNormalization(axis=axes.channel_axis(), name=layer_name("bn"))(x)
        return layers.Activation("relu", name=layer_name("relu"))(x)

    return apply


def conv_bn_relu(
    filters: int, kernel_size: int | tuple[int, int], strides: int | tuple[int, int] = 1
) -> Part:
    """Return convolution, batch normalisation, ReLU: the post-activation order."""
    return lambda x: bn_relu()(conv(filters, kernel_size, strides)(x))


def bn_relu_conv(
    filters: int, kernel_size: int | tuple[int, int], strides: int | tuple[int, int] = 1
) -> Part:
    """Return batch normalisation, ReLU, convolution: the pre-activation order."""
    return lambda x: conv(filters, kernel_size, strides)(bn_relu()(x))


def max_pool(
    pool_size: int | tuple[int, int], strides: int | tuple[int, int], padding: str = "same"
) -> Part:
    """Return max-pooling."""

    def apply(x: Tensor) -> Tensor:
        _check_size(x, "pooling", pool_size, strides, padding)
        return layers.MaxPooling2D(
            pool_size,
            strides=strides,
            padding=padding,
            data_format=axes.current_format(),
            name=layer_name("pool"),
        )(x)

    return apply


def global_pool(pooling: str) -> Part:
    """Return global pooling, ``"avg"`` or ``"max"``: feature maps to one vector an image."""
    pool = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}[pooling]
    return lambda x: pool(data_format=axes.current_format(), name=layer_name("pool"))(x)


def add(*tensors: Tensor) -> Tensor:
    """Return the sum of tensors of one shape."""
    return layers.Add(name=layer_name("add"))(list(tensors))


def classifier(num_outputs: int, activation: str | Callable[..., Any] | None) -> Part:
    """Return global average pooling and a dense layer, whose kernel has no weight decay.

    Under a mixed-precision policy the dense layer computes in float32, so that the outputs are
    float32 and the softmax does not overflow.
    """

    def apply(x: Tensor) -> Tensor:
        return layers.Dense(
            num_outputs,
            activation=activation,
            kernel_initializer="he_normal",
            dtype=keras.config.dtype_policy().variable_dtype,
            name=layer_name("dense"),
        )(global_pool("avg")(x))

    return apply


def _check_size(
    x: Tensor,
    layer: str,
    window: int | tuple[int, int],
    strides: int | tuple[int, int],
    padding: str,
) -> None:
    """Refuse maps that are too small: one row or column to stride over, or less than the window.

    Keras would let a "same"-padded stride pass over a single pixel, and the stage would no longer
    do what it is there for.
    """
    sizes = axes.rows_and_cols(x)
    for size, extent, step in zip(sizes, _pair(window), _pair(strides), strict=True):
        least = extent if padding == "valid" else min(step, 2)
        if size is not None and size < least:
            rows, cols = sizes
            raise TooSmallError(
                f"a {layer} with window {_pair(window)} and strides {_pair(strides)} gets maps of "
                f"{rows} x {cols}"
            )


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
