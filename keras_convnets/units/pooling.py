"""Pooling, and the zero padding that Keras' convolution and pooling layers do not support."""

from __future__ import annotations

from keras import layers

from keras_convnets import axes, checks
from keras_convnets.layers import AdaptiveAveragePooling2D, CaffeAveragePooling2D
from keras_convnets.naming import layer_name
from keras_convnets.padding import Padding, Pair, check_size, pair, zeros
from keras_convnets.typed import typed
from keras_convnets.units.combine import Tensor, Unit


@typed
def max_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "same") -> Unit:
    """Return max-pooling.

    With strides, ``"symmetric"`` or a number pads with zeros. Use it after a ReLU, where zeros
    never exceed a value.
    """

    def apply(x: Tensor) -> Tensor:
        check_size(x, "pooling", pool_size, strides, padding)
        x, keras_padding = padded(x, pool_size, strides, padding)
        return layers.MaxPooling2D(
            pool_size,
            strides=strides,
            padding=keras_padding,
            data_format=axes.current_format(),
            name=layer_name("pool"),
        )(x)

    return apply


@typed
def caffe_max_pool(pool_size: int, strides: int) -> Unit:
    """Return max-pooling as in Caffe: the last windows may extend beyond the last row and column.

    If the strides do not divide the size evenly, the last window is padded rather than dropped
    (PyTorch's ``ceil_mode``). Use it after a ReLU, because the padding is with zeros.
    """

    def apply(x: Tensor) -> Tensor:
        _check_size_as_in_caffe(x, pool_size, strides)
        beyond = (0, strides - 1)
        return max_pool(pool_size, strides, "valid")(_zeros_around(x, (beyond, beyond)))

    return apply


@typed
def caffe_avg_pool(pool_size: int, strides: int) -> Unit:
    """Return average pooling as in Caffe: the last windows may extend beyond the edge.

    The mean is that of the part inside. The layer is
    [`CaffeAveragePooling2D`][keras_convnets.CaffeAveragePooling2D].
    """

    def apply(x: Tensor) -> Tensor:
        _check_size_as_in_caffe(x, pool_size, strides)
        return CaffeAveragePooling2D(
            pool_size, strides, axes.current_format(), name=layer_name("pool")
        )(x)

    return apply


@typed
def adaptive_avg_pool(size: int | Pair) -> Unit:
    """Return average pooling to ``size`` rows and columns, whatever the size of the input.

    The layer is [`AdaptiveAveragePooling2D`][keras_convnets.AdaptiveAveragePooling2D].
    """
    return lambda x: AdaptiveAveragePooling2D(size, axes.current_format(), name=layer_name("pool"))(
        x
    )


@typed
def avg_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "valid") -> Unit:
    """Return average pooling. The mean includes padding, except with ``"same"``."""

    def apply(x: Tensor) -> Tensor:
        check_size(x, "pooling", pool_size, strides, padding)
        around = zeros(padding, pool_size)
        return layers.AveragePooling2D(
            pool_size,
            strides=strides,
            padding="same" if around is None else "valid",
            data_format=axes.current_format(),
            name=layer_name("pool"),
        )(_zeros_around(x, around))

    return apply


@typed
def global_pool(pooling: str, keepdims: bool = False) -> Unit:
    """Return global pooling, ``"avg"`` or ``"max"``, from feature maps to one vector per image.

    With ``keepdims`` the outputs are feature maps of one pixel.
    """
    pools = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    pool = pools[checks.choice("pooling", pooling, pools)]
    return lambda x: pool(
        data_format=axes.current_format(), keepdims=keepdims, name=layer_name("pool")
    )(x)


def padded(
    x: Tensor, window: int | Pair, strides: int | Pair, padding: Padding
) -> tuple[Tensor, str]:
    """Return the tensor and Keras' padding mode; zeros that Keras cannot add are added first."""
    around = zeros(padding, window)
    keeps_size = around is not None and pair(window) == tuple(2 * zero + 1 for zero in around)
    if around is None or (keeps_size and pair(strides) == (1, 1)):
        return x, "same"
    return _zeros_around(x, around), "valid"


def _check_size_as_in_caffe(x: Tensor, pool_size: int, strides: int) -> None:
    check_size(x, "pooling", pool_size, strides, "valid", beyond=strides - 1)


def _zeros_around(x: Tensor, around: Pair | tuple[Pair, Pair] | None) -> Tensor:
    if not around or not any(around):
        return x
    return layers.ZeroPadding2D(
        around, data_format=axes.current_format(), name=layer_name("zeros")
    )(x)
