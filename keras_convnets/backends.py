"""Keras' backends: what runs on all of them, and what requires TensorFlow."""

from __future__ import annotations

import keras


def check(purpose: str) -> None:
    """Refuse a backend or settings of Keras with which training or inference would not be right.

    Args:
        purpose: what they are needed for, for the error: "training".

    Raises:
        ValueError: Keras runs on another backend than TensorFlow, or limits epochs or steps.

    Examples:
        >>> check("training")
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"KERAS_BACKEND: received {keras.backend.backend()!r}; expected 'tensorflow', which "
            f"{purpose} requires. Set KERAS_BACKEND=tensorflow, or leave it out."
        )
    _require_no_limits(purpose)


def _require_no_limits(purpose: str) -> None:
    """Refuse Keras' limits for debugging, which would end training or evaluation early in silence.

    Args:
        purpose: what they would cut short, for the error: "training".

    Raises:
        ValueError: a limit is set.
    """
    for name in ("max_epochs", "max_steps_per_epoch"):
        limit = getattr(keras.config, name, lambda: None)()  # early versions of Keras 3 have none
        if limit is not None:
            raise ValueError(
                f"KERAS_{name.upper()}: received {limit}; expected none, for it would cut "
                f"{purpose} short. Unset it, or call keras.config.set_{name}(None)."
            )
