"""LeNet-5: two convolutions, each followed by sub-sampling, and three fully connected layers.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998),
section II.B.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.assemble import assemble
from keras_convnets.layers import scaled_tanh
from keras_convnets.naming import on_branch
from keras_convnets.options import InputShape, Options, Outputs, check_activation
from keras_convnets.received import shown
from keras_convnets.registry import published
from keras_convnets.typed import explaining
from keras_convnets.units import Tensor, Unit, chain, heads

PAPER = "LeCun et al. 1998"
MNIST = (1, 32, 32)

# Table I of the paper, column by column: the channels of S2 that each channel of C3 takes as input.
C3 = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def subsampling() -> Unit:
    """Return LeNet-5's sub-sampling: 2x2 average pooling with a learnt scale and bias per channel.

    The paper sums the pixels instead of averaging, so its coefficient is a quarter of the scale
    here, which is initialised to 1. No activation is applied.

    Examples:
        >>> import keras
        >>> from keras_convnets import subsampling
        >>> subsampling()(keras.Input((28, 28, 6))).shape
        (None, 14, 14, 6)
    """
    return chain(units.avg_pool(2, 2), units.scale_and_shift())


@explaining
def partial_conv(table: Sequence[Sequence[int]], kernel_size: int) -> Unit:
    """Return an unpadded convolution whose output channels each use a subset of the input channels.

    Args:
        table: the indices of the input channels for each output channel. Consecutive output
            channels with equally many inputs are computed together, as one grouped convolution.
        kernel_size: the rows and columns of the kernel.

    Examples:
        >>> import keras
        >>> from keras_convnets import partial_conv
        >>> partial_conv([(0, 1), (1, 2), (0, 1, 2)], 5)(keras.Input((14, 14, 3))).shape
        (None, 10, 10, 3)
    """
    if not table or not all(table):
        raise ValueError(
            f"table: received {shown(table)}; expected the input channels of each output channel, "
            "at least one. Pass [[0, 1], [1, 2]], for instance."
        )
    rows = [(count, list(alike)) for count, alike in itertools.groupby(table, key=len)]

    def apply(x: Tensor) -> Tensor:
        outputs = []
        for count, seen in rows:
            with on_branch(f"from{count}"):
                taken = units.take_channels(list(itertools.chain(*seen)))(x)
                groups = len(seen)
                outputs.append(
                    units.conv(groups, kernel_size, padding="valid", groups=groups)(taken)
                )
        return units.concat(*outputs)

    return apply


_TANH = units.activation(scaled_tanh)
_ORIGINAL = (
    ("c1", chain(units.conv(6, 5, padding="valid"), _TANH)),
    ("s2", chain(subsampling(), _TANH)),
    ("c3", chain(partial_conv(C3, 5), _TANH)),
    ("s4", chain(subsampling(), _TANH)),
    ("c5", chain(units.conv(120, 5, padding="valid"), _TANH)),
)


class LenetBuilder:
    """LeNet-5 as it is commonly built today, and as published in 1998.

    Both take grey 32x32 images (MNIST's 28x28 digits padded by two pixels on each side). They have
    unpadded 5x5 convolutions to 6 and 16 channels, each followed by sub-sampling by 2, then layers
    of 120 and 84 units, and the outputs.

    ``lenet_5`` uses average pooling without parameters, and its second convolution connects all
    channels. tanh follows the convolutions and the layers of 120 and 84 units, and the output layer
    is a dense softmax. Other sources use another activation (sigmoid, ReLU) or max-pooling, or pad
    the first convolution by 2 to take 28x28 images.

    ``lenet_5_original`` has the paper's layers and uses their names: C1, S2, C3, S4, C5 (and F6 in
    the head). Sub-sampling has a learnt scale and bias for each channel. Each channel of C3 takes
    three, four or six channels of S2 (table I). C5 is a convolution; its output is one pixel for
    32x32 images. The activation, also after sub-sampling, is ``1.7159 * tanh(2x / 3)``. These
    layers have the paper's 60,000 parameters. The paper's outputs are distances to fixed bitmaps of
    the characters (radial basis functions). Here they are replaced by a dense softmax with 850
    parameters for 10 outputs. The initialisation and the loss also differ from the paper's.
    """

    @staticmethod
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        filters: Sequence[int] = (6, 16),
        hidden: Sequence[int] = (120, 84),
        activation: str = "tanh",
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a variant of LeNet-5 with custom widths and activation.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns may
                be ``None`` without the top.
            num_outputs: the number of outputs, at least 1.
            filters: the channels of each 5x5 convolution; 2x2 average pooling follows each.
            hidden: the units of each dense layer before the output layer.
            activation: any Keras activation, such as ``"tanh"``, ``"sigmoid"`` or ``"relu"``.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, width, activation or option.

        Examples:
            >>> from keras_convnets import LenetBuilder
            >>> model = LenetBuilder.build((1, 28, 28), 10, (20, 50), (500,), "relu")
            >>> model.count_params()
            431080
        """
        widths = checks.positive_integers("filters", filters, "the channels, such as (6, 16)")
        dense_widths = checks.positive_integers("hidden", hidden, "the units, such as (120, 84)")
        check_activation("activation", activation)
        squash = units.activation(activation)
        parts = [
            (f"conv{n}", chain(units.conv(count, 5, padding="valid"), squash, units.avg_pool(2, 2)))
            for n, count in enumerate(widths, start=1)
        ]
        dense = [part for width in dense_widths for part in (heads.dense(width), squash)]
        head = heads.flat_classifier(*dense)
        return assemble(input_shape, num_outputs, parts, "lenet", head, **options)

    @staticmethod
    @published(PAPER + ", simplified", MNIST, 10)
    def build_lenet_5(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return LeNet-5 as commonly built today: average pooling, tanh, a dense softmax."""
        return LenetBuilder.build(input_shape, num_outputs, **options)

    @staticmethod
    @published(PAPER, MNIST, 10)
    def build_lenet_5_original(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return LeNet-5 as published, except that the output layer is a dense softmax."""
        head = heads.flat_classifier(heads.dense(84), _TANH)
        return assemble(input_shape, num_outputs, _ORIGINAL, "lenet", head, **options)
