"""What is faster must compute the same: random batch normalisations, of every kind and size."""

from __future__ import annotations

import functools
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hostile_tries.forks import Fault
from hostile_tries.trying import WORKED, Count, Try, refused
from keras_convnets import fast_batch_norm
from keras_convnets.fast import kernels
from keras_convnets.fast.batch_norm import quicken

_LAYERS = 40
_TOLERANCE = {"float32": 3e-5, "bfloat16": 2e-2, "float16": 4e-3}
_POLICIES = ("float32", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16", "float64")
_SIZES = (1, 1, 2, 3, 5, 8, 17)
_CHANNELS = (1, 3, 4, 8, 12, 16, 20, 32, 33)
_WRONG = {"nothing": None, "a name": "resnet_18", "a list": [1], "a class": keras.Model}


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    for seed in range(4):
        yield Try(f"random layers, {seed}", functools.partial(_layers, seed), 120.0)
    yield Try("two devices", _devices)
    yield Try("a file opened by Keras alone", functools.partial(_opened, place))
    for name, wrong in _WRONG.items():
        yield Try(f"{name} for a model", functools.partial(refused, fast_batch_norm, wrong))


def _layers(seed: int) -> Count:
    """Compare random layers on random tensors with Keras' own."""
    kernels._SMALLEST = 0  # so that the kernel runs on tensors that are compared quickly
    drawn = random.Random(seed)
    for _ in range(_LAYERS // 4):
        _compare(drawn)
    return {WORKED: _LAYERS // 4}


def _compare(drawn: random.Random) -> None:
    rank = drawn.choice((2, 3, 4, 4, 4, 4, 5))
    shape = [drawn.choice(_SIZES) for _ in range(rank)]
    axis = drawn.choice((-1, -1, 1, rank - 1, 1 - rank))
    shape[axis] = drawn.choice(_CHANNELS)
    options = {
        "axis": axis,
        "momentum": drawn.choice((0.0, 0.9, 0.99, 1.0)),
        "epsilon": drawn.choice((1e-7, 1e-5, 1e-3, 0.5)),
        "scale": drawn.random() < 0.8,
        "center": drawn.random() < 0.8,
        "synchronized": drawn.random() < 0.1,
        "trainable": drawn.random() < 0.8,
        "dtype": drawn.choice(_POLICIES),
    }
    training = drawn.choice((True, True, False, None))
    values = np.random.default_rng(drawn.getrandbits(32))
    images = values.normal(drawn.choice((0, 5)), drawn.choice((0.5, 3)), shape)
    states: list[list[np.ndarray]] = []
    own, fast = (keras.layers.BatchNormalization(**options) for _ in range(2))
    own.build(shape)
    quicken(fast).build(shape)
    own.set_weights([values.uniform(0.5, 2, weight.shape) for weight in own.weights])
    fast.set_weights(own.get_weights())
    run = drawn.choice((_step, tf.function(_step), tf.function(_step, reduce_retracing=True)))
    for layer in (own, fast):
        states.append(run_of(run, layer, tf.cast(images, layer.compute_dtype), training))
    for place, (expected, found) in enumerate(zip(*states, strict=True)):
        bound = _TOLERANCE.get(own.compute_dtype, 0) * max(1, np.abs(expected).max(initial=0))
        if not np.allclose(found, expected, rtol=0, atol=bound, equal_nan=True):
            worst = np.abs(found - expected).max()
            raise Fault(f"{shape}, {options}, training={training}: {worst} at {place}")


def run_of(run: Any, layer: Any, images: Any, training: bool | None) -> list[np.ndarray]:
    """Return the outputs of a layer, its gradients and its weights, in 64 bits."""
    y, gradients = run(layer, images, training)
    if y.dtype != layer.compute_dtype:
        raise Fault(f"outputs are {y.dtype}, not {layer.compute_dtype}")
    found = [y, *gradients, *layer.weights]
    return [tf.cast(tensor, "float64").numpy() for tensor in found]


def _step(layer: Any, images: Any, training: bool | None) -> Any:
    weights = [one.value for one in (layer.gamma, layer.beta) if one is not None]
    with tf.GradientTape() as tape:
        tape.watch([images, *weights])
        y = layer(images, training=training)
        loss = tf.reduce_sum(tf.sin(tf.cast(y, "float32")))
    return y, tape.gradient(loss, [images, *weights])


def _devices() -> str:
    """Train on two devices: weights and moving statistics are those of Keras' own layers."""
    kernels._SMALLEST = 0
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    images = np.random.default_rng(0).normal(size=(8, 6, 6, 16)).astype("float32")
    found = []
    for change in (fast_batch_norm, lambda model: model):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            norm = keras.layers.BatchNormalization()
            layers = [keras.Input((6, 6, 16)), norm, keras.layers.ReLU()]
            model = change(keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()]))
            model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(images, images.mean((1, 2)), batch_size=4, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for ours, own in zip(*found, strict=True):
        if not np.allclose(ours, own, rtol=0, atol=1e-5):
            raise Fault(f"differs by {np.abs(ours - own).max()}")
    return WORKED


def _opened(place: Path) -> str:
    """Open a file where this package is never imported."""
    file = place / "fast.keras"
    layers = [keras.Input((4, 4, 3)), keras.layers.BatchNormalization()]
    fast_batch_norm(keras.Sequential(layers)).save(file)
    code = (
        "import sys, keras; model = keras.models.load_model(sys.argv[1]); "
        "sys.exit('keras_convnets' in sys.modules or len(model.weights) != 4)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(file)], cwd=place, capture_output=True)
    if ended.returncode:
        raise Fault(ended.stderr.decode()[-500:])
    return WORKED
