"""Predictions of a classifier for image files."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np

from keras_convnets import checks
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.answers import answers
from keras_convnets.inference.compiled import Kept, kept
from keras_convnets.inference.enough_memory import enough_memory
from keras_convnets.inference.fits import check_takes
from keras_convnets.inference.given import at_once
from keras_convnets.inference.outputs import outputs_of
from keras_convnets.inference.read_images import ReadImages, takes_channels_first
from keras_convnets.inference.shares import Share
from keras_convnets.inference.soundness import check_sound_once
from keras_convnets.printable import printable
from keras_convnets.received import shown
from keras_convnets.typed import explaining

_BATCH = 64
_TOP, _SHOWN = 5, 20  # classes of one image, and images, that are printed


class Classifier(Protocol):
    """A model with everything needed to classify images, such as a saved run.

    Attributes:
        model: a classifier with one output, in either data format.
        preprocessing: the preprocessing of the model's images.
        class_names: the class names, by label.
    """

    @property
    def model(self) -> Any: ...

    @property
    def preprocessing(self) -> Preprocessing: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...


class Guess(tuple[int, float]):
    """A class that an image may be of: ``(label, probability)``, and the class's ``name``."""

    def __new__(cls, label: int, probability: float, name: str) -> Guess:
        return super().__new__(cls, (label, probability))

    def __init__(self, label: int, probability: float, name: str) -> None:
        self.label, self.probability, self.name = label, probability, name

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.label, self.probability, self.name

    def __repr__(self) -> str:
        return f"{printable(self.name)} {Share(self.probability)}"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """The predictions of a model for images; printed, a table of the most probable classes.

    Attributes:
        files: the files that could be read, in the order given; ``"image 0"`` and so on for images
            that have no path.
        probabilities: class probabilities of these files, float32, shape `(files, classes)`; they
            need not sum to 1 if each class has a sigmoid of its own.
        class_names: the class names, by label.
        refused: the files that could not be read, each with the reason.
        doubtful: warnings about files that were read.
        skipped: what was left out of folders, each with the reason: what is not named as an image
            is, and what cannot be looked into.
    """

    files: tuple[str, ...]
    probabilities: np.ndarray
    class_names: tuple[str, ...]
    refused: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        if not len(self):
            return "no predictions"
        first = slice(_SHOWN)
        some = dataclasses.replace(
            self, files=self.files[first], probabilities=self.probabilities[first]
        )
        more = [f"and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([some.table(_TOP if len(self) == 1 else 1).to_text(), *more])

    @property
    def labels(self) -> np.ndarray:
        """The label of the most probable class of each file; the first one in a tie."""
        return self.probabilities.argmax(axis=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the most probable class of each file."""
        return tuple(self.class_names[label] for label in self.labels)

    def top(self, count: int = 5) -> list[list[Guess]]:
        """Return the most probable classes of each file, best first.

        Each is a tuple of its label and its probability, with the attributes ``label``,
        ``probability`` and ``name``.
        """
        checks.positive_integer("top", count, "the classes to name, such as 5")
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        rows = zip(order.tolist(), self.probabilities, strict=True)
        names = self.class_names
        return [
            [Guess(label, float(row[label]), names[label]) for label in labels]
            for labels, row in rows
        ]

    def table(self, count: int = 5) -> Table:
        """Return a table of the most probable classes of each file."""
        columns = (
            Column("image", "image"),
            Column("class", "class"),
            Column("probability", "probability", is_number=True),
        )
        rows = (
            ("" if place else file, self.class_names[label], Share(probability))
            for file, best in zip(self.files, self.top(count), strict=True)
            for place, (label, probability) in enumerate(best)
        )
        return Table(columns, tuple(rows))

    def to_dict(self, count: int = 5) -> dict[str, Any]:
        """Return everything as a JSON-ready dictionary."""
        images = [
            {
                "image": file,
                "top": [
                    {"class": self.class_names[label], "label": label, "probability": probability}
                    for label, probability in best
                ],
            }
            for file, best in zip(self.files, self.top(count), strict=True)
        ]
        lines = {name: list(getattr(self, name)) for name in ("refused", "doubtful", "skipped")}
        return {"images": images, **lines}


@explaining
def predict(run: Classifier, files: Any) -> Predictions:
    """Classify images, preprocessed exactly as the training images were.

    The same image gives the same probabilities whatever it is passed as; but TensorFlow and Pillow
    have different JPEG decoders, and a JPEG that Pillow has opened differs by about a shade.

    Outputs are checked for NaN at each call; weights, whose NaN a ReLU can hide, at the first and
    after training, but not after changes by hand: `evaluate` checks them each time.

    Args:
        run: a run from [`open_run`][keras_convnets.training.open_run], or any object with a
            ``model``, its ``preprocessing`` and ``class_names``.
        files: an image or several, as for [`classify`][keras_convnets.classify]: paths, folders,
            bytes, open files, Pillow's images or arrays. The result names what cannot be read.

    Raises:
        ValueError: the model is not a classifier of such images, its outputs are not finite, or
            something is no image, or an array whose values are no pixels.

    Examples:
        >>> from keras_convnets import ResnetBuilder
        >>> from keras_convnets.training import SavedRun, load_data, predict
        >>> model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
        >>> data = load_data("digits", image_size=8)
        >>> run = SavedRun("run", model, data.preprocessing, data.class_names, {})
        >>> predict(run, ["none.png"]).refused
        ('none.png: no such file',)
    """
    for name in ("model", "preprocessing", "class_names"):
        if not hasattr(run, name):
            raise ValueError(
                f"run: received {shown(run)}, which has no {name}; expected a run. Pass "
                "open_run('runs/...')."
            )
    check_takes(
        run.model,
        run.preprocessing.image_shape,
        "as the preprocessing makes them",
        "Take the preprocessing of the model's own run.",
    )
    of_model = kept(run.model)
    check_classes(run, of_model)
    files = list(files) if isinstance(files, dict) else files  # its keys, as a loop takes them
    read = ReadImages(takes_channels_first(of_model), refuses=True)
    if batches := read.batches(files, run.preprocessing, _BATCH):
        together, least = at_once(files, _BATCH), "Give fewer images at a time"
        with enough_memory("predictions", of_model, run.preprocessing, together, least):
            name_of = read.names.__getitem__
            found = answers(of_model, batches, name_of, check_sound_once).probabilities
    else:
        found = np.zeros((0, len(run.class_names)), np.float32)
    return Predictions(
        tuple(read.names),
        found,
        run.class_names,
        tuple(read.refused),
        tuple(read.doubtful),
        tuple(read.skipped),
    )


def check_classes(run: Classifier, of_model: Kept) -> None:
    """Refuse a classifier with more or fewer names than its model has classes.

    Raises:
        ValueError: the numbers differ.
    """
    outputs, names = of_model.get("outputs", outputs_of), len(run.class_names)
    if outputs.classes != names:
        raise ValueError(
            f"model: {run.model.name} is for {outputs.classes} classes; expected {names}, as many "
            "as there are class_names. Take those of the model's own run."
        )
