"""Keras' backends: what runs on all of them, and what requires TensorFlow."""

from __future__ import annotations

import keras


def require_tensorflow(purpose: str) -> None:
    """Refuse another backend of Keras.

    Args:
        purpose: what requires TensorFlow, for the error: "training".

    Raises:
        ValueError: Keras runs on another backend.

    Examples:
        >>> require_tensorflow("training")
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"KERAS_BACKEND: received {keras.backend.backend()!r}; expected 'tensorflow', which "
            f"{purpose} requires. Set KERAS_BACKEND=tensorflow, or leave it out."
        )
