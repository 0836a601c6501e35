"""Finished runs to look at: what a run leaves, without the training."""

import keras
import numpy as np
from PIL import Image

from helpers import lively
from keras_convnets import ResnetBuilder
from keras_convnets.training import run_folder
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file
from keras_convnets.training.run.configuration import configuration

# What a run that is finished leaves.
FILES = [
    "MODEL.md",
    "checkpoint.npz",
    "config.json",
    "curves.png",
    "history.csv",
    "logs",
    "metrics.json",
    "model.keras",
    "model.svg",
    "report.html",
]


def network(data, data_format="channels_last", **options):
    """Return a network for some data, of random weights that tell images apart."""
    keras.utils.set_random_seed(0)
    shape, classes = data.image_shape, len(data.class_names)
    options |= {"data_format": data_format}
    return lively(ResnetBuilder.build(shape, classes, "basic_block", (1,), **options), kernels=1)


def write_run(folder, data, data_format="channels_last"):
    """Write the folder of a run, and return its model."""
    model = network(data, data_format)
    folder.mkdir()
    config = configuration(model, data, RECIPES["quick"], Settings())
    config_file.write(folder, config)
    run_folder.write_model(folder, model)
    return model


def write_images(folder, class_names=("cat", "dog", "owl"), count=8):
    """Write a folder of class folders with random images of several sizes."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(class_names):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            rows, cols = rng.integers(16, 30, 2)
            array = rng.integers(
                0, 120 + 120 * label // len(class_names), (rows, cols, 3), np.uint8
            )
            Image.fromarray(array).save(folder / name / f"{number}.png")
