"""Settings of convolutions and normalisations in which sources differ."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import checks, typed


@dataclasses.dataclass(frozen=True)
class Style:
    """Settings of convolutions and batch normalisations in which sources differ.

    Attributes:
        use_bias: whether a convolution next to a batch normalisation has a bias.
        padding: ``"same"`` as in TensorFlow (for a stride over an even size, one row and column
            more after than before), or ``"symmetric"`` as in PyTorch and Caffe.
        epsilon: the constant that batch normalisation adds to the variance.
        momentum: the share of the moving statistics that batch normalisation keeps in each step
            (in PyTorch and Caffe2, momentum is the share that is replaced).
        scale: whether batch normalisation multiplies by a learnt factor.
        kernel_initializer: the initializer of kernels, in any form that Keras accepts; ``None``
            for the normal distribution of He et al. (2015, arXiv:1502.01852), which Keras'
            ``"he_normal"`` truncates at two standard deviations.
    """

    use_bias: bool = True
    padding: str = "same"
    epsilon: float = 1e-3
    momentum: float = 0.99
    scale: bool = True
    kernel_initializer: Any = None

    def __post_init__(self) -> None:
        typed.fields(self)
        checks.choice("padding", self.padding, ("same", "valid", "symmetric"))
        checks.positive_number("epsilon", self.epsilon, "a small number, such as 1e-5")
        checks.rate("momentum", self.momentum, "the share to keep, such as 0.9")


CLASSIC = Style(kernel_initializer="he_normal")
TORCH = Style(use_bias=False, padding="symmetric", epsilon=1e-5, momentum=0.9)
KERAS = Style(use_bias=False, padding="symmetric", epsilon=1.001e-5)  # of keras.applications
TORCH_BIASED = dataclasses.replace(TORCH, use_bias=True)
