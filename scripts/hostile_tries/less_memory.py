"""Dense blocks in less memory, wherever a model may be trained: the weights are the plain ones."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Count, Try, refused, refused_command

Make = Callable[[], Any]
_IMAGES, _SHAPE = 8, (8, 8, 3)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    for name, run in {
        "half precision, two steps at a time": _half,
        "XLA": functools.partial(_check, _network, jit_compile=True),
        "layers that others write": functools.partial(_check, _written_otherwise),
        "two devices": _devices,
    }.items():
        yield Try(f"dense blocks: {name}", run, seconds=300)
    yield Try("dense blocks: a run that was resumed", functools.partial(_resumed, place), 300)
    yield Try("models without dense blocks", _without)


def _half() -> str:
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    return _check(_network, steps_per_execution=2)


def _devices() -> str:
    """Normalise over both devices, so that Keras' own normalisation is computed again."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        return _check(functools.partial(_network, synchronized=True))


def _network(synchronized: bool = False) -> Any:
    import keras

    from keras_convnets import DensenetBuilder

    model = DensenetBuilder.build((3, 8, 8), 5, (2, 1), 4, stem="cifar")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
    return model


def _written_otherwise() -> Any:
    import keras

    inputs = keras.Input(_SHAPE)
    return keras.Model(inputs, keras.layers.Average()([_by_hand(inputs), _shared(inputs)]))


def _by_hand(x: Any) -> Any:
    """Return blocks of other layers: activations, biases, axes of both signs."""
    from keras import layers

    for axis, activation in ((3, layers.ReLU(max_value=2.0)), (-1, layers.Activation("tanh"))):
        branch = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate(axis=axis)([branch, x, branch])
        x = activation(layers.BatchNormalization(scale=False)(x))
        x = layers.Conv2D(6, 3, strides=1, padding="same", activation="tanh")(x)
    return layers.Dense(5, "softmax")(layers.GlobalMaxPooling2D()(x))


def _shared(x: Any) -> Any:
    """Return a block whose layers are called twice, once on what is no concatenation."""
    from keras import layers

    norm, relu = layers.BatchNormalization(), layers.Activation("relu")
    conv, concat = layers.Conv2D(4, 1), layers.Concatenate()
    whole = concat([x, layers.Conv2D(3, 3, padding="same")(x)])
    once = conv(relu(norm(whole)))
    again = conv(relu(norm(layers.Conv2D(6, 1)(once))))
    x = layers.GlobalAveragePooling2D()(concat([once, again]))
    return layers.Dense(5, "softmax")(x)


def _check(make: Make, **options: Any) -> str:
    """Demand that a network has the same weights after three steps, plain and in less memory."""
    import keras
    import numpy as np

    from keras_convnets import memory_efficient

    random = np.random.default_rng(0)
    images = random.normal(1, 2, (_IMAGES, *_SHAPE)).astype("float32")
    labels = random.integers(0, 5, _IMAGES)
    after = []
    for treated in (lambda model: model, memory_efficient):
        keras.utils.set_random_seed(0)
        model = treated(make())
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", **options)
        model.fit(images, labels, batch_size=2, epochs=1, shuffle=False, verbose=0)
        after.append([keras.ops.convert_to_numpy(one).astype("float32") for one in model.weights])
    for one, other, weight in zip(*after, model.weights, strict=True):
        if not np.allclose(one, other, rtol=1e-4, atol=1e-5):
            worst = np.abs(one - other).max()
            raise Fault(f"{weight.path} is off by {worst:.2g} after the steps")
    return WORKED


def _resumed(place: Path) -> str:
    """Interrupt a run and resume it: it keeps the setting, and ends in the plain run's weights."""
    import dataclasses
    import io
    import os

    import keras
    import numpy as np
    from rich.console import Console

    from keras_convnets import DensenetBuilder
    from keras_convnets.training import RECIPES, Settings, load_data, open_run, resume, train
    from keras_convnets.training.run.step_callback import StepCallback

    os.chdir(place)
    data, ends = load_data("digits", image_size=8), []
    recipe = RECIPES["quick"].replace(steps=3, batch_size=64)
    after = StepCallback.on_train_batch_end

    def stopping(self: Any, batch: int, logs: Any = None) -> None:
        after(self, batch, logs)
        if batch == 1:
            raise KeyboardInterrupt

    for efficient in (False, True):
        keras.utils.set_random_seed(0)
        model = DensenetBuilder.build((1, 8, 8), 10, (2,), 4, stem="cifar")
        settings = Settings(memory_efficient=efficient, checkpoint_steps=1)
        run = Path(f"run{efficient}")
        StepCallback.on_train_batch_end = stopping if efficient else after
        train(model, data, run, recipe, settings, Console(file=io.StringIO()))
        StepCallback.on_train_batch_end = after
        if efficient:
            resume(run, data, console=Console(file=io.StringIO()))
        found = open_run(run)
        if found.config["settings"] != dataclasses.asdict(settings):
            raise Fault(f"the run keeps {found.config['settings']}")
        ends.append(found.model.get_weights())
    for one, other in zip(*ends, strict=True):
        if not np.allclose(one, other, rtol=1e-4, atol=1e-5):
            raise Fault(f"the weights differ by {np.abs(one - other).max():.2g}")
    return WORKED


def _without() -> Count:
    from keras_convnets import create_model, memory_efficient

    refused(memory_efficient, "densenet_121", says="model")
    refused(memory_efficient, None, says="model")
    refused(create_model, "lenet_5", memory_efficient=True, says="memory_efficient: received")
    refused(create_model, "lenet_5", memory_efficient="yes", says="memory_efficient: received")
    refused_command("train", "--model", "lenet_5", "--memory-efficient", says="no dense blocks")
    return {REFUSED: 5}
