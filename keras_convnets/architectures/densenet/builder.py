"""Densely connected networks: every layer takes the outputs of all earlier layers in its block.

Huang et al., "Densely Connected Convolutional Networks" (2016, arXiv:1608.06993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from keras_convnets import checks, units
from keras_convnets.architectures.densenet.blocks import dense_layer, dense_stages, transition
from keras_convnets.architectures.densenet.variant import (
    BASIC,
    BC,
    BC_KERAS,
    DensenetVariant,
    checked,
)
from keras_convnets.architectures.residual import imagenet_stem
from keras_convnets.assemble import assemble
from keras_convnets.options import InputShape, Options, Outputs
from keras_convnets.registry import published
from keras_convnets.typed import explaining
from keras_convnets.units import TORCH, Unit

PAPER = "Huang et al. 2016 (arXiv:1608.06993)"
KERAS = "keras.applications (arXiv:1608.06993)"
AUTHORS = "Torch code by Huang et al. (arXiv:1608.06993)"
CIFAR = (3, 32, 32)


class DensenetBuilder:
    """DenseNets for ImageNet and for CIFAR.

    The network consists of a stem; dense blocks with transitions between them; batch normalisation
    and ReLU, global average pooling and a dense softmax. Convolutions have no bias, padding is
    symmetric, and batch normalisation has epsilon 1e-5 and momentum 0.9, as in the authors' Torch
    code and in torchvision. ``densenet_121_keras``, ``_169_keras`` and ``_201_keras`` are those of
    keras.applications, with epsilon 1.001e-5 and momentum 0.99.

    The ImageNet stem is a 7x7/2 convolution to ``2 * growth_rate`` channels, BN, ReLU and 3x3/2
    max-pooling. The CIFAR stem is a 3x3 convolution, to ``2 * growth_rate`` channels with
    bottlenecks and compression (DenseNet-BC) and to 16 otherwise, as the paper says. The authors'
    code has ``2 * growth_rate`` channels always: ``cifar_densenet_40_12_authors``,
    ``_100_12_authors`` and ``_100_24_authors``. In ``bc_100_12``, 100 is the depth and 12 the
    growth rate.

    With ``memory_efficient=True``, they train in less memory: see
    [`memory_efficient`][keras_convnets.memory_efficient].
    """

    @staticmethod
    @explaining
    def build(
        input_shape: InputShape,
        num_outputs: Outputs,
        repetitions: Sequence[int],
        growth_rate: int = 32,
        variant: DensenetVariant = BC,
        stem: str | Unit = "imagenet",
        **options: Unpack[Options],
    ) -> keras.Model:
        """Return a DenseNet.

        Args:
            input_shape: ``(channels, rows, cols)``, whatever the data format. Rows and columns
                may be ``None``.
            num_outputs: the number of outputs, at least 1.
            repetitions: the number of layers of each dense block, such as ``(6, 12, 24, 16)``.
            growth_rate: the number of channels that a layer adds: the paper's k.
            variant: the type of blocks and transitions, a
                [`DensenetVariant`][keras_convnets.DensenetVariant]; by default DenseNet-BC.
            stem: ``"imagenet"``, which divides rows and columns by 4, ``"cifar"``, which preserves
                the size, or a function from tensor to tensor.
            **options: see [`Options`][keras_convnets.Options].

        Raises:
            ValueError: for an invalid shape, number or option.

        Examples:
            >>> from keras_convnets import DensenetBuilder, DensenetVariant
            >>> basic = DensenetVariant(bottleneck=False, compression=1.0)
            >>> model = DensenetBuilder.build((3, 32, 32), 10, (2, 2), 12, basic, "cifar")
            >>> model.get_layer("dense1_block2_concat").output.shape
            (None, 32, 32, 40)
        """
        layers = checks.repetitions(repetitions)
        k = checks.positive_integer("growth_rate", growth_rate, "the paper's k, such as 32")
        bottleneck, compression, dropout, style = checked(variant)
        cifar_width = 2 * k if bottleneck and compression < 1 else 16
        stems = {
            "imagenet": imagenet_stem(style, filters=2 * k),
            "cifar": units.style_conv(cifar_width, 3, style=style),
        }
        layer = dense_layer(k, bottleneck, dropout, style)
        between = transition(compression, dropout, style)
        parts = [
            ("conv1", stem if callable(stem) else stems[checks.choice("stem", stem, stems)]),
            *dense_stages(layers, layer, between),
            ("final", units.bn_relu(style)),
        ]
        return assemble(input_shape, num_outputs, parts, "densenet", **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_121(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-121: 6, 12, 24, 16 layers, growth rate 32."""
        return _build(input_shape, num_outputs, (6, 12, 24, 16), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_161(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-161: 6, 12, 36, 24 layers, growth rate 48."""
        return _build(input_shape, num_outputs, (6, 12, 36, 24), 48, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_169(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-169: 6, 12, 32, 32 layers, growth rate 32."""
        return _build(input_shape, num_outputs, (6, 12, 32, 32), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_201(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-201: 6, 12, 48, 32 layers, growth rate 32."""
        return _build(input_shape, num_outputs, (6, 12, 48, 32), 32, **options)

    @staticmethod
    @published(PAPER)
    def build_densenet_264(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-264: 6, 12, 64, 48 layers, growth rate 32."""
        return _build(input_shape, num_outputs, (6, 12, 64, 48), 32, **options)

    @staticmethod
    @published(KERAS)
    def build_densenet_121_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return keras.applications' DenseNet-121: 6, 12, 24, 16 layers."""
        return _build(input_shape, num_outputs, (6, 12, 24, 16), 32, BC_KERAS, **options)

    @staticmethod
    @published(KERAS)
    def build_densenet_169_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return keras.applications' DenseNet-169: 6, 12, 32, 32 layers."""
        return _build(input_shape, num_outputs, (6, 12, 32, 32), 32, BC_KERAS, **options)

    @staticmethod
    @published(KERAS)
    def build_densenet_201_keras(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return keras.applications' DenseNet-201: 6, 12, 48, 32 layers."""
        return _build(input_shape, num_outputs, (6, 12, 48, 32), 32, BC_KERAS, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_40_12(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-40 (k = 12): three blocks of 12 layers."""
        return _build(input_shape, num_outputs, (12, 12, 12), 12, BASIC, "cifar", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_100_12(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-100 (k = 12): three blocks of 32 layers."""
        return _build(input_shape, num_outputs, (32, 32, 32), 12, BASIC, "cifar", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_100_24(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-100 (k = 24): three blocks of 32 layers."""
        return _build(input_shape, num_outputs, (32, 32, 32), 24, BASIC, "cifar", **options)

    @staticmethod
    @published(AUTHORS, CIFAR, 10)
    def build_cifar_densenet_40_12_authors(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the authors' DenseNet-40 (k = 12), with 24 first channels."""
        return _authors(input_shape, num_outputs, 12, 12, **options)

    @staticmethod
    @published(AUTHORS, CIFAR, 10)
    def build_cifar_densenet_100_12_authors(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the authors' DenseNet-100 (k = 12), with 24 first channels."""
        return _authors(input_shape, num_outputs, 32, 12, **options)

    @staticmethod
    @published(AUTHORS, CIFAR, 10)
    def build_cifar_densenet_100_24_authors(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return the authors' DenseNet-100 (k = 24), with 48 first channels."""
        return _authors(input_shape, num_outputs, 32, 24, **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_100_12(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-100 (k = 12): three blocks of 16 bottleneck layers."""
        return _build(input_shape, num_outputs, (16, 16, 16), 12, BC, "cifar", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_250_24(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-250 (k = 24): three blocks of 41 bottleneck layers."""
        return _build(input_shape, num_outputs, (41, 41, 41), 24, BC, "cifar", **options)

    @staticmethod
    @published(PAPER, CIFAR, 10)
    def build_cifar_densenet_bc_190_40(
        input_shape: InputShape, num_outputs: Outputs, **options: Unpack[Options]
    ) -> keras.Model:
        """Return DenseNet-BC-190 (k = 40): three blocks of 31 bottleneck layers."""
        return _build(input_shape, num_outputs, (31, 31, 31), 40, BC, "cifar", **options)


_build = DensenetBuilder.build  # a short alias, so that each call fits on one line


def _authors(
    input_shape: InputShape,
    num_outputs: Outputs,
    repetitions: int,
    growth_rate: int,
    **options: Unpack[Options],
) -> keras.Model:
    """Return the network of the authors' code, whose first convolution has 2k channels."""
    stem = units.style_conv(2 * growth_rate, 3, style=TORCH)
    blocks = (repetitions,) * 3
    return _build(input_shape, num_outputs, blocks, growth_rate, BASIC, stem, **options)
