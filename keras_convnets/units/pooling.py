"""Pooling, and zero padding that Keras' convolutions and poolings cannot do themselves."""

from __future__ import annotations

from keras import layers

from keras_convnets import axes, checks
from keras_convnets.naming import layer_name
from keras_convnets.padding import Padding, Pair, check_size, pair, zeros
from keras_convnets.units.combine import Tensor, Unit


def max_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "same") -> Unit:
    """Return max-pooling.

    With strides, ``"symmetric"`` or numbers pad with zeros, so it belongs after a ReLU, where no
    zero exceeds a value.
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


def caffe_max_pool(pool_size: int, strides: int) -> Unit:
    """Return max-pooling as in Caffe: its last windows may reach beyond the last row and column.

    Where the strides do not fit evenly, the last window is padded rather than left out
    (PyTorch's ``ceil_mode``). It belongs after a ReLU, for zeros are added at the edge.
    """

    def apply(x: Tensor) -> Tensor:
        check_size(x, "pooling", pool_size, strides, "same")
        beyond = (0, strides - 1)
        return max_pool(pool_size, strides, "valid")(_zeros_around(x, (beyond, beyond)))

    return apply


def avg_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "valid") -> Unit:
    """Return average pooling. ``"same"`` leaves padding out of the mean, other padding counts."""

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


def global_pool(pooling: str, keepdims: bool = False) -> Unit:
    """Return global pooling, ``"avg"`` or ``"max"``: feature maps to one vector an image.

    With ``keepdims`` the output is feature maps of one pixel.
    """
    pools = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    pool = pools[checks.choice("pooling", pooling, pools)]
    return lambda x: pool(
        data_format=axes.current_format(), keepdims=keepdims, name=layer_name("pool")
    )(x)


def padded(
    x: Tensor, window: int | Pair, strides: int | Pair, padding: Padding
) -> tuple[Tensor, str]:
    """Return the tensor with zeros around it where Keras' own padding cannot add them."""
    around = zeros(padding, window)
    keeps_size = around is not None and pair(window) == tuple(2 * zero + 1 for zero in around)
    if around is None or (keeps_size and pair(strides) == (1, 1)):
        return x, "same"
    return _zeros_around(x, around), "valid"


def _zeros_around(x: Tensor, around: Pair | tuple[Pair, Pair] | None) -> Tensor:
    if not around or not any(around):
        return x
    return layers.ZeroPadding2D(
        around, data_format=axes.current_format(), name=layer_name("zeros")
    )(x)
