"""What is served: a trained model, with all that is done to an image before and after it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import numpy as np

from keras_convnets import axes
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.compiled import kept, to_numpy
from keras_convnets.inference.enough_memory import enough_memory
from keras_convnets.inference.fits import check_takes
from keras_convnets.inference.given import UnreadableError
from keras_convnets.inference.outputs import Outputs, outputs_of
from keras_convnets.inference.predict import Classifier, check_classes
from keras_convnets.inference.read_images import ReadImages
from keras_convnets.inference.soundness import check_sound_once
from keras_convnets.shipping.serve.looked_at import Look, looking
from keras_convnets.shipping.serve.worker import Run

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")  # what a name in an address does not have


@dataclasses.dataclass(frozen=True)
class Image:
    """An image as the model takes it.

    Attributes:
        values: an array of the shape of one image of a batch.
        doubts: lines about what is doubtful of its pixels.
    """

    values: np.ndarray
    doubts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Served:
    """A classifier that is ready to serve.

    Attributes:
        name: the name of the network.
        runtime: what runs it, with its version.
        preprocessing: the preprocessing of its images; ``None`` if only the file knows it.
        class_names: the names of the classes, by label.
        outputs: the kind of its outputs.
        shape: that of one image as it takes it, ``None`` where any size fits.
        dtype: the type of its input, ``"float32"`` or ``"uint8"``.
        prepare: a function from the name and the bytes of an image file to the image as the model
            takes it. It may be called by several threads at once.
        run: a function from a batch to the outputs as the model has them, a row for each image.
        look: the function that shows what the model looked at in an image; ``None`` for an exported
            file, and for a model without feature maps.
    """

    name: str
    runtime: str
    preprocessing: Preprocessing | None
    class_names: tuple[str, ...]
    outputs: Outputs
    shape: tuple[int | None, ...]
    dtype: str
    prepare: Callable[[str, bytes], Image]
    run: Run
    look: Look | None = None

    @property
    def address(self) -> str:
        """The name as a part of an address."""
        return _ODD.sub("_", self.name)


def of_classifier(run: Classifier, batch_size: int) -> Served:
    """Return a run's model, or another classifier, as `predict` takes it, ready to serve.

    Args:
        run: the classifier.
        batch_size: the images that it will take at once.

    Raises:
        ValueError: the model is no classifier of such images, its weights are broken, or such
            batches do not fit into memory.
    """
    import keras

    model, preprocessing = run.model, run.preprocessing
    check_channels(model.name, preprocessing.channels)
    check_takes(
        model,
        preprocessing.image_shape,
        "as the preprocessing makes them",
        "Take the preprocessing of the model's own run.",
    )
    of_model = kept(model)
    check_classes(run, of_model)
    check_sound_once(of_model)
    is_first = axes.format_of(model) == "channels_first"
    forward = of_model.forward()
    channels, rows, cols = preprocessing.image_shape
    shape = (channels, rows, cols) if is_first else (rows, cols, channels)
    with enough_memory("batches", of_model, preprocessing, batch_size, "Ask for a smaller batch"):
        forward(np.zeros((batch_size, *shape), np.float32))
    return Served(
        name=model.name,
        runtime=f"Keras {keras.__version__}",
        preprocessing=preprocessing,
        class_names=tuple(run.class_names),
        outputs=of_model.get("outputs", outputs_of),
        shape=shape,
        dtype="float32",
        prepare=preparing(preprocessing, is_first),
        run=lambda batch: to_numpy(forward(batch)),
        look=looking(run),
    )


def check_channels(name: str, channels: int | None) -> None:
    """Refuse a model of images that no image files have.

    Raises:
        ValueError: its images are neither grey nor coloured.
    """
    if channels not in (1, 3):
        raise ValueError(
            f"serve: {name} takes images of {channels} channels; expected 1 (grey) or 3 (colour), "
            "as image files have them. Serve another model."
        )


def preparing(preprocessing: Preprocessing, is_first: bool) -> Callable[[str, bytes], Image]:
    """Return the function that prepares an image file exactly as `predict` does.

    The function raises `UnreadableError` if it is no image.

    Args:
        preprocessing: the preprocessing.
        is_first: whether the model takes channels first.
    """

    def prepare(name: str, contents: bytes) -> Image:
        read = ReadImages(is_first, refuses=True)
        batches = read.batches([contents], preprocessing, 1)
        if batches is None:
            raise UnreadableError(_renamed(read.refused[0], name))
        [batch] = batches
        return Image(batch[0].numpy(), tuple(_renamed(doubt, name) for doubt in read.doubtful))

    return prepare


def _renamed(line: str, name: str) -> str:
    """Return a line about the only image of a list, with the name that the image has."""
    return name + line.removeprefix("image 0") if line.startswith("image 0:") else line
