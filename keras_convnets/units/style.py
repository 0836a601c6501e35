"""How sources differ in their convolutions and normalisations, as data."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Style:
    """How convolutions and batch normalisations are made, where sources differ.

    Attributes:
        use_bias: whether a convolution next to a batch normalisation has a bias.
        padding: ``"same"`` as TensorFlow pads (where a stride meets an even size, one row and
            column more after than before), or ``"symmetric"`` as PyTorch and Caffe do.
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
