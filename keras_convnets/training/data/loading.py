"""Data sets for training and testing, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets import checks, files
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.folder_labels import labels_of, relabelled
from keras_convnets.training.data import arguments as named
from keras_convnets.training.data import digits, folder, keras_datasets, table, tfds
from keras_convnets.training.data.arguments import ImageSize
from keras_convnets.training.data.data import Data, treated
from keras_convnets.training.data.ranges import brought
from keras_convnets.training.data.source import Source
from keras_convnets.training.data.treatment import Treatment
from keras_convnets.training.words import class_list
from keras_convnets.typed import explaining

LAYOUT = 1
"""How parts of a folder are told from classes; 0 is how the first versions did."""
SPLITS = ("test", "validation", "train")


@explaining
def load_data(
    name: str,
    *,
    seed: int = 0,
    validation_split: float = 0.0,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    data_dir: Path | str | None = None,
    strict: bool = False,
    augmentation: str | None = None,
    preprocessing: Preprocessing | str | None = None,
) -> Data:
    """Load a data set by name, split and ready for ``training_batches``.

    Args:
        name: ``"digits"``, ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``, ``"cifar100"``,
            ``"folder:PATH"`` for a folder of class folders, ``"csv:FILE"`` for a table of paths and
            labels, or ``"tfds:NAME"``.
        seed: the seed of the splits.
        validation_split: the share of the training images to hold out for validation, stratified by
            class; with 0, the test images are used.
        image_size: rows and columns to resize to, one number or two; by default the size of the
            images, 32 for digits and 224 for folders.
        channels: 1 to convert the images to grey, 3 to colour; by default those of the data set.
        data_dir: a folder of files that are already on this machine; of a table, the one that its
            paths start from, by default its own.
        strict: refuse a folder or a table with files that are not images, instead of leaving them
            out.
        augmentation: a name in ``AUGMENTATIONS``, names in ``STRENGTHS``, or both, such as
            ``"crop-flip+mixup:0.2"``; by default the usual one for the data set.
        preprocessing: the preprocessing of an earlier run, to process the images identically, or
            the name of a usual one: ``"none"`` for pixels of 0 to 255, ``"0-1"``, ``"-1-1"``,
            ``"imagenet"``, or ``"caffe"`` for blue first, minus ImageNet's means; by
            default means and standard deviations are computed from the training images.

    Raises:
        ValueError: the data set does not exist or cannot be read, or an argument is out of range or
            has no effect on it.

    Examples:
        >>> from keras_convnets.training import load_data
        >>> data = load_data("digits", validation_split=0.1)
        >>> len(data.train), len(data.validation), len(data.test), data.image_shape
        (1293, 144, 360, (1, 32, 32))
    """
    name, strict = named.name_of(name), checks.boolean("strict", strict)
    treatment = Treatment(seed, validation_split, image_size, channels, augmentation, preprocessing)
    where = named.folder_of(data_dir)
    named.refuse_moot(name, where, strict)
    return _loaded(name, where, strict, treatment)


class LabelledImages(NamedTuple):
    """Images on which a trained model is evaluated.

    Attributes:
        images: the images, with the labels that the model has for their classes.
        preprocessing: their preprocessing.
        data: the name of the data set.
        split: which of its images they are: ``"test"``, ``"validation"``, ``"train"`` or ``"all"``.
        words: what has to be said of them, in lines.
    """

    images: Images
    preprocessing: Preprocessing
    data: str
    split: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what was evaluated: ``"the 360 test images of digits"``."""
        count = f"{len(self.images):,}"
        if self.split == "all":
            return f"all {count} images of {self.data}"
        return f"the {count} {self.split} images of {self.data}"


