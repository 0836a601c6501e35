"""What a model knows of its images and classes once it has the weights of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_convnets import axes
from keras_convnets.image_config import fitted
from keras_convnets.known import KEY, Known, from_plain
from keras_convnets.readers import json_text
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.published.imagenet import imagenet_classes
from keras_convnets.weights.published.published import Published, images_of
from keras_convnets.weights.transfer.ends import classifier_of, takes_its_images


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

    Names of classes hold for a classifier of as many outputs that was loaded, and whose outputs are
    the model's. The preprocessing is that for images of the model's size and channels, unless the
    model changes them itself.
    """
    names = what.class_names
    if names is None or not _classifies(model, loaded) or len(names) != _classes(model, len(names)):
        what = dataclasses.replace(what, class_names=None)
    images = _for_images_of(model, what.preprocessing) if takes_its_images(model) else None
    return dataclasses.replace(what, preprocessing=images)


def _classifies(model: keras.Model, loaded: Iterable[str]) -> bool:
    """Return whether the outputs of a model are those of a layer whose weights were loaded."""
    layers, last = layers_of(model), classifier_of(model)
    return any(layers[name.rsplit("/", 1)[0]] is last for name in loaded)


def _for_images_of(model: Any, images: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the preprocessing for the images of a model, whose size and channels may be others."""
    shape = _image_shape(model)
    return None if images is None or shape is None else fitted(images, shape)


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
