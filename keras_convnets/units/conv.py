"""Convolutions, alone or combined with normalisation and ReLU in either order.

He normal initialisation and the L2 penalty on kernels, if any, are applied here for all networks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import keras
from keras import layers

from keras_convnets import axes, checks
from keras_convnets.fast.layers import fast_layer
from keras_convnets.layers import Conv2D, DepthwiseConv2D
from keras_convnets.naming import layer_name
from keras_convnets.padding import Padding, Pair, check_size
from keras_convnets.typed import typed
from keras_convnets.units.combine import Tensor, Unit, chain
from keras_convnets.units.norm import bn, bn_relu, relu
from keras_convnets.units.pooling import padded
from keras_convnets.units.style import CLASSIC, Style

_l2_penalty: ContextVar[float] = ContextVar("l2_penalty", default=0.0)


@contextlib.contextmanager
def penalized(l2_penalty: float) -> Iterator[None]:
    """Set the factor of the L2 penalty on kernels for convolutions created inside; 0 for none."""
    token = _l2_penalty.set(l2_penalty)
    try:
        yield
    finally:
        _l2_penalty.reset(token)


@typed
def conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding = "same",
    groups: int = 1,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    **options: Any,
) -> Unit:
    """Return a convolution with He initialisation and the network's L2 penalty on its kernel.

    Args:
        filters: the number of output channels.
        kernel_size: the rows and columns of the kernel.
        strides: the strides along rows and columns.
        padding: ``"same"``, ``"valid"``, ``"symmetric"`` (the zeros on each side with which a
            kernel of odd size preserves the size), or the number of zeros on each side.
        groups: the number of groups of channels that are convolved separately; 1 for an ordinary
            convolution.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the kernel, in any form that Keras accepts; by
            default He normal.
        **options: other arguments of ``keras.layers.Conv2D``.

    Examples:
        >>> import keras
        >>> conv(64, 7, strides=2)(keras.Input((224, 224, 3))).shape
        (None, 112, 112, 64)
    """

    def apply(x: Tensor) -> Tensor:
        checks.positive_integer("filters", filters, "output channels, such as 64")
        checks.positive_integer("groups", groups, "groups of channels, such as 1")
        check_size(x, "convolution", kernel_size, strides, padding)
        x, keras_padding = padded(x, kernel_size, strides, padding)
        penalty = _l2_penalty.get()
        is_first = axes.current_format() == "channels_first"
        kind = Conv2D if use_bias and is_first else layers.Conv2D
        layer = kind(
            filters,
            kernel_size,
            strides=strides,
            padding=keras_padding,
            data_format=axes.current_format(),
            groups=groups,
            use_bias=use_bias,
            kernel_initializer=_fresh(kernel_initializer),
            kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
            name=layer_name("conv"),
            **options,
        )
        x = layer(x)
        fast_layer(layer)  # now that it has its kernel
        return x

    return apply


@typed
def style_conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Unit:
    """Return a convolution in the given style, for use next to a batch normalisation.

    The padding is the style's unless ``padding`` is given.
    """
    pads = style.padding if padding is None else padding
    initial = style.kernel_initializer
    return conv(filters, kernel_size, strides, pads, groups, style.use_bias, initial)


@typed
def conv_bn(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Unit:
    """Return convolution, batch normalisation; by default with the padding of ``style``."""
    return chain(style_conv(filters, kernel_size, strides, padding, groups, style), bn(style))


@typed
def conv_bn_relu(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Unit:
    """Return convolution, batch normalisation, ReLU: the post-activation order."""
    return chain(conv_bn(filters, kernel_size, strides, padding, groups, style), relu())


@typed
def bn_relu_conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Unit:
    """Return batch normalisation, ReLU, convolution: the pre-activation order."""
    return chain(bn_relu(style), style_conv(filters, kernel_size, strides, padding, groups, style))


@typed
def conv_relu(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding = "same",
    groups: int = 1,
) -> Unit:
    """Return a biased convolution and a ReLU, as in networks that predate batch normalisation."""
    return chain(conv(filters, kernel_size, strides, padding, groups), relu())


def scale_and_shift() -> Unit:
    """Return a learnt scale and bias for each channel, initialised to 1 and 0."""

    def apply(x: Tensor) -> Tensor:
        is_first = axes.current_format() == "channels_first"
        kind = DepthwiseConv2D if is_first else layers.DepthwiseConv2D
        return kind(
            1,
            data_format=axes.current_format(),
            depthwise_initializer="ones",
            name=layer_name("scale"),
        )(x)

    return apply


def _fresh(initializer: Any) -> Any:
    """Return an initializer with a new seed, since reusing an object repeats its values.

    ``None`` selects the normal distribution of He et al. (2015).
    """
    if initializer is None:
        return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
    return initializer.clone() if hasattr(initializer, "clone") else initializer
