"""Models that would train to the end and be wrong: refused before a folder is made."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from rich.console import Console

from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.predict import predict
from keras_convnets.training import RECIPES, Data, Preprocessing, SavedRun, train
from keras_convnets.training.run.configuration import check_run
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.reloads import check_reloads

SHAPE = (8, 8, 1)
RANDOM = np.random.default_rng(0)
LABELS = np.arange(40) % 2
IMAGES = (RANDOM.integers(0, 128, (40, *SHAPE)) + 120 * LABELS[:, None, None, None]).astype("uint8")
QUICK = RECIPES["quick"].replace(epochs=1, batch_size=16)


@pytest.fixture(scope="module")
def data():
    return Data.from_arrays(IMAGES, LABELS)


def net(x, activation="softmax", **head):
    return layers.Dense(2, activation=activation, **head)(layers.Flatten()(x))


def before(layer=None, shape=SHAPE, **given):
    x = keras.Input(shape, **given)
    return keras.Model(x, net(x if layer is None else layer(x)))


def after(layer, activation="softmax"):
    x = keras.Input(SHAPE)
    return keras.Model(x, layer(net(x, activation)))


def of_class(kind):
    x = keras.Input(SHAPE)
    return kind(x, net(x))


def in_a_dict(what):
    x = keras.Input(SHAPE, name="x")
    y = net(x)
    return keras.Model({"x": x} if what == "input" else x, {"y": y} if what == "output" else y)


class OwnCall(keras.Model):
    def call(self, x, training=None, mask=None):
        return super().call(x)


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


ANYWHERE = {
    "a batch": (lambda: before(batch_size=16), "takes 16 images at a time; expected any number"),
    "uint8": (lambda: before(layers.Rescaling(1.0), dtype="uint8"), "takes images of type uint8"),
    "sparse": (lambda: before(sparse=True), "takes sparse images"),
    "flat": (lambda: before(shape=(64,)), r"takes inputs of \(None, 64\); expected images"),
    "1d": (lambda: before(shape=(8, 8)), r"takes inputs of \(None, 8, 8\)"),
    "video": (lambda: before(shape=(1, 8, 8, 1)), r"takes inputs of \(None, 1, 8, 8, 1\)"),
    "input": (lambda: in_a_dict("input"), "has its input in a dict; expected a tensor"),
    "output": (lambda: in_a_dict("output"), "has its output in a dict; expected a tensor"),
    "call": (lambda: of_class(OwnCall), r"OwnCall, has a call\(\) of its own"),
    "twice": (lambda: after(layers.Softmax()), "comes after a softmax"),
    "mixed": (lambda: after(layers.Activation("sigmoid")), "comes after a softmax"),
}


@pytest.mark.parametrize("kind", ANYWHERE)
def test_what_is_no_classifier_of_images_is_refused_wherever_it_is_used(kind, data):
    build, words = ANYWHERE[kind]
    model = build()
    run = SavedRun(Path("run"), model, data.preprocessing, data.class_names, None)
    for use in (
        lambda: train(model, data, "run", QUICK),
        lambda: evaluate(model, data.test, data.preprocessing),
        lambda: predict(run, ["image.png"]),
    ):
        with pytest.raises(ValueError, match=f"^model: .*{words}"):
            use()
    assert not Path("run").exists()
    if kind in ("flat", "1d", "video", "a batch", "uint8", "output"):
        model.save("model.keras")
        with pytest.raises(ValueError, match=f"^model: .*{words}"):
            open_pretrained(Path("model.keras"))


def frozen():
    model = before()
    model.trainable = False
    return model


def broken():
    model = before()
    values = model.get_weights()
    values[0][0, 0] = np.nan
    model.set_weights(values)
    return model


def under(policy):
    keras.config.set_dtype_policy(policy)
    try:
        return before()
    finally:
        keras.config.set_dtype_policy("float32")


def quantized():
    model = before()
    model.layers[-1].quantize("int8")
    return model


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (frozen, "has nothing to train: all its weights are frozen"),
        (lambda: after(keras.ops.stop_gradient, None), "no gradient reaches its weights"),
        (broken, "has NaN or infinity in 1 of 2 weights, dense.*/kernel the first"),
        (lambda: under("float16"), "keeps the weight dense.*kernel in float16"),
        (lambda: under("mixed_float16"), "outputs probabilities in float16"),
        (quantized, r"is quantized \(int8_from_float32\)"),
        (lambda: of_class(OwnStep), r"OwnStep, has a train_step\(\) of its own"),
        (lambda: before(layers.Rescaling(1 / 255)), r"scales images itself \(layer 'rescaling"),
        (
            lambda: before(layers.Normalization(mean=120.0, variance=3600.0)),
            "scales images itself .layer 'normalization.*preprocessing=Preprocessing.1, 8, 8, sc",
        ),
        (lambda: before(layers.Lambda(lambda x: x)), "cannot be loaded again once it is saved"),
    ],
)
def test_what_would_not_learn_is_not_trained(build, words, data):
    with pytest.raises(ValueError, match=f"^model: .*{words}") as caught:
        train(build(), data, "run", QUICK)
    assert "\n" not in str(caught.value)
    assert not Path("run").exists()


def test_a_weight_that_outputs_hide_is_found(data):
    x = keras.Input(SHAPE)
    model = keras.Model(x, net(layers.Conv2D(2, 3, activation="relu")(x)))
    values = model.get_weights()
    values[0][0, 0, 0, 0] = np.nan
    model.set_weights(values)
    with pytest.raises(ValueError, match="NaN or infinity"):
        evaluate(model, data.test, data.preprocessing)


def test_what_scales_pixels_takes_pixels():
    as_they_are = Preprocessing(1, 8, 8, scale=1)
    raw = Data.from_arrays(IMAGES, LABELS, preprocessing=as_they_are)
    for scale in (1 / 255, 1 / 127.5):
        check_run(before(layers.Rescaling(scale)), raw, QUICK)
    normalised = Data.from_arrays(IMAGES, LABELS)
    check_run(before(layers.Rescaling(2.0, -1)), normalised, QUICK)
    scaled_later = [layers.Conv2D(2, 3), layers.Rescaling(1e-3), layers.Flatten(), layers.Dense(2)]
    after_weights = keras.Sequential([keras.Input(SHAPE), *scaled_later])
    check_run(after_weights, normalised, QUICK)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_inputs_of_other_floats_are_right(dtype, data):
    model = before(dtype=dtype)
    check_run(model, data, QUICK)
    same = before()
    same.set_weights(model.get_weights())
    found, expected = (evaluate(one, data.test, data.preprocessing) for one in (model, same))
    assert np.allclose(found.probabilities, expected.probabilities, atol=0.02)


@keras.saving.register_keras_serializable("test_learnable")
class Scaled(layers.Layer):
    def __init__(self, factor=1.0, **given):
        super().__init__(**given)
        self.factor = factor

    def call(self, x):
        return x * self.factor


@keras.saving.register_keras_serializable("test_learnable")
class Forgetful(Scaled):
    def get_config(self):
        config = super().get_config()
        config.pop("factor", None)
        return config


class Unregistered(layers.Layer):
    def call(self, x):
        return x


def doubled(x):
    return 2 * x


def test_a_model_that_is_another_once_it_is_loaded():
    check_reloads(before(Scaled(3.0)), (1, 8, 8), 10)
    for layer, words in (
        (Forgetful(3.0), "something else once it is saved and loaded, because of Forgetful of"),
        (Unregistered(), "loaded again once it is saved, because of Unregistered of .* locate"),
        (layers.Activation(doubled), "loaded again once it is saved, because of doubled of"),
    ):
        with pytest.raises(ValueError, match=words):
            check_reloads(before(layer), (1, 8, 8), 10)


@pytest.mark.parametrize("of", [Forgetful, Unregistered])
def test_classes_of_the_script_that_is_run_are_tried_too(of, monkeypatch):
    monkeypatch.setattr(of, "__module__", "__main__")  # Keras then writes no module
    layer = of(3.0) if of is Forgetful else of()
    with pytest.raises(ValueError, match=rf"once it is saved.*{of.__name__} of __main__"):
        check_reloads(before(layer), (1, 8, 8), 10)


def test_an_error_before_the_first_step_leaves_no_folder(data):
    @keras.saving.register_keras_serializable("test_learnable")
    class Broken(layers.Layer):
        def call(self, x, training=False):
            if training:
                raise RuntimeError("of the user's own")
            return x

    with pytest.raises(RuntimeError, match="of the user's own"):
        train(before(Broken()), data, "deep/run", QUICK, console=Console(quiet=True))
    assert not Path("deep").exists()


def test_what_is_replaced_and_what_tests_nothing_is_said(data, capsys):
    model = before()
    model.compile("adam", "mse")
    same = Data.from_arrays(IMAGES, LABELS, IMAGES[:20], LABELS[:20])
    train(model, same, "run", QUICK, console=Console(width=200))
    shown = capsys.readouterr().out
    assert f"replace those that {model.name} was compiled with" in shown
    assert "all test images are also training images" in shown


def test_a_begun_run_goes_on_whatever_its_model(data):
    with pytest.raises(ValueError, match="nothing to train"):
        check_run(frozen(), data, QUICK)
    check_run(frozen(), data, QUICK, is_begun=True)


def test_predictions_are_for_as_many_classes_as_there_are_names(data):
    run = SavedRun(Path("run"), before(), data.preprocessing, ("a", "b", "c"), None)
    with pytest.raises(ValueError, match="is for 2 classes; expected 3, as many as there are"):
        predict(run, ["image.png"])
