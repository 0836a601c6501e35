"""The classes of a few images that a script has at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_convnets import memory
from keras_convnets.analysis.tables import sizes
from keras_convnets.image_config import NAMES
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.answers import answers
from keras_convnets.inference.class_labels import class_labels
from keras_convnets.inference.classifier import check_takes_floats
from keras_convnets.inference.compiled import Kept, kept
from keras_convnets.inference.fits import check_takes
from keras_convnets.inference.given import as_array, is_array
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.inference.predict import Predictions
from keras_convnets.inference.prepared import (
    Said,
    check_images,
    preprocessing_for,
    told_preprocessing,
)
from keras_convnets.inference.read_images import ReadImages, takes_channels_first
from keras_convnets.inference.soundness import check_sound_once
from keras_convnets.known import known
from keras_convnets.received import shown
from keras_convnets.typed import typed

_BATCH = 64


@typed
def classify(
    model: Any,
    images: Any,
    preprocessing: Preprocessing | str | None = None,
    class_names: Sequence[str] | None = None,
    prepared: bool = False,
) -> Predictions:
    """Classify a few images: files, arrays or Pillow's images, of any sizes.

    The images are prepared as those that the model was trained on, which it knows from published
    weights, from its training by ``train`` or from its ``.keras`` file. From the second call on,
    it takes as long as the preparation and the compiled network, for the network is compiled only
    once.

    Outputs are checked for NaN at each call. A ReLU can hide NaN in weights, which are therefore
    looked at as well: at the first call for a model, and again after steps of its training. Not
    after changes by hand between two calls: ask `evaluate`, which looks at them each time.

    Args:
        model: a classifier with one output, in either data format; or a run from ``open_run``.
        images: one image, or a list of them: paths of image files and of folders, the bytes of
            files, files opened for bytes, Pillow's images, and arrays of pixels, (rows, cols,
            channels) or (rows, cols), of integers or floats; or a batch of arrays, (images, rows,
            cols, channels). Of a folder, all image files in it and in its folders are taken, in
            the order of their names; the result names what is left out.
        preprocessing: the preprocessing of the images, or the name of a usual one: ``"none"``,
            ``"0-1"``, ``"-1-1"``, ``"imagenet"`` or ``"caffe"``; by default what the model knows,
            or what its first layers tell.
        class_names: the names of the classes, by label; by default those that the model knows, or
            else the labels.
        prepared: whether the images are already as the network takes them: a batch of floats, in
            the data format of the model.

    Returns:
        The probabilities, labels and names, in the order of the images; printed, it is a table.

    Raises:
        ValueError: an image cannot be read or its values are no pixels, the model does not know how
            its images are prepared, is no classifier of such images, or its outputs are not finite.

    Examples:
        >>> import numpy as np
        >>> from keras_convnets import classify, create_model
        >>> from keras_convnets.training import Preprocessing
        >>> model = create_model("cifar_resnet_20")
        >>> pixels = np.zeros((48, 64, 3), "uint8")
        >>> found = classify(model, pixels, Preprocessing(3, 32, 32, resize="crop"))
        >>> found.probabilities.shape, found.files
        ((1, 10), ('image 0',))
        >>> [best] = found.top(3)
        >>> len(best)
        3
    """
    if not isinstance(model, keras.Model):
        run = model
        model, preprocessing, class_names = of_run(run, preprocessing, class_names)
    of_model = kept(model)
    outputs = of_model.get("outputs", outputs_of)
    names = class_labels(model, outputs, class_names)
    names = tuple(map(str, range(outputs.classes))) if names is None else names
    read = ReadImages(takes_channels_first(of_model))
    batches: Iterator[Any] | None
    if prepared:
        batches = _prepared(of_model, images, preprocessing)
        read.names = [f"image {number}" for number in range(images.shape[0])]
    else:
        batches = read.batches(images, _preprocessing(of_model, preprocessing), _BATCH)
    found = np.zeros((0, outputs.classes), np.float32)
    if batches is not None and (not prepared or read.names):
        with memory.explained("the classification of your images", "Give fewer images at a time"):
            name_of = read.names.__getitem__
            found = answers(of_model, batches, name_of, check_sound_once).probabilities
    return Predictions(
        tuple(read.names), found, names, (), tuple(read.doubtful), tuple(read.skipped)
    )


def of_run(run: Any, preprocessing: Any, class_names: Any) -> tuple[Any, Any, Any]:
    """Return the model of a run, and its preprocessing and class names unless others are given.

    Raises:
        ValueError: it is no run.
    """
    found = [getattr(run, name, None) for name in ("model", "preprocessing", "class_names")]
    if not isinstance(found[0], keras.Model):
        raise ValueError(
            f"model: received {shown(run)}; expected a Keras model, or a run. Pass what "
            "load_model('model.keras') or open_run('runs/...') returns."
        )
    model, usual, usual_names = found
    return (
        model,
        usual if preprocessing is None else preprocessing,
        usual_names if class_names is None else class_names,
    )


def _preprocessing(of: Kept, said: Said) -> Preprocessing:
    given: Preprocessing | None
    if said is None:
        given = of.get("preprocessing", told_preprocessing, of=known(of.model))
    elif isinstance(said, str):
        given = of.get("named", lambda model: preprocessing_for(model, said), of=said)
    else:
        given = said
    if given is None:
        raise ValueError(
            f"preprocessing: received none, and {of.model.name} does not know how its images are "
            f"prepared; expected one. Pass preprocessing={', '.join(map(repr, NAMES))}, or "
            "Preprocessing(...), of keras_convnets.training, or prepared=True for images that are "
            "already as the network takes them."
        )
    of.get("takes", lambda model: _check_takes(model, given), of=given)
    return given


def _check_takes(model: Any, preprocessing: Preprocessing) -> None:
    check_takes(
        model,
        preprocessing.image_shape,
        "as the preprocessing makes them",
        "Take the preprocessing of the model's own run.",
    )
    check_images(model, preprocessing)


def _prepared(of: Kept, images: Any, preprocessing: Any) -> Iterator[Any]:
    """Return batches of images that are already as the network takes them."""
    if preprocessing is not None:
        raise ValueError(
            "preprocessing: received one beside prepared=True; expected None, for prepared images "
            "are taken as they are. Leave one of the two out."
        )
    of.get("takes_floats", check_takes_floats)
    takes = of.model.inputs[0].shape
    batch = images if tf.is_tensor(images) else as_array("images", images)
    is_float = "float" in str(getattr(batch.dtype, "name", batch.dtype))
    fits = len(batch.shape) == len(takes) and all(
        size in (None, has) for size, has in zip(takes, batch.shape, strict=True)
    )
    if not is_array(images) or not is_float or not fits:
        has = f"{batch.dtype} of {sizes(tuple(batch.shape))}" if is_array(images) else shown(images)
        raise ValueError(
            f"images: received {has} with prepared=True; expected an array of floats, "
            f"{sizes(tuple(takes))}, as {of.model.name} takes them. Leave prepared=True out if "
            "these are pixels."
        )
    count = batch.shape[0]  # variables have no length
    if 0 < count <= _BATCH:
        return iter((batch,))  # a slice of a tensor takes a while
    return (batch[start : start + _BATCH] for start in range(0, count, _BATCH))
