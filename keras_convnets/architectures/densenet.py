"""Densely connected networks: every layer sees the maps of all layers before it in its block.

Huang et al., "Densely Connected Convolutional Networks" (2016, arXiv:1608.06993).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Unpack

import keras

from keras_convnets import axes, checks, units
from keras_convnets.architectures.residual import grammar as residual
from keras_convnets.assemble import assemble
from keras_convnets.options import Options
from keras_convnets.registry import published
from keras_convnets.units import TORCH, Part, Style, Tensor, Unit, chain

PAPER = "Huang et al. 2016 (arXiv:1608.06993)"
CIFAR = (3, 32, 32)


def dense_layer(
    growth_rate: int, bottleneck: bool = True, dropout: float = 0.0, style: Style = TORCH
) -> Unit:
    """Return one layer of a dense block: its input, with ``growth_rate`` new maps behind it.

    BN, ReLU, 3x3 convolution; as a bottleneck (DenseNet-B), BN, ReLU and a 1x1 convolution of
    ``4 * growth_rate`` maps come first.

    Args:
        growth_rate: the number of new maps: the paper's k.
        bottleneck: whether a 1x1 convolution comes first.
        dropout: the rate of dropout after each convolution.
        style: how convolutions and normalisations are made.

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


def transition(compression: float = 0.5, dropout: float = 0.0, style: Style = TORCH) -> Unit:
    """Return what stands between dense blocks: BN, ReLU, 1x1 convolution, 2x2 average pooling.

    Args:
        compression: how many maps are kept, as a share of the input's: the paper's theta.
        dropout: the rate of dropout after the convolution.
        style: how the convolution and the normalisation are made.

    Examples:
        >>> import keras
        >>> from keras_convnets import transition
        >>> transition(0.5)(keras.Input((56, 56, 256))).shape
        (None, 28, 28, 128)
    """

    def apply(x: Tensor) -> Tensor:
        maps = max(1, math.floor(compression * axes.channels(x) + 1e-9))
        return chain(
            units.bn_relu_conv(maps, 1, style=style), units.dropout(dropout), units.avg_pool(2, 2)
        )(x)

    return apply


class DensenetBuilder:
    """DenseNets for ImageNet and for CIFAR.

    A stem; dense blocks with transitions between them; batch normalisation and ReLU, global average
    pooling, a dense softmax. Convolutions have no bias, padding is symmetric, batch normalisation
    has epsilon 1e-5 and momentum 0.9, as in the authors' Torch code and torchvision;
    keras.applications has epsilon 1.001e-5 and momentum 0.99.

    The stem is a 7x7/2 convolution of ``2 * growth_rate`` maps, BN, ReLU and 3x3/2 max-pooling;
    for CIFAR a 3x3 convolution, of ``2 * growth_rate`` maps where blocks have bottlenecks and
    compression 0.5 (DenseNet-BC), of 16 otherwise. In ``bc_100_12``, 100 is the depth and 12 the
    growth rate.
    """

    @staticmethod
    def build(
        input_shape: Sequence[int | None],
        num_outputs: int | None,
        repetitions: Sequence[int],
        growth_rate: int = 32,
        compression: float = 0.5,
        bottleneck: bool = True,
        dropout: float = 0.0,
        stem: str = "imagenet",
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a DenseNet.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of layers of each dense block, such as ``(6, 12, 24, 16)``.
            growth_rate: the number of maps that a layer adds: the paper's k.
            compression: the share of maps that a transition keeps, more than 0 and at most 1.
            bottleneck: whether 1x1 convolutions stand before the 3x3 ones.
            dropout: the rate of dropout after each convolution but the first.
            stem: ``"imagenet"``, which divides rows and columns by 4, or ``"cifar"``, which keeps
                them.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for a shape, number or option that no network can be built from.

        Examples:
            >>> from keras_convnets import DensenetBuilder
            >>> model = DensenetBuilder.build((3, 32, 32), 10, (2, 2), 12, stem="cifar")
            >>> model.get_layer("dense1_block2_concat").output.shape
            (None, 32, 32, 48)
        """
        layers = checks.repetitions(repetitions)
        k = checks.positive_integer("growth_rate", growth_rate, "the paper's k, such as 32")
        compression = checks.share("compression", compression)
        dropout = checks.rate("dropout", dropout)
        checks.choice("bottleneck", bottleneck, (True, False))
        is_bc = bottleneck and compression < 1
        stems = {
            "imagenet": residual.imagenet_stem(TORCH, filters=2 * k),
            "cifar": units.conv(2 * k if is_bc else 16, 3, padding="symmetric", use_bias=False),
        }
        parts = [
            ("conv1", stems[checks.choice("stem", stem, stems)]),
            *_blocks(layers, dense_layer(k, bottleneck, dropout), transition(compression, dropout)),
            ("final", units.bn_relu(TORCH)),
        ]
        return assemble(input_shape, num_outputs, parts, "densenet", **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_121(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-121: 6, 12, 24, 16 layers, growth rate 32."""
        return DensenetBuilder.build(input_shape, num_outputs, (6, 12, 24, 16), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_161(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-161: 6, 12, 36, 24 layers, growth rate 48."""
        return DensenetBuilder.build(input_shape, num_outputs, (6, 12, 36, 24), 48, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_169(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-169: 6, 12, 32, 32 layers, growth rate 32."""
        return DensenetBuilder.build(input_shape, num_outputs, (6, 12, 32, 32), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_201(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-201: 6, 12, 48, 32 layers, growth rate 32."""
        return DensenetBuilder.build(input_shape, num_outputs, (6, 12, 48, 32), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_264(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-264: 6, 12, 64, 48 layers, growth rate 32."""
        return DensenetBuilder.build(input_shape, num_outputs, (6, 12, 64, 48), 32, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_40_12(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-40 (k = 12): three blocks of 12 layers."""
        return _cifar(input_shape, num_outputs, 12, 12, bc=False, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_100_12(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-100 (k = 12): three blocks of 32 layers."""
        return _cifar(input_shape, num_outputs, 32, 12, bc=False, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_100_24(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-100 (k = 24): three blocks of 32 layers."""
        return _cifar(input_shape, num_outputs, 32, 24, bc=False, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_100_12(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-100 (k = 12): three blocks of 16 bottleneck layers."""
        return _cifar(input_shape, num_outputs, 16, 12, bc=True, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_250_24(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-250 (k = 24): three blocks of 41 bottleneck layers."""
        return _cifar(input_shape, num_outputs, 41, 24, bc=True, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_190_40(
        input_shape: Sequence[int | None], num_outputs: int | None, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-190 (k = 40): three blocks of 31 bottleneck layers."""
        return _cifar(input_shape, num_outputs, 31, 40, bc=True, **options)


def _cifar(
    input_shape: Sequence[int | None],
    num_outputs: int | None,
    layers: int,
    growth_rate: int,
    bc: bool,
    **options: Unpack[Options],
) -> keras.Model:
    """Return the paper's network of three dense blocks, with or without "BC"."""
    return DensenetBuilder.build(
        input_shape,
        num_outputs,
        (layers, layers, layers),
        growth_rate,
        compression=0.5 if bc else 1.0,
        bottleneck=bc,
        stem="cifar",
        **options,
    )


def _blocks(layers: Sequence[int], layer: Unit, between: Unit) -> Iterator[Part]:
    """Yield the dense blocks, ``dense1_block1`` and on, and ``transition1`` and on between them."""
    for block, count in enumerate(layers, start=1):
        if block > 1:
            yield f"transition{block - 1}", between
        for index in range(1, count + 1):
            yield f"dense{block}_block{index}", layer
