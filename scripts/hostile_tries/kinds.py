"""Kinds of models that people have, by name, and what each use of them must come to."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SHAPE = (8, 8, 1)
CLASSES = 10
USES = ("train", "fine-tune", "evaluate", "predict")
ALL, NONE = frozenset(USES), frozenset[str]()
# A new head or a model loaded anew may be right where the model itself is not.
TESTS = frozenset({"evaluate", "predict"})
BUT_TRAIN = ALL - {"train"}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes:
        build: a function that builds one.
        works: the uses that must work; all others must be refused with a line.
    """

    build: Callable[[], Any]
    works: frozenset[str]


KINDS: dict[str, Kind] = {}


def kind(works: frozenset[str]) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Return a decorator for a function that builds a model of a kind, which has its name."""

    def add(build: Callable[[], Any]) -> Callable[[], Any]:
        KINDS[build.__name__] = Kind(build, works)
        return build

    return add


def net(x: Any, outputs: int = CLASSES, activation: Any = "softmax", **head: Any) -> Any:
    x = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(outputs, activation=activation, name="head", **head)(x)


def before(layer: Any, **given: Any) -> keras.Model:
    """Return a network after a layer."""
    x = keras.Input(SHAPE, **given)
    return keras.Model(x, net(layer(x)))


def after(layer: Any, activation: Any = "softmax") -> keras.Model:
    """Return a network with a layer after it."""
    x = keras.Input(SHAPE)
    return keras.Model(x, layer(net(x, activation=activation)))


def of_shape(*shape: int | None, **given: Any) -> keras.Model:
    x = keras.Input(shape, **given)
    return keras.Model(x, net(x))


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def simple() -> None:
    """Add the kinds that take a line each."""
    lines: dict[str, tuple[frozenset[str], Callable[[], Any]]] = {
        "plain": (ALL, lambda: of_shape(*SHAPE)),
        "any size": (ALL, lambda: of_shape(None, None, 1)),
        "float16 input": (ALL, lambda: of_shape(*SHAPE, dtype="float16")),
        "bfloat16 input": (ALL, lambda: of_shape(*SHAPE, dtype="bfloat16")),
        "float64 input": (ALL, lambda: of_shape(*SHAPE, dtype="float64")),
        "fixed batch": (NONE, lambda: of_shape(*SHAPE, batch_size=32)),
        "int32 input": (NONE, lambda: of_shape(*SHAPE, dtype="int32")),
        "sparse input": (NONE, lambda: of_shape(*SHAPE, sparse=True)),
        "three channels": (NONE, lambda: of_shape(8, 8, 3)),
        "two channels": (NONE, lambda: of_shape(8, 8, 2)),
        "other rows": (NONE, lambda: of_shape(16, 8, 1)),
        "other cols": (NONE, lambda: of_shape(8, None, 2)),
        "uint8 input": (NONE, lambda: before(layers.Rescaling(1 / 255), dtype="uint8")),
        "bool input": (
            NONE, lambda: before(lambda x: keras.ops.cast(x, "float32"), dtype="bool")
        ),
        "augmentation": (
            ALL,
            lambda: before(lambda x: layers.RandomFlip()(layers.RandomRotation(0.1)(x))),
        ),
        "noise": (ALL, lambda: before(layers.GaussianNoise(0.1))),
        "normalisation inside": (ALL, lambda: before(layers.BatchNormalization())),
        "spread of pixels": (NONE, lambda: before(layers.Rescaling(1 / 255))),
        "spread of pixels, -1": (NONE, lambda: before(layers.Rescaling(1 / 127.5, -1))),
        "spread undone": (TESTS, lambda: before(layers.Rescaling(255.0))),
        "small spread": (ALL, lambda: before(layers.Rescaling(2.0, -1))),
        "statistics of pixels": (
            NONE, lambda: before(layers.Normalization(mean=120.0, variance=3600.0))
        ),
        "lambda": (TESTS, lambda: before(layers.Lambda(lambda x: x * 2))),
        "dropout last": (ALL, lambda: after(layers.Dropout(0.5), None)),
        "softmax apart": (ALL, lambda: after(layers.Softmax(), None)),
        "softmax twice": (NONE, lambda: after(layers.Softmax())),
        "sigmoid twice": (NONE, lambda: after(layers.Activation("sigmoid"), "sigmoid")),
        "softmax of sigmoids": (NONE, lambda: after(keras.ops.softmax, "sigmoid")),
        "tanh": (NONE, lambda: after(layers.Identity(), "tanh")),
        "relu": (NONE, lambda: after(layers.Identity(), "relu")),
        "constant": (NONE, lambda: after(lambda y: y * 0.0 + 0.1)),
        "a number": (NONE, lambda: after(lambda y: keras.ops.mean(y, axis=-1))),
        "no gradient": (TESTS, lambda: after(keras.ops.stop_gradient, None)),
        "no model": (NONE, lambda: "resnet_18"),
        "no model, None": (NONE, lambda: None),
        "a layer": (NONE, lambda: layers.Dense(10)),
        "unbuilt": (NONE, lambda: keras.Sequential([layers.Flatten(), layers.Dense(10)])),
        "sequential": (
            ALL,
            lambda: keras.Sequential(
                [keras.Input(SHAPE), layers.Flatten(), layers.Dense(10, activation="softmax")]
            ),
        ),
    }  # fmt: skip
    for name, (works, build) in lines.items():
        KINDS[name] = Kind(build, works)


simple()


def _of_outputs(count: int, activation: str = "softmax") -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, net(x, count, activation))


# A new head has as many outputs as the data have classes; `evaluate` takes more outputs than these.
KINDS["nine outputs"] = Kind(lambda: _of_outputs(9), frozenset({"fine-tune"}))
KINDS["eleven outputs"] = Kind(lambda: _of_outputs(11), frozenset({"fine-tune", "evaluate"}))
KINDS["one output"] = Kind(lambda: _of_outputs(1, "sigmoid"), frozenset({"fine-tune"}))


@kind(NONE)
def outputs_in_a_dict() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, {"classes": net(x)})


@kind(ALL)
def output_in_a_list() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, [net(x)])


@kind(ALL)
def input_in_a_list() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model([x], net(x))


@kind(NONE)
def input_in_a_dict() -> keras.Model:
    x = keras.Input(SHAPE, name="image")
    return keras.Model({"image": x}, net(x))


@kind(NONE)
def two_inputs() -> keras.Model:
    x, y = keras.Input(SHAPE), keras.Input(SHAPE)
    return keras.Model([x, y], net(layers.Add()([x, y])))


@kind(frozenset({"evaluate"}))
def two_outputs() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, [net(x), layers.Dense(10)(layers.Flatten()(x))])


@kind(NONE)
def flat() -> keras.Model:
    x = keras.Input((64,))
    return keras.Model(x, layers.Dense(10)(x))


@kind(NONE)
def one_dimensional() -> keras.Model:
    x = keras.Input((8, 8))
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(layers.Conv1D(3, 3)(x))))


@kind(NONE)
def video() -> keras.Model:
    x = keras.Input((4, 8, 8, 1))
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(layers.Conv3D(3, 3)(x))))


@kind(NONE)
def per_pixel() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, layers.Conv2D(10, 1)(x))


@kind(NONE)
def classes_unknown() -> keras.Model:
    x = keras.Input((None, 8, 1))
    return keras.Model(x, keras.ops.mean(x, axis=(2, 3)))


@kind(ALL)
def any_channels() -> keras.Model:
    x = keras.Input((8, 8, None))
    y = keras.ops.mean(x, axis=(1, 2, 3))
    return keras.Model(x, layers.Dense(10)(y[:, None]))


@kind(ALL)
def no_data_format() -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, layers.Dense(10)(layers.Reshape((64,))(x)))


@kind(ALL)
def channels_first() -> keras.Model:
    x = keras.Input((1, 8, 8))
    y = layers.Conv2D(3, 3, data_format="channels_first")(x)
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(y)))


@kind(NONE)
def both_data_formats() -> keras.Model:
    x = keras.Input(SHAPE)
    y = layers.Permute((3, 1, 2))(x)
    y = layers.Conv2D(3, 3, data_format="channels_first")(y)
    return keras.Model(x, layers.Dense(10)(layers.Flatten()(y)))


@kind(BUT_TRAIN)
def frozen() -> keras.Model:
    model = of_shape(*SHAPE)
    model.trainable = False
    return model


@kind(NONE)
def nan_weight() -> keras.Model:
    model = of_shape(*SHAPE)
    values = model.get_weights()
    values[0][0, 0, 0, 0] = np.nan
    model.set_weights(values)
    return model


@kind(NONE)
def infinite_statistic() -> keras.Model:
    model = before(layers.BatchNormalization())
    values = model.get_weights()
    values[2][:] = np.inf
    model.set_weights(values)
    return model


@kind(ALL)
def compiled() -> keras.Model:
    model = of_shape(*SHAPE)
    model.compile("adam", "mse", metrics=["mae"])
    return model


@kind(ALL)
def shared_layer() -> keras.Model:
    x, conv = keras.Input(SHAPE), layers.Conv2D(1, 3, padding="same")
    return keras.Model(x, net(conv(conv(x))))


@kind(ALL)
def frozen_model_inside() -> keras.Model:
    x = keras.Input(SHAPE)
    inner = keras.Model(x, layers.Conv2D(3, 3)(x))
    inner.trainable = False
    y = keras.Input(SHAPE)
    return keras.Model(y, net(inner(y)))


@kind(TESTS)
def quantized() -> keras.Model:
    model = of_shape(*SHAPE)
    model.quantize("int8")
    return model


@kind(TESTS)
def float16_outputs() -> keras.Model:
    with policy("mixed_float16"):
        return of_shape(*SHAPE)


@kind(TESTS)
def float16_weights() -> keras.Model:
    with policy("float16"):
        return of_shape(*SHAPE)


@kind(ALL)
def mixed_with_float32_outputs() -> keras.Model:
    with policy("mixed_bfloat16"):
        x = keras.Input(SHAPE)
        return keras.Model(x, net(x, dtype="float32"))


class Subclassed(keras.Model):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.flatten, self.dense = layers.Flatten(), layers.Dense(10)

    def call(self, x: Any) -> Any:
        return self.dense(self.flatten(x))


class OwnStep(keras.Model):
    def train_step(self, data: Any) -> Any:
        return {"loss": tf.constant(0.0), "accuracy": tf.constant(1.0)}


class OwnCall(keras.Model):
    def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
        return keras.ops.zeros_like(super().call(x))


class Unregistered(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2


@keras.saving.register_keras_serializable("hostile")
class Registered(Unregistered):
    pass


@keras.saving.register_keras_serializable("hostile")
class Forgetful(layers.Layer):
    """Its configuration lacks an argument."""

    def __init__(self, factor: float = 1.0, **given: Any) -> None:
        super().__init__(**given)
        self.factor = factor

    def get_config(self) -> dict[str, Any]:
        return super().get_config()

    def call(self, x: Any) -> Any:
        return x * self.factor


@keras.saving.register_keras_serializable("hostile")
class Hidden(layers.Layer):
    """It has a state that is no weight, another in each."""

    made = 0

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        Hidden.made += 1
        self.factor = 1.0 + Hidden.made % 2 / 4

    def call(self, x: Any) -> Any:
        return x * self.factor


def _double(x: Any) -> Any:
    return x * 2


def _subclassed() -> keras.Model:
    model = Subclassed()
    model(np.zeros((1, *SHAPE), "float32"))
    return model


def _of_class(kind: type[keras.Model]) -> keras.Model:
    x = keras.Input(SHAPE)
    return kind(x, net(x))


def _head(**given: Any) -> keras.Model:
    x = keras.Input(SHAPE)
    return keras.Model(x, net(x, **given))


_LOADED = TESTS | {"fine-tune"}  # once loaded, it is what it is
KINDS |= {
    "subclassed": Kind(_subclassed, NONE),
    "subclassed inside": Kind(lambda: after(lambda y: layers.Softmax()(y)), NONE),
    "own train_step": Kind(lambda: _of_class(OwnStep), TESTS),
    "own call": Kind(lambda: _of_class(OwnCall), NONE),
    "own class, unregistered": Kind(lambda: before(Unregistered()), TESTS),
    "own class, registered": Kind(lambda: before(Registered()), ALL),
    "own class, forgetful": Kind(lambda: before(Forgetful(3.0)), _LOADED),
    "own class, hidden state": Kind(lambda: before(Hidden()), TESTS),
    "own activation": Kind(lambda: before(layers.Activation(_double)), TESTS),
    "own activation, a lambda": Kind(lambda: before(layers.Activation(lambda x: x)), TESTS),
    "own initializer": Kind(
        lambda: _head(kernel_initializer=lambda shape, dtype=None: tf.zeros(shape)), TESTS
    ),
    "own regularizer": Kind(lambda: _head(kernel_regularizer=lambda w: 0 * tf.norm(w)), TESTS),
}
KINDS["subclassed inside"] = Kind(
    lambda: keras.Model(x := keras.Input(SHAPE), layers.Softmax()(Subclassed()(x))), TESTS
)
