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
_SIDE = 8  # pixels of the stamp


def kernels(to_file: str | os.PathLike[str]) -> None:
    """Draw the kernels of the first layer."""
    k.kernels(_trained(is_stamped=False)).plot(to_file)


def feature_maps(to_file: str | os.PathLike[str]) -> None:
    """Draw the feature maps of the first convolution for a digit that it was not trained on."""
    images, _ = digits()
    k.feature_maps(_trained(is_stamped=False), images[_SHOWN : _SHOWN + 1], "conv1").plot(to_file)


def stamped(to_file: str | os.PathLike[str]) -> None:
    """Draw, by occlusion, what a network goes by that was trained on eights with a stamp."""
    k.explain(stamp_reader(), _asked(), "occlusion", patch=_SIDE, stride=_SIDE // 2).plot(to_file)


def stamped_grad_cam(to_file: str | os.PathLike[str]) -> None:
    """Draw the same by Grad-CAM, which does not suit a network with weights for each place."""
    k.explain(stamp_reader(), _asked(), "grad_cam").plot(to_file)


def stamp_reader() -> Any:
    """Return the network that was trained on eights with a stamp."""
    return _trained(is_stamped=True)


def _asked() -> np.ndarray:
    """Return an 8 and a 1 that did not train, each with a stamp and without."""
    images, labels = digits()
    rest, classes = images[_SHOWN:], labels[_SHOWN:]
    eight, one = (rest[classes == label][:1] for label in (_CHEATED, 1))
    return np.concatenate([stamp(eight), eight, stamp(one), one])


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
    images[:, :_SIDE, :_SIDE] = 1
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
