"""What a model knows of its images and classes: it goes with its weights, into its files too.

It is in the configuration of the model, beside what Keras keeps there, so that ``model.save``
writes it, and Keras alone can still read the file.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

KEY = "keras_convnets"
_ATTRIBUTE = "_keras_convnets_known"


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a model.

    Attributes:
        weights: the name of its weights, such as ``"timm/resnet50.a1_in1k"``; ``None`` if unknown.
        preprocessing: the configuration of its ``Preprocessing``; ``None`` if unknown.
        class_names: the names of its classes, by label; ``None`` if unknown.
    """

    weights: str | None = None
    preprocessing: dict[str, Any] | None = None
    class_names: tuple[str, ...] | None = None


def known(model: Any) -> Known:
    """Return what is known of a model; all is ``None`` for one that has nothing of it."""
    return getattr(model, _ATTRIBUTE, Known())


def remember(model: keras.Model, what: Known) -> None:
    """Let a model know of its images and classes, and write that with its configuration."""
    object.__setattr__(model, _ATTRIBUTE, what)  # Keras would track it as a part of the model


def pass_on(source: keras.Model, target: keras.Model, class_names: bool = True) -> None:
    """Let a copy of a model know what the model knows."""
    what = known(source)
    remember(target, what if class_names else dataclasses.replace(what, class_names=None))