def load_labelled(
    name: str,
    data_dir: Path | None,
    split: str | None,
    preprocessing: Preprocessing,
    class_names: Sequence[str],
    check: Callable[[Any], None] = lambda _: None,
) -> LabelledImages:
    """Load the images of a data set on which a model is evaluated that was trained on others.

    Nothing is split off: they are the images that the data set has for testing, or all of them if
    it has none.

    Args:
        name: the name of the data set, as in `load_data`.
        data_dir: a folder of files that are already on this machine.
        split: ``"test"``, ``"validation"`` or ``"train"``, to evaluate on these.
        preprocessing: that of the model's images.
        class_names: the names of the model's classes, by label.
        check: a function that may refuse a data set whose classes have other names.

    Raises:
        ValueError: as in `load_data`, or the names of the classes do not tell which is which.
    """
    name, where = named.name_of(name), named.folder_of(data_dir)
    named.refuse_moot(name, where, False)
    source = _source(name, None if where is None else files.absolute("data_dir", where), False)
    parts = {"test": source.test, "validation": source.validation, "train": source.train}
    images = parts[split] if split is not None else source.test or source.train
    if images is None:
        has = [repr(part) for part, found in parts.items() if found is not None]
        raise ValueError(
            f"split: received {split!r}, and {source.name} has no images set apart for it; "
            f"expected {' or '.join(has)}. Leave --split out to evaluate on all images."
        )
    if not set(source.class_names) <= set(class_names):
        check(source)
    labels = labels_of(source.class_names, class_names)
    which = split or ("test" if source.test is not None else "all")
    fitted, words = brought(preprocessing, source)
    images = relabelled(images, labels, len(class_names))
    lacks = [name for name in class_names if name not in source.class_names]
    if lacks and images.labels.ndim == 2:
        words += (f"{source.name} says nothing of {class_list(lacks)}: taken as in no image",)
    return LabelledImages(images, fitted, source.name, which, source.words + words)


def load_again(
    arguments: Mapping[str, Any], preprocessing: Preprocessing, are_own: bool = True
) -> Data:
    """Load the data of a begun run again, or others in their place.

    Arguments that `load_data` refuses because they have no effect may be those of a run that an
    earlier version began.

    Args:
        arguments: those of `load_data`, from `Data.arguments`.
        preprocessing: the preprocessing of the run.
        are_own: whether they are the data of the run; others may have pixels of another range.

    Raises:
        ValueError: as in `load_data`.
    """
    known = named.effective(arguments)
    name, strict = named.name_of(known.get("name")), bool(known.get("strict"))
    where = named.folder_of(known.get("data_dir"))
    treatment = Treatment(
        known.get("seed", 0),
        known.get("validation_split", 0.0),
        None,  # the size and the channels are part of the preprocessing
        None,
        known.get("augmentation"),
        preprocessing,
        are_own,
    )
    return _loaded(name, where, strict, treatment, known.get("layout", LAYOUT))


def _loaded(
    name: str, data_dir: Path | None, strict: bool, treatment: Treatment, layout: int = LAYOUT
) -> Data:
    data_dir = None if data_dir is None else files.absolute("data_dir", data_dir)
    arguments = {
        "name": named.anywhere(name),
        "seed": treatment.seed,
        "validation_split": treatment.validation_split,
        "image_size": treatment.image_size,
        "channels": treatment.channels,
        "data_dir": None if data_dir is None else str(data_dir),
        "strict": strict,
        "augmentation": treatment.augmentation,
    }
    if layout != LAYOUT:  # which `load_data` has no argument for: only begun runs go on with it
        arguments["layout"] = layout
    return treated(_source(name, data_dir, strict, layout), treatment, arguments)


def _source(name: str, where: Path | None, strict: bool, layout: int = LAYOUT) -> Source:
    """Return the source of the images with this name."""
    kind, _, rest = name.partition(":")
    if kind == "folder":
        return folder.load(rest, strict, as_before=layout < LAYOUT)
    if kind == "csv":
        return table.load(rest, where, strict)
    if kind == "tfds":
        return tfds.load(rest, where)
    if name == "digits":
        return digits.load()
    if name in keras_datasets.KNOWN:
        return keras_datasets.load(name, where)
    return _of_tfds(name, where)


def _of_tfds(name: str, data_dir: Path | None) -> Source:
    """Return a data set of TensorFlow Datasets whose name is not one of ours."""
    known = ("digits", *keras_datasets.KNOWN)
    if not tfds.knows(name, data_dir):
        expected = ", ".join(map(repr, known))
        kind = "folder" if os.path.isdir(name) else "csv" if os.path.isfile(name) else ""
        hint = f" Did you mean {f'{kind}:{name}'!r}?" if kind else ""
        raise ValueError(
            f"data: received {name!r}; expected {expected}, 'folder:PATH', 'csv:FILE' or "
            f"'tfds:NAME' (after {tfds.INSTALL}).{hint or checks.did_you_mean(name, known)}"
        )
    return tfds.load(name, data_dir)
