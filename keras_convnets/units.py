"""The smallest pieces of a network: each function returns a function from tensor to tensor.

Only this file and `heads` construct Keras layers, so the choices that all networks share stand
here once: He's normal initialisation, the L2 penalty on kernels, names, the channel axis. What
implementations of one network do differently is a [`Style`][keras_convnets.Style].
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import keras
from keras import layers

from keras_convnets import axes, checks
from keras_convnets.layers import (
    Conv2D,
    DepthwiseConv2D,
    LocalResponseNormalization,
    PadChannels,
    TakeChannels,
)
from keras_convnets.naming import kind_of, layer_name, on_branch
from keras_convnets.padding import Padding, Pair, check_size, pair, zeros

Tensor = Any
Part = Callable[[Tensor], Tensor]

_weight_decay: ContextVar[float] = ContextVar("weight_decay", default=1e-4)


@dataclasses.dataclass(frozen=True)
class Style:
    """How convolutions and batch normalisations are made, where sources differ.

    Attributes:
        use_bias: whether a convolution next to a batch normalisation has a bias.
        padding: ``"same"`` as TensorFlow pads (where a stride meets an even size, one row and
            column more behind than before), or ``"symmetric"`` as PyTorch and Caffe do.
        epsilon: what batch normalisation adds to the variance.
        momentum: how much of its moving statistics batch normalisation keeps in a step (PyTorch
            and Caffe2 call what it does not keep the momentum).
        scale: whether batch normalisation multiplies by a learnt factor.
        kernel_initializer: what kernels start from, as Keras takes it; ``None`` for the normal
            distribution of He et al. (2015, arXiv:1502.01852), which Keras' ``"he_normal"`` cuts
            off at two standard deviations.
    """

    use_bias: bool = True
    padding: str = "same"
    epsilon: float = 1e-3
    momentum: float = 0.99
    scale: bool = True
    kernel_initializer: Any = None


CLASSIC = Style(kernel_initializer="he_normal")
TORCH = Style(use_bias=False, padding="symmetric", epsilon=1e-5, momentum=0.9)
TORCH_BIASED = dataclasses.replace(TORCH, use_bias=True)


@contextlib.contextmanager
def decaying(weight_decay: float) -> Iterator[None]:
    """Give the convolutions made inside an L2 penalty of this factor on their kernels; 0: none."""
    token = _weight_decay.set(weight_decay)
    try:
        yield
    finally:
        _weight_decay.reset(token)


def _fresh(initializer: Any) -> Any:
    """Return an initializer with a seed of its own: an object gives the same values every time.

    ``None`` is the normal distribution of He et al. (2015).
    """
    if initializer is None:
        return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
    return initializer.clone() if hasattr(initializer, "clone") else initializer


def conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding = "same",
    groups: int = 1,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    **options: Any,
) -> Part:
    """Return a convolution, initialised after He et al. (2015), with weight decay.

    Args:
        filters: the number of maps of the output.
        kernel_size: rows and columns of the kernel.
        strides: the same for the strides.
        padding: ``"same"``, ``"valid"``, ``"symmetric"`` (as many zeros on each side as a kernel
            of odd size needs to keep the size), or how many zeros stand on each side.
        groups: the number of groups of channels that do not see each other; 1 for an ordinary
            convolution.
        use_bias: whether it adds a bias.
        kernel_initializer: what the kernel starts from, as Keras takes it; by default He's normal
            distribution.
        **options: other arguments of ``keras.layers.Conv2D``.

    Examples:
        >>> import keras
        >>> conv(64, 7, strides=2)(keras.Input((224, 224, 3))).shape
        (None, 112, 112, 64)
    """

    def apply(x: Tensor) -> Tensor:
        check_size(x, "convolution", kernel_size, strides, padding)
        x, keras_padding = _padded(x, kernel_size, strides, padding)
        decay = _weight_decay.get()
        name = layer_name("conv")
        initial = _fresh(kernel_initializer)

        def made_by(kind: type[layers.Conv2D]) -> layers.Conv2D:
            return kind(
                filters,
                kernel_size,
                strides=strides,
                padding=keras_padding,
                data_format=axes.current_format(),
                groups=groups,
                use_bias=use_bias,
                kernel_initializer=initial,
                kernel_regularizer=keras.regularizers.L2(decay) if decay else None,
                name=name,
                **options,
            )

        layer = made_by(layers.Conv2D)
        # The format first: other networks need not wait for the shape to be worked out.
        if use_bias and axes.current_format() == "channels_first":
            shape = layer.compute_output_shape(x.shape)
            layer = made_by(Conv2D) if _columns_pass_for_channels(shape) else layer
        return layer(x)

    return apply


def _columns_pass_for_channels(shape: tuple[int | None, ...]) -> bool:
    """Return whether Keras could take the last axis of maps that are channels first for them."""
    return shape[-1] in (shape[1], None)


def bn(style: Style = CLASSIC) -> Part:
    """Return batch normalisation; by default with Keras' momentum 0.99 and epsilon 1e-3."""
    return lambda x: layers.BatchNormalization(
        axis=axes.channel_axis(),
        momentum=style.momentum,
        epsilon=style.epsilon,
        scale=style.scale,
        name=layer_name("bn"),
    )(x)


