"""Giving weights new values: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from keras_convnets.weights.placing.placement import Value


def check_types(weights: Mapping[str, Any]) -> None:
    """Refuse a model with weights of integers, as a quantized one has.

    Raises:
        ValueError: it has some.
    """
    for name, variable in weights.items():
        if not keras.backend.is_float_dtype(str(variable.dtype)):
            raise ValueError(
                f"model: received one whose {name} has the type {variable.dtype}; expected "
                "floating-point weights. Load the weights first, and quantize the model then."
            )


def converted(name: str, value: Value, variable: Any) -> np.ndarray:
    """Return a value as an array of the weight's type.

    Raises:
        ValueError: it has no real numbers, one of them is not finite in that type, or it is a
            variance below 0.
    """
    expected = "expected finite floating-point numbers"
    received = f"weights: received {value.key!r}"
    if "float" not in str(value.array.dtype):
        raise ValueError(f"{received} of type {value.array.dtype}; {expected}. Save it as float32.")
    with np.errstate(over="ignore"):
        array = value.array.astype(np.dtype(str(variable.dtype)), copy=False)
    if not np.isfinite(array).all():
        if np.isfinite(value.array).all():
            most = np.abs(value.array).max()
            raise ValueError(
                f"{received} with {most:.3g}, too large for the type {variable.dtype} of {name}; "
                f"{expected}. Build the model with float32 weights."
            )
        count = value.array.size - np.count_nonzero(np.isfinite(value.array))
        raise ValueError(
            f"{received} with {count:,} values that are infinite or no number (NaN); {expected}. "
            "Take a checkpoint from before the training diverged."
        )
    if name.endswith("/moving_variance") and array.size and array.min() < 0:
        raise ValueError(
            f"{received} with {array.min():.3g} for {name}; expected variances, which are at least "
            "0. The file is damaged, or has means and variances the wrong way round."
        )
    return array


def assign(values: Iterable[tuple[Any, np.ndarray]]) -> None:
    """Give weights their values; whatever happens meanwhile, they have all of them or none."""
    before: list[tuple[Any, np.ndarray]] = []
    try:
        for variable, array in values:
            before.append((variable, np.array(keras.ops.convert_to_numpy(variable))))
            variable.assign(array)
    except BaseException:  # Ctrl-C too
        for variable, array in before:
            variable.assign(array)
        raise
