"""The data sets of ``keras.datasets``, from local files, the system or Keras' cache."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np

from keras_convnets.files import shown
from keras_convnets.images.labelled import Images, from_array
from keras_convnets.readers.damage import DamagedFile, damage
from keras_convnets.training.data import archives as original_files
from keras_convnets.training.data import packaged
from keras_convnets.training.data.archives import Arrays
from keras_convnets.training.data.source import Source

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_PATIENCE = 30  # seconds without receiving a byte
_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"
_CIFAR100 = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
    cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
    lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


@dataclasses.dataclass(frozen=True)
class _Known:
    """A data set: where its files are, how to read them, and what they should contain."""

    url: str
    files: tuple[str, ...]
    read: Callable[[Path], tuple[Arrays, Arrays]]
    class_names: tuple[str, ...]
    augmentation: str
    shape: tuple[int, int, int]
    package: packaged.Package | None = None


KNOWN = {
    "mnist": _Known(
        _GOOGLE,
        ("mnist.npz",),
        original_files.mnist,
        tuple("0123456789"),
        "crop",
        (28, 28, 1),
    ),
    "fashion_mnist": _Known(
        _GOOGLE,
        original_files.FASHION_MNIST,
        original_files.fashion_mnist,
        (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker"),
            *("Bag", "Ankle boot"),
        ),
        "crop-flip",
        (28, 28, 1),
        packaged.FASHION_MNIST,
    ),
    "cifar10": _Known(
        _TORONTO,
        ("cifar-10-python.tar.gz",),
        original_files.cifar10,
        tuple(_CIFAR10.split()),
        "crop-flip",
        (32, 32, 3),
    ),
    "cifar100": _Known(
        _TORONTO,
        ("cifar-100-python.tar.gz",),
        original_files.cifar100,
        tuple(_CIFAR100.split()),
        "crop-flip",
        (32, 32, 3),
    ),
}


def load(name: str, data_dir: Path | None) -> Source:
    """Load one of the data sets in ``KNOWN``.

    Args:
        name: the name of the data set.
        data_dir: a folder with the files that Keras downloads, which is only read. Without it,
            they are those that a package of the system has installed, if it has; else Keras takes
            them from its cache or downloads them.

    Raises:
        ValueError: the files are missing or damaged, or cannot be downloaded.
    """
    known = KNOWN[name]
    package = known.package
    if data_dir is not None:
        train, test = _from_folder(name, known, data_dir)
    elif package is not None and package.has(known.files):
        train, test = _from_folder(name, known, package.folder)
        package.check((*train, *test))
    else:
        train, test = _by_keras(name, known)
    rows, cols, channels = known.shape
    return Source(
        name=name,
        train=_images(train, known, f"{name} training"),
        test=_images(test, known, f"{name} test"),
        class_names=known.class_names,
        augmentation=known.augmentation,
        size=(rows, cols),
        native=(rows, cols),
        channels=channels,
    )


def _images(arrays: Arrays, known: _Known, title: str) -> Images:
    pixels, labels = arrays
    return from_array(pixels.reshape(-1, *known.shape), labels, f"{title} {{}}".format)


def _from_folder(name: str, known: _Known, folder: Path) -> tuple[Arrays, Arrays]:
    if not os.path.isdir(folder):
        raise ValueError(f"data_dir: received {shown(folder)}; expected a folder. {_put(known)}")
    try:
        train, test = known.read(folder)
        with damage():
            for pixels, labels in (train, test):
                _check(pixels, labels, known)
    except FileNotFoundError as error:
        raise ValueError(
            f"data_dir: {str(folder)!r} lacks {error}, which {name} needs. {_put(known)}"
        ) from error
    except DamagedFile as error:
        raise ValueError(
            f"data_dir: a file of {name} in {str(folder)!r} is damaged ({error}). {_put(known)}"
        ) from error
    return train, test


def _check(pixels: np.ndarray, labels: np.ndarray, known: _Known) -> None:
    rows, cols, channels = known.shape
    if labels.dtype.kind not in "iu" or labels.size != len(labels):
        raise ValueError(f"labels of type {labels.dtype} and shape {labels.shape}")
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels of type {pixels.dtype}")
    images = len(labels)
    if pixels.size != images * rows * cols * channels or len(pixels) != images or not images:
        raise ValueError(f"{pixels.size} pixels for {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(known.class_names):
        raise ValueError(f"labels of {labels.min()} to {labels.max()}")


def _by_keras(name: str, known: _Known) -> tuple[Arrays, Arrays]:
    try:
        with _not_waiting_for_ever():
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # get_file raises plain Exception
        raise ValueError(
            f"data: {name} is not in Keras' cache and cannot be downloaded "
            f"({str(error) or type(error).__name__}). {_put(known)}"
        ) from error
    if known.shape[-1] == 3 and keras.config.image_data_format() == "channels_first":
        train, test = ((np.moveaxis(pixels, 1, -1), labels) for pixels, labels in (train, test))
    return train, test


def _put(known: _Known) -> str:
    files = " and ".join(known.files)
    return (
        f"Put {files} (from {known.url}) into a folder, and name that folder by --data-dir "
        "(data_dir)."
    )


@contextlib.contextmanager
def _not_waiting_for_ever() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(before or _PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
