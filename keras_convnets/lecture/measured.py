"""The figures of the lecture that networks compute: with random weights, the same each time."""

from __future__ import annotations

import os

import keras
import numpy as np

import keras_convnets as k

_DEEP = ("cifar_plain_56", "cifar_resnet_56")


def effective_field(to_file: str | os.PathLike[str]) -> None:
    """Draw how much each pixel matters to a unit of VGG-16."""
    keras.utils.set_random_seed(0)
    vgg = k.create_model("vgg_16", (3, 112, 112), include_top=False)
    k.effective_receptive_field(vgg, "conv4").plot(to_file)


def gradient_flow(to_file: str | os.PathLike[str]) -> None:
    """Draw the gradients of a plain and of a residual network, on images of noise."""
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype("float32")
    models = [k.create_model(name, (1, 8, 8), 10) for name in _DEEP]
    k.gradient_flow(models, images, np.arange(64) % 10).plot(to_file)
