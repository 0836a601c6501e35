"""The activation of LeNet-5."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable("keras_convnets")  # type: ignore[untyped-decorator]
def scaled_tanh(x: Tensor) -> Tensor:
    """Return ``1.7159 * tanh(2 / 3 * x)``, the activation of LeCun et al. (1998, appendix A).

    It maps 1 to 1 and -1 to -1.

    Examples:
        >>> from keras_convnets import scaled_tanh
        >>> round(float(scaled_tanh(1.0)), 4)
        1.0
    """
    return 1.7159 * keras.ops.tanh(2 / 3 * x)
