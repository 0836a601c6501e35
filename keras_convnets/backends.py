"""Keras' backends and settings: what training requires of them."""

from __future__ import annotations

import keras


def check_training() -> None:
    """Refuse a backend or settings of Keras with which training would not be right.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow, or limits epochs or steps.

    Examples:
        >>> check_training()
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"KERAS_BACKEND: received {keras.backend.backend()!r}; expected 'tensorflow', which "
            "training requires. Set KERAS_BACKEND=tensorflow, or leave it out."
        )
    for name in ("max_epochs", "max_steps_per_epoch"):  # for debugging; they act in silence
        limit = getattr(keras.config, name, lambda: None)()  # early versions of Keras 3 have none
        if limit is not None:
            raise ValueError(
                f"KERAS_{name.upper()}: received {limit}; expected none, for it would end training "
                f"early. Unset it, or call keras.config.set_{name}(None)."
            )
