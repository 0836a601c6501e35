"""What a model knows of its images and classes once it has the weights of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_convnets import axes
from keras_convnets.known import KEY, Known, from_plain
from keras_convnets.readers import json_text
from keras_convnets.weights.adapting import is_head
from keras_convnets.weights.imagenet import imagenet_classes
from keras_convnets.weights.published import Published, images_of


def kept_in(metadata: Mapping[str, str]) -> tuple[Known, list[str]]:
    """Return what a file of ours says of images and classes, and of which networks it is.

    Raises:
        ValueError: it says something that cannot be known of a model.
    """
    if KEY not in metadata:
        return Known(), []
    found = json_text.parse(metadata[KEY].encode())
    known = from_plain(found)
    networks = found.get("networks")
    return known, networks if isinstance(networks, list) else []


def known_of(row: Published, model: keras.Model) -> Known:
    """Return what a model with the weights of a published file knows."""
    shape = _image_shape(model)
    images = images_of(row, shape) if shape else None
    return Known(row.name, images, imagenet_classes(_outputs(model)))


def fitting(what: Known, model: keras.Model, loaded: Iterable[str]) -> Known:
    """Return what is known of a file as far as it holds for a model that has these weights of it.

    Names of classes hold for a classifier of as many outputs that was loaded, and the preprocessing
    for images of the model's channels and size.
    """
    has_head = any(is_head(name.rsplit("/", 1)[0]) for name in loaded)
    names = what.class_names
    if not has_head or names is None or len(names) != _classes(model, len(names)):
        what = dataclasses.replace(what, class_names=None)
    images, shape = what.preprocessing, _image_shape(model)
    if images is not None and not _takes(shape, images):
        what = dataclasses.replace(what, preprocessing=None)
    return what


def _takes(shape: tuple[Any, ...] | None, images: Mapping[str, Any]) -> bool:
    """Return whether a model of an input shape takes such images."""
    if shape is None:
        return False
    given = [images.get(name) for name in ("channels", "rows", "cols")]
    return all(
        one is None or two is None or one == two for one, two in zip(shape, given, strict=True)
    )


def _image_shape(model: Any) -> tuple[Any, ...] | None:
    """Return ``(channels, rows, cols)`` of a model's images; ``None`` if it takes anything else."""
    inputs: Any = getattr(model, "inputs", None) or ()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        return None
    return axes.in_papers_order(inputs[0].shape, axes.format_of(model))


def _outputs(model: Any) -> int:
    outputs: Any = getattr(model, "outputs", None) or ()
    return outputs[0].shape[-1] or 0 if outputs else 0


def _classes(model: Any, names: int) -> int:
    """Return how many classes a model tells apart; one output may tell two."""
    outputs = _outputs(model)
    return 2 if (outputs, names) == (1, 2) else outputs
