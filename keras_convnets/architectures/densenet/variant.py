"""Variants of DenseNet: with bottlenecks, compression and dropout, or without."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras_convnets import checks
from keras_convnets.received import shown
from keras_convnets.units import KERAS, TORCH, Style


class DensenetVariant(NamedTuple):
    """The paper's variations of dense blocks and transitions.

    Attributes:
        bottleneck: whether 1x1 convolutions precede the 3x3 ones: the "B" in DenseNet-BC.
        compression: the fraction of channels that a transition keeps, more than 0 and at most 1;
            less than 1 is the "C" in DenseNet-BC.
        dropout: the dropout rate after each convolution except the first.
        style: the style of convolutions and normalisations.
    """

    bottleneck: bool = True
    compression: float = 0.5
    dropout: float = 0.0
    style: Style = TORCH


BASIC = DensenetVariant(bottleneck=False, compression=1.0)
BC = DensenetVariant(bottleneck=True, compression=0.5)
BC_KERAS = BC._replace(style=KERAS)


def checked(variant: Any) -> DensenetVariant:
    """Return a variant whose values are checked."""
    if not isinstance(variant, DensenetVariant):
        raise ValueError(
            f"variant: received {variant!r}; expected a DensenetVariant. Pass for example "
            "DensenetVariant(bottleneck=False, compression=1.0), the paper's first network."
        )
    if not isinstance(variant.style, Style):
        raise ValueError(
            f"style: received {shown(variant.style)}; expected a Style. Pass for example "
            "Style(use_bias=False, padding='symmetric')."
        )
    return DensenetVariant(
        checks.choice("bottleneck", variant.bottleneck, (True, False)),
        checks.share("compression", variant.compression),
        checks.rate("dropout", variant.dropout),
        variant.style,
    )
