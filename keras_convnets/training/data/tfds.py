"""Data sets from TensorFlow Datasets, if that package is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_convnets.images import decoding
from keras_convnets.images.batches import untuned
from keras_convnets.images.contents import checked
from keras_convnets.images.headers import may_turn
from keras_convnets.images.labelled import Encoded, Images, from_arrays, on_cpu
from keras_convnets.images.reading import MEMORY, Kept, attempts
from keras_convnets.training.data.source import Source

# Release 4.9.10 does not declare the second package as a requirement.
INSTALL = "pip install tensorflow-datasets importlib_resources"
_SIZE = 224
_TESTS = ("test", "validation")


def knows(name: str, data_dir: Path | None) -> bool:
    """Say whether the package is installed and has a data set of this name."""
    try:
        _builder(name, data_dir)
    except ValueError:
        return False
    return True


def load(name: str, data_dir: Path | None) -> Source:
    """Load a data set of images with one label each.

    A data set that is not there yet is downloaded and prepared by TensorFlow Datasets.

    Args:
        name: the name in TensorFlow Datasets.
        data_dir: where its files are, or will be stored; by default the package's own folder.

    Raises:
        ValueError: the package is not installed, has no such data set or cannot prepare it, or the
            data set does not have images with one label each.
    """
    builder = _prepared(name, data_dir)
    keys = _keys(builder, name)
    rows, cols, depth = builder.info.features[keys[0]].shape
    channels = 1 if depth == 1 else 3
    parts = [_images(builder, name, part, keys, channels) for part in _parts(builder, name)]
    train, *tests = (part for part in parts if part.labels.min() >= 0)  # -1 means no label
    fixed = rows is not None and cols is not None
    return Source(
        name=name,
        train=train,
        class_names=tuple(builder.info.features[keys[1]].names),
        augmentation="crop" if fixed else "resized-crop",
        size=(rows, cols) if fixed else (_SIZE, _SIZE),
        native=(rows, cols) if fixed else None,
        test=tests[0] if tests else None,
        validation=tests[1] if len(tests) > 1 else None,
        channels=channels,
        resize="stretch" if fixed else "crop",
    )


def _package() -> Any:
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ValueError(f"data: TensorFlow Datasets is not installed. Run {INSTALL}.") from error


def _builder(name: str, data_dir: Path | None, **options: Any) -> Any:
    tfds = _package()
    try:
        return tfds.builder(name, data_dir=data_dir, **options)
    except (ValueError, tfds.core.DatasetNotFoundError) as error:
        raise ValueError(
            f"data: TensorFlow Datasets has no data set {name!r}. Run tfds list to see their names."
        ) from error


def _prepared(name: str, data_dir: Path | None) -> Any:
    """Return a prepared data set; a newly prepared one gets random access where possible."""
    builder = _builder(name, data_dir)
    if builder.data_path.exists():
        return builder
    try:
        if importlib.util.find_spec("array_record"):
            builder = _builder(name, data_dir, file_format="array_record")
        builder.download_and_prepare()
    except ImportError as error:
        raise ValueError(
            f"data: {name!r} of TensorFlow Datasets needs another package ({error}). Run pip "
            f"install {error.name}."
        ) from error
    except Exception as error:  # downloads and the package's code raise anything
        raise ValueError(
            f"data: {name!r} of TensorFlow Datasets cannot be prepared "
            f"({type(error).__name__}: {str(error).partition(chr(10))[0]}). Run tfds build {name} "
            "where there is a network, and name the folder of its files by --data-dir (data_dir)."
        ) from error
    return builder


def _keys(builder: Any, name: str) -> tuple[str, str]:
    """Return the keys of a record's image and label."""
    kinds, keys = _package().features, builder.info.supervised_keys
    plain = isinstance(keys, tuple) and list(map(type, keys)) == [str, str]
    image, label = keys if plain else ("image", "label")
    features = dict(getattr(builder.info.features, "items", dict)())
    right = isinstance(features.get(image), kinds.Image) and features[image].np_dtype == np.uint8
    if not right or not isinstance(features.get(label), kinds.ClassLabel):
        raise ValueError(
            f"data: {name!r} of TensorFlow Datasets does not hold images of 8 bits with one label "
            "each; expected a data set for the classification of images."
        )
    return image, label


def _parts(builder: Any, name: str) -> list[str]:
    splits = builder.info.splits
    if "train" not in splits:
        raise ValueError(
            f"data: {name!r} of TensorFlow Datasets has no training images, only "
            f"{', '.join(splits)}. Name another data set."
        )
    return ["train", *(part for part in _TESTS if part in splits)]


def _images(builder: Any, name: str, part: str, keys: tuple[str, str], channels: int) -> Images:
    """Return a part's images: decoded, else encoded, if they fit in memory, else in their files."""
    records, at_random = _records(builder, part, keys[0])
    encoded, labels, turns = Kept(), [], False
    for record in records:
        labels.append(record[keys[1]])
        turns = turns or may_turn(record[keys[0]])
        encoded.add(record[keys[0]], len(record[keys[0]]))
    if encoded.items is None and not at_random:
        raise ValueError(
            f"data: the {part} images of {name!r} take more than {MEMORY >> 20} MiB, and their "
            "files can only be read in order. Prepare them by tfds build "
            f"{name} --file_format=array_record."
        )
    contents = _contents(records, keys[0], encoded)

    def read(number: Any) -> tf.Tensor:
        return decoding.decode(contents([number])[0], channels)

    describe = f"{name} {part} {{}}".format
    decoded = Kept()
    for number, found in enumerate(attempts(read, range(len(labels)))):
        if isinstance(found, tf.errors.OpError):
            raise ValueError(f"data: {describe(number)}: {decoding.reason(found)}.") from found
        decoded.add(found, found.nbytes)
        if decoded.items is None:
            break
    if decoded.items is None:
        return Images(
            labels=np.array(labels, np.int32),
            read=read,
            array=None,
            describe=describe,
            encoded=Encoded(
                lambda many: decoding.encoded(checked, contents(many), channels, turns),
                channels,
                turns,
            ),
        )
    return from_arrays(decoded.items, np.array(labels), describe)


def _records(builder: Any, part: str, image: str) -> tuple[Any, bool]:
    """Return a part's records with encoded images, and whether they allow random access."""
    tfds = _package()
    decoders = {image: tfds.decode.SkipDecoding()}
    try:
        return builder.as_data_source(split=part, decoders=decoders), True
    except (NotImplementedError, ImportError):
        in_order = tfds.ReadConfig(interleave_cycle_length=1)
        records = builder.as_dataset(split=part, decoders=decoders, read_config=in_order)
        return tfds.as_numpy(untuned(records)), False


def _contents(records: Any, image: str, encoded: Kept) -> Callable[[Any], tf.Tensor]:
    """Return a function from the numbers of images to their bytes."""
    if encoded.items is not None:
        table = on_cpu(np.array(encoded.items, object))
        return lambda many: tf.gather(table, many)

    def fetch(many: np.ndarray) -> np.ndarray:
        found = np.empty(many.shape, object)
        for place, number in enumerate(many):
            found[place] = records[int(number)][image]
        return found

    return lambda many: tf.ensure_shape(tf.numpy_function(fetch, [many], tf.string), (None,))