def activation(function: str | Callable[[Tensor], Tensor] | None) -> Part:
    """Return an activation, by its name or as a function; its layer is called after it.

    ``None`` is the tensor itself.
    """
    if function is None:
        return lambda x: x
    named = function if isinstance(function, str) else getattr(function, "__name__", "activation")
    return lambda x: layers.Activation(function, name=layer_name(kind_of(named)))(x)


def relu() -> Part:
    """Return a ReLU."""
    return activation("relu")


def bn_relu(style: Style = CLASSIC) -> Part:
    """Return batch normalisation, then ReLU."""
    return chain(bn(style), relu())


def style_conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Part:
    """Return a convolution as ``style`` has those next to a batch normalisation.

    It is padded as the style says, if not told otherwise.
    """
    pads = style.padding if padding is None else padding
    initial = style.kernel_initializer
    return conv(filters, kernel_size, strides, pads, groups, style.use_bias, initial)


def conv_bn(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Part:
    """Return convolution, batch normalisation; padded as ``style`` says if not told otherwise."""
    return chain(style_conv(filters, kernel_size, strides, padding, groups, style), bn(style))


def conv_bn_relu(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Part:
    """Return convolution, batch normalisation, ReLU: the post-activation order."""
    return chain(conv_bn(filters, kernel_size, strides, padding, groups, style), relu())


def bn_relu_conv(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding | None = None,
    groups: int = 1,
    style: Style = CLASSIC,
) -> Part:
    """Return batch normalisation, ReLU, convolution: the pre-activation order."""
    return chain(bn_relu(style), style_conv(filters, kernel_size, strides, padding, groups, style))


def conv_relu(
    filters: int,
    kernel_size: int | Pair,
    strides: int | Pair = 1,
    padding: Padding = "same",
    groups: int = 1,
) -> Part:
    """Return a biased convolution, then ReLU: as before batch normalisation was known."""
    return chain(conv(filters, kernel_size, strides, padding, groups), relu())


def max_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "same") -> Part:
    """Return max-pooling.

    With strides, ``"symmetric"`` or numbers pad with zeros, so it belongs behind a ReLU, where no
    zero wins over a value.
    """

    def apply(x: Tensor) -> Tensor:
        check_size(x, "pooling", pool_size, strides, padding)
        x, keras_padding = _padded(x, pool_size, strides, padding)
        return layers.MaxPooling2D(
            pool_size,
            strides=strides,
            padding=keras_padding,
            data_format=axes.current_format(),
            name=layer_name("pool"),
        )(x)

    return apply


def caffe_max_pool(pool_size: int, strides: int) -> Part:
    """Return max-pooling as in Caffe: its last windows may reach beyond the last row and column.

    Nothing is left over where a stride does not come out even, and nothing is padded where it
    does (PyTorch's ``ceil_mode``). It belongs behind a ReLU, for zeros stand beyond the edge.
    """

    def apply(x: Tensor) -> Tensor:
        check_size(x, "pooling", pool_size, strides, "same")
        beyond = (0, strides - 1)
        return max_pool(pool_size, strides, "valid")(_zeros_around(x, (beyond, beyond)))

    return apply


def avg_pool(pool_size: int | Pair, strides: int | Pair, padding: Padding = "valid") -> Part:
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


def global_pool(pooling: str, keepdims: bool = False) -> Part:
    """Return global pooling, ``"avg"`` or ``"max"``: feature maps to one vector an image.

    With ``keepdims`` the vector is kept as maps of one pixel.
    """
    pools = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    pool = pools[checks.choice("pooling", pooling, pools)]
    return lambda x: pool(
        data_format=axes.current_format(), keepdims=keepdims, name=layer_name("pool")
    )(x)


def local_response_norm(size: int, alpha: float, beta: float, bias: float) -> Part:
    """Return [`LocalResponseNormalization`][keras_convnets.LocalResponseNormalization]."""
    return lambda x: LocalResponseNormalization(
        size, alpha, beta, bias, axis=axes.channel_axis(), name=layer_name("lrn")
    )(x)


def pad_channels(channels: int) -> Part:
    """Return [`PadChannels`][keras_convnets.PadChannels]: zeros up to so many channels."""
    return lambda x: PadChannels(channels, axis=axes.channel_axis(), name=layer_name("pad"))(x)


def take_channels(indices: Sequence[int]) -> Part:
    """Return [`TakeChannels`][keras_convnets.TakeChannels]: the channels of these numbers."""
    return lambda x: TakeChannels(indices, axis=axes.channel_axis(), name=layer_name("take"))(x)


def scale_and_shift() -> Part:
    """Return a learnt coefficient and bias for each map, which start as 1 and 0."""

    def apply(x: Tensor) -> Tensor:
        is_first = axes.current_format() == "channels_first"
        repaired = is_first and _columns_pass_for_channels(x.shape)
        kind = DepthwiseConv2D if repaired else layers.DepthwiseConv2D
        return kind(
            1,
            data_format=axes.current_format(),
            depthwise_initializer="ones",
            name=layer_name("scale"),
        )(x)

    return apply


def add(*tensors: Tensor) -> Tensor:
    """Return the sum of tensors of one shape."""
    return layers.Add(name=layer_name("add"))(list(tensors))


def multiply(*tensors: Tensor) -> Tensor:
    """Return the product of tensors of one shape, or of such as broadcast to it."""
    return layers.Multiply(name=layer_name("multiply"))(list(tensors))


def concat(*tensors: Tensor) -> Tensor:
    """Return the channels of all tensors, one tensor's after the other's."""
    return layers.Concatenate(axis=axes.channel_axis(), name=layer_name("concat"))(list(tensors))


def scale(factor: float) -> Part:
    """Return the multiplication of all maps by a number; with factor 1, the tensor itself."""
    return lambda x: x if factor == 1 else layers.Rescaling(factor, name=layer_name("scale"))(x)


def dropout(rate: float) -> Part:
    """Return dropout of single units; with rate 0, the tensor itself."""
    return lambda x: layers.Dropout(rate, name=layer_name("dropout"))(x) if rate else x


def chain(*parts: Part) -> Part:
    """Return the parts one after the other, as one."""

    def apply(x: Tensor) -> Tensor:
        for part in parts:
            x = part(x)
        return x

    return apply


def branches(**parts: Part) -> Callable[[Tensor], list[Tensor]]:
    """Return a function that hands one tensor to several parts, named after their branches."""

    def apply(x: Tensor) -> list[Tensor]:
        found = []
        for name, part in parts.items():
            with on_branch(name):
                found.append(part(x))
        return found

    return apply


def _padded(
    x: Tensor, window: int | Pair, strides: int | Pair, padding: Padding
) -> tuple[Tensor, str]:
    """Return the tensor with zeros around it where Keras' own padding cannot put them."""
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
