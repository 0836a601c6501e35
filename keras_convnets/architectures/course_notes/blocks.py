"""The blocks of the course notes, simplified from those of the papers.

Convolutions have biases even next to batch normalisation, padding is symmetric, and batch
normalisation uses PyTorch's settings.
"""

from __future__ import annotations

from keras_convnets import axes, units
from keras_convnets.architectures.residual import ends_in_activation
from keras_convnets.architectures.residual.shortcuts import Strides, with_shortcut
from keras_convnets.architectures.resnet import shortcut
from keras_convnets.units import TORCH_BIASED, Tensor, Unit, chain

NOTES = TORCH_BIASED


def conv_relu_pool(filters: int) -> Unit:
    """Return an unpadded 5x5 convolution, ReLU, 2x2/2 max-pooling.

    Examples:
        >>> import keras
        >>> conv_relu_pool(16)(keras.Input((28, 28, 1))).shape
        (None, 12, 12, 16)
    """
    convolution = units.conv_relu(filters, 5, padding="valid")
    return chain(convolution, units.max_pool(2, strides=2, padding="valid"))


def conv_pool_relu(filters: int) -> Unit:
    """Return an unpadded 5x5 convolution, 2x2/2 max-pooling, ReLU.

    ReLU and max-pooling commute, so their order does not affect the result.

    Examples:
        >>> import keras
        >>> conv_pool_relu(10)(keras.Input((28, 28, 1))).shape
        (None, 12, 12, 10)
    """
    convolution = units.conv(filters, 5, padding="valid")
    return chain(convolution, units.max_pool(2, strides=2, padding="valid"), units.relu())


@ends_in_activation
def residual_block(filters: int, init_strides: Strides = (1, 1)) -> Unit:
    """Return a post-activation residual block: conv, BN, ReLU, conv, BN, add, ReLU.

    Where the shape changes, a biased 1x1 convolution projects the input. Unlike in the paper, no
    batch normalisation follows it.

    Args:
        filters: the channels of both 3x3 convolutions, and of the output.
        init_strides: the strides of the first convolution, and of the projection.

    Examples:
        >>> import keras
        >>> residual_block(128, (2, 2))(keras.Input((56, 56, 64))).shape
        (None, 28, 28, 128)
    """
    branch = chain(
        units.conv_bn_relu(filters, 3, init_strides, style=NOTES),
        units.conv_bn(filters, 3, style=NOTES),
    )
    return chain(with_shortcut(branch, init_strides, shortcut), units.relu())


def plain_residual_block(x: Tensor) -> Tensor:
    """Apply a residual block that keeps the channels: conv 3x3, ReLU, conv 3x3, add, ReLU.

    Examples:
        >>> import keras
        >>> plain_residual_block(keras.Input((12, 12, 16))).shape
        (None, 12, 12, 16)
    """
    filters = axes.channels(x)
    residual = units.conv(filters, 3)(units.conv_relu(filters, 3)(x))
    return units.relu()(shortcut(x, residual))


def inception_a(x: Tensor) -> Tensor:
    """Apply Inception-v3's first type of block: 16 + 24 + 24 + 24 channels, without activations.

    Examples:
        >>> import keras
        >>> inception_a(keras.Input((12, 12, 10))).shape
        (None, 12, 12, 88)
    """
    branches = units.branches(
        branch1x1=units.conv(16, 1),
        branch5x5=chain(units.conv(16, 1), units.conv(24, 5)),
        branch3x3dbl=chain(units.conv(16, 1), units.conv(24, 3), units.conv(24, 3)),
        # As in PyTorch, the mean includes the zero padding, which "same" would leave out.
        branch_pool=chain(units.avg_pool(3, strides=1, padding="symmetric"), units.conv(24, 1)),
    )
    return units.concat(*branches(x))
