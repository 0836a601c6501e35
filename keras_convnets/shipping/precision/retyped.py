"""A copy of a model whose layers compute in other types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from keras_convnets.printable import one_line


class NotCopied(Exception):  # noqa: N818 - names an event
    """A layer cannot be copied; the message is why."""


def retyped(model: Any, dtype_of: Callable[[Any], str | None]) -> Any:
    """Return a copy of a functional model, and of the models in it, with the same weights.

    Args:
        model: the model.
        dtype_of: the type, or the policy, of a layer's copy; ``None`` for its own.

    Raises:
        NotCopied: a layer has no configuration that makes it again.
    """

    def copied(layer: Any) -> Any:
        config, dtype = layer.get_config(), dtype_of(layer)
        return layer.__class__.from_config(config if dtype is None else config | {"dtype": dtype})

    try:
        copy = keras.models.clone_model(model, clone_function=copied, recursive=True)
    except Exception as error:  # anybody's layers
        raise NotCopied(one_line(error)) from error
    copy.set_weights(model.get_weights())
    return copy
