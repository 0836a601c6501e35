"""The layers of dense blocks, and the transitions between dense blocks.

Huang et al., "Densely Connected Convolutional Networks" (2016, arXiv:1608.06993).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from keras_convnets import axes, units
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Part, Style, Tensor, Unit, chain


@typed
def dense_layer(
    growth_rate: int, bottleneck: bool = True, dropout: float = 0.0, style: Style = TORCH
) -> Unit:
    """Return one layer of a dense block: its input concatenated with ``growth_rate`` new channels.

    The new channels are computed by BN, ReLU and a 3x3 convolution. With a bottleneck (DenseNet-B),
    BN, ReLU and a 1x1 convolution to ``4 * growth_rate`` channels come first.

    Args:
        growth_rate: the number of new channels: the paper's k.
        bottleneck: whether a 1x1 convolution comes first.
        dropout: the dropout rate after each convolution.
        style: the style of convolutions and normalisations.

    Examples:
        >>> import keras
        >>> from keras_convnets import dense_layer
        >>> dense_layer(32)(keras.Input((56, 56, 64))).shape
        (None, 56, 56, 96)
    """
    reduction = (units.bn_relu_conv(4 * growth_rate, 1, style=style), units.dropout(dropout))
    branch = chain(
        *(reduction if bottleneck else ()),
        units.bn_relu_conv(growth_rate, 3, style=style),
        units.dropout(dropout),
    )
    return lambda x: units.concat(x, branch(x))


@typed
def transition(compression: float = 0.5, dropout: float = 0.0, style: Style = TORCH) -> Unit:
    """Return a transition between dense blocks: BN, ReLU, 1x1 convolution, 2x2 average pooling.

    Args:
        compression: the fraction of the channels to keep: the paper's theta.
        dropout: the dropout rate after the convolution.
        style: the style of the convolution and the normalisation.

    Examples:
        >>> import keras
        >>> from keras_convnets import transition
        >>> transition(0.5)(keras.Input((56, 56, 256))).shape
        (None, 28, 28, 128)
    """

    def apply(x: Tensor) -> Tensor:
        kept = max(1, math.floor(compression * axes.channels(x) + 1e-9))
        return chain(
            units.bn_relu_conv(kept, 1, style=style), units.dropout(dropout), units.avg_pool(2, 2)
        )(x)

    return apply


def dense_stages(layers: Sequence[int], layer: Unit, between: Unit) -> Iterator[Part]:
    """Yield the layers of all dense blocks (``dense1_block1``, ...) with transitions in between."""
    for block, count in enumerate(layers, start=1):
        if block > 1:
            yield f"transition{block - 1}", between
        for index in range(1, count + 1):
            yield f"dense{block}_block{index}", layer
