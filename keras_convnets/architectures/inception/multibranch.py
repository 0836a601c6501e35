"""Shared parts of the Inception networks: parallel branches, stages, auxiliary classifiers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator

from keras_convnets import units
from keras_convnets.padding import TooSmallError
from keras_convnets.typed import typed
from keras_convnets.units import TORCH, Part, Style, Tensor, Unit, chain

TORCHVISION = dataclasses.replace(TORCH, epsilon=1e-3)
"""No biases, symmetric padding that is included in means, batch normalisation with scale."""

SLIM = Style(use_bias=False, scale=False)
"""No biases, TensorFlow's padding, which means exclude, batch normalisation without scale."""


def concat_branches(**parts: Unit) -> Unit:
    """Return a unit that applies several parts to one tensor and concatenates their outputs."""
    found = units.branches(**parts)
    return lambda x: units.concat(*found(x))


def blocks(stage: str, parts: Iterable[Unit]) -> Iterator[Part]:
    """Yield the blocks of a stage, named ``<stage>_block1``, ``<stage>_block2`` and so on."""
    for number, part in enumerate(parts, start=1):
        yield f"{stage}_block{number}", part


def auxiliary(part: Unit) -> Unit:
    """Return a part of an auxiliary classifier; its errors explain how to omit the classifier."""

    def apply(x: Tensor) -> Tensor:
        try:
            return part(x)
        except TooSmallError as error:
            raise TooSmallError(
                f"{error} (include_auxiliary=False leaves this classifier out)"
            ) from error

    return apply


@typed
def reduction_a(k: int, l: int, m: int, n: int, style: Style = TORCH) -> Unit:  # noqa: E741
    """Return the block that halves the size after the first stage, in Inception-v3 and later.

    Unpadded 3x3 windows with stride 2 reduce ``rows`` rows to ``(rows - 1) // 2``. The letters are
    those of Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections
    on Learning" (2016, arXiv:1602.07261), figure 7. Its table 1 has the values: ``(192, 224, 256,
    384)`` for Inception-v4 and ``(256, 256, 384, 384)`` for Inception-ResNet-v2. Inception-v3's
    `inception_b` is ``(64, 96, 96, 384)``.

    Args:
        k: the channels of the 1x1 convolution in the long branch.
        l: the channels of the 3x3 convolution after it.
        m: the channels of the 3x3/2 convolution at the end of the long branch.
        n: the channels of the branch with a single 3x3/2 convolution.
        style: the style of convolutions and batch normalisations.

    Returns:
        A function of a tensor; its output has ``n + m`` channels more than its input.

    Examples:
        >>> import keras
        >>> reduction_a(192, 224, 256, 384)(keras.Input((35, 35, 384))).shape
        (None, 17, 17, 1024)
    """
    conv = functools.partial(units.conv_bn_relu, style=style)
    return concat_branches(
        branch3x3=conv(n, 3, 2, "valid"),
        branch3x3dbl=chain(conv(k, 1), conv(l, 3), conv(m, 3, 2, "valid")),
        branch_pool=units.max_pool(3, 2, "valid"),
    )
