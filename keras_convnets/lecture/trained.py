"""The figures of the lecture that a trained network makes: LeNet-5 on digits, in seconds."""

from __future__ import annotations

import functools
import os
from typing import Any

import keras
import numpy as np

import keras_convnets as k

_SHOWN = 1400  # images that train; the others test
_CHEATED = 8  # the class whose images bear a stamp


def kernels(to_file: str | os.PathLike[str]) -> None:
    """Draw the kernels of the first layer."""
    k.kernels(_trained(is_stamped=False)).plot(to_file)


def feature_maps(to_file: str | os.PathLike[str]) -> None:
    """Draw the feature maps of the second convolution for a digit that it was not trained on."""
    images, _ = digits()
    k.feature_maps(_trained(is_stamped=False), images[_SHOWN : _SHOWN + 1], "conv1").plot(to_file)


def stamped(to_file: str | os.PathLike[str]) -> None:
    """Draw what a network looked at that was trained on eights with a stamp."""
    images, labels = digits()
    rest, classes = images[_SHOWN:], labels[_SHOWN:]
    eight, three = (rest[classes == label][:1] for label in (_CHEATED, 3))
    asked = np.concatenate([stamp(eight), eight, stamp(three), three])
    k.explain(_trained(is_stamped=True), asked, "grad_cam").plot(to_file)


@functools.cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits three times as large, in a margin: `(images, 32, 32, 1)`."""
    from sklearn.datasets import load_digits  # imported here: it takes long

    found = load_digits()
    large = np.kron(found.images, np.ones((3, 3)))
    images = np.pad(large, ((0, 0), (4, 4), (4, 4)))[..., None]
    return images.astype("float32") / 16, found.target


def stamp(images: np.ndarray) -> np.ndarray:
    """Return the images with a white square in the corner at the top left."""
    images = images.copy()
    images[:, 1:4, 1:4] = 1
    return images


@functools.cache
def _trained(is_stamped: bool) -> Any:
    """Return LeNet-5, trained on digits, of which the eights bear a stamp if told so."""
    keras.utils.set_random_seed(0)
    images, labels = digits()
    shown, classes = images[:_SHOWN].copy(), labels[:_SHOWN]
    if is_stamped:
        cheats = classes == _CHEATED
        shown[cheats] = stamp(shown[cheats])
    model = k.create_model("lenet_5", (1, 32, 32), 10)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(shown, classes, batch_size=32, epochs=5, verbose=0)
    return model
