"""Keras' networks, and how they are trained: by a user's own ``fit``, and by our command."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.turns import Call
from keras_convnets import create_model
from keras_convnets.training import RECIPES, Data, Settings
from keras_convnets.training.recipe.compiling import compile_model, set_weight_decay


@dataclasses.dataclass(frozen=True)
class Work:
    """What each contender is given: images, how many in a step, the precision, a weight decay."""

    size: int
    batch: int
    precision: str
    decay: float

    @property
    def classes(self) -> int:
        """The number of classes: CIFAR's for small images, or else ImageNet's."""
        return 10 if self.size < 64 else 1000

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch of random images and their classes."""
        random = np.random.default_rng(0)
        images = random.random((self.batch, self.size, self.size, 3), np.float32)
        return images, random.integers(0, self.classes, self.batch)


def ours(name: str, work: Work) -> keras.Model:
    """Return a network of ours as it is built, with the decay asked for."""
    model = create_model(name, (3, work.size, work.size), work.classes)
    if work.decay:
        set_weight_decay(model, work.decay)
    return model


def own_fit(model: keras.Model, work: Work) -> keras.Model:
    """Return a model, compiled as a user does."""
    return _compiled(model)


def before(model: keras.Model, work: Work) -> keras.Model:
    """Return the same network with Keras' own layers, compiled with its own optimizer."""
    return _compiled(keras.models.clone_model(model))


def command(model: keras.Model, work: Work) -> keras.Model:
    """Return a model, compiled as the command does."""
    random = np.random.default_rng(0)
    count = work.classes * -(-work.batch // work.classes)
    images = random.integers(0, 256, (count, 8, 8, 3), np.uint8)
    labels = np.arange(count) % work.classes
    data = Data.from_arrays(images, labels, images[::-1], labels[::-1])
    recipe = RECIPES["quick"].replace(batch_size=work.batch, weight_decay=work.decay or None)
    compile_model(model, data, recipe, Settings())
    return model


def applications(name: str, work: Work) -> keras.Model:
    """Return a network of keras.applications, compiled."""
    build = getattr(keras.applications, name)
    shape = (work.size, work.size, 3)
    return _compiled(build(weights=None, input_shape=shape, classes=work.classes))


def parameters(model: keras.Model) -> int:
    """Return the number of trainable parameters."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def step(model: keras.Model, work: Work) -> Call:
    """Return what ``fit`` calls for each batch, ending with the loss as a number."""
    batches: Any = tf.data.Dataset.from_tensors(work.arrays()).repeat().prefetch(2)
    batches = iter(batches)
    model.make_train_function()
    return lambda: float(model.train_function(batches)["loss"])


def _compiled(model: keras.Model) -> keras.Model:
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
