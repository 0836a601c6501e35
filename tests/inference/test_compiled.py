"""The compiled function of a model: made once, right whatever happens to the model, and freed."""

import gc
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import FORMATS, lively, skip_where_it_cannot_run
from keras_convnets import ResnetBuilder
from keras_convnets.inference.compiled import forward, kept, to_numpy

IMAGES = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
TRACES = []


@keras.saving.register_keras_serializable("test_compiled")
class Traced(keras.layers.Layer):
    """A layer that counts its traces, and multiplies by an attribute."""

    factor = 1.0

    def __init__(self, **options):
        super().__init__(**options)
        self.factors = [{"of": 1.0}, {"of": 2.0}]

    def call(self, inputs):
        if not tf.executing_eagerly():
            TRACES.append(self.name)
        for factor in self.factors:
            inputs = inputs * factor["of"]
        return inputs * self.factor


def sequential(*layers):
    keras.utils.set_random_seed(1)
    ends = keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), Traced(), *layers, *ends])
    TRACES.clear()  # Keras has called the layers to learn their shapes
    return model


def run(model, images=IMAGES):
    return to_numpy(forward(model)(images))


def compiled(model, images=IMAGES):
    return tf.function(lambda x: model(x, training=False))(tf.constant(images)).numpy()


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_outputs_are_bit_for_bit_those_of_the_compiled_model(data_format, precision):
    skip_where_it_cannot_run(data_format, precision)
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        options = {"data_format": data_format}
        model = lively(ResnetBuilder.build((1, 8, 8), 3, "basic_block", (1,), **options))
    finally:
        keras.config.set_dtype_policy(before)
    images = IMAGES if data_format == "channels_last" else IMAGES.transpose(0, 3, 1, 2)
    found = run(model, images)
    assert found.dtype == np.float32
    assert np.ptp(found, axis=0).max() > 0.01
    for count in (5, 1):
        assert np.array_equal(run(model, images[:count]), compiled(model, images[:count]))


def test_one_trace_serves_batches_of_any_number():
    model = sequential()
    for count in (5, 1, 3, 5, 2, 4):
        assert len(run(model, IMAGES[:count])) == count
    assert len(TRACES) == 1


def test_images_of_any_size_need_one_trace():
    pooled = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((None, None, 1)), Traced(), *pooled])
    TRACES.clear()
    for side in (8, 5, 8, 2):
        assert np.array_equal(run(model, IMAGES[:, :side]), compiled(model, IMAGES[:, :side]))
    assert TRACES.count(model.layers[0].name) == 1 + 4  # ours, and one of each comparison


def test_weights_are_read_where_they_are():
    model = sequential()
    before = run(model)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    changed = run(model)
    assert np.abs(changed - before).max() > 0
    model.compile("sgd", "sparse_categorical_crossentropy")
    TRACES.clear()
    model.fit(IMAGES, np.arange(5) % 3, verbose=0)
    TRACES.clear()
    assert np.abs(run(model) - changed).max() > 1e-4
    assert np.array_equal(run(model), compiled(model))
    assert len(TRACES) == 1  # of the comparison


def _quickened(model):
    traced = model.layers[0]
    traced.call = lambda inputs: inputs * 3.0


def _by_attribute(model):
    model.layers[0].factor = 0.5


def _by_an_item(model):
    model.layers[0].factors.pop()


def _within_an_item(model):
    model.layers[0].factors[1]["of"] = 0.5


def _other_activation(model):
    model.layers[-1].activation = keras.activations.sigmoid


def _other_policy(model):
    for layer in model.layers:
        layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")


def _new_head(model):
    model.pop()
    model.add(keras.layers.Dense(4))


def _quantized(model):
    model.layers[-1].quantize("int8")


@pytest.mark.parametrize(
    "change",
    [
        _quickened,
        _by_attribute,
        _by_an_item,
        _within_an_item,
        _other_activation,
        _other_policy,
        _new_head,
        _quantized,
    ],
)
def test_a_model_that_was_changed_gets_another_function(change):
    model = sequential()
    before = run(model)
    change(model)
    found = run(model)
    assert np.array_equal(found, np.float32(compiled(model)))
    assert not np.array_equal(found, before)


def test_a_change_within_a_nested_model():
    inner = keras.Sequential([keras.Input((8, 8, 1)), Traced()])
    outer = sequential(inner)
    before = run(outer)
    inner.layers[0].factor = 4.0
    assert np.abs(run(outer) - before).max() > 1e-4
    inner.add(keras.layers.ReLU())
    assert np.array_equal(run(outer), compiled(outer))


def test_frozen_layers():
    model = sequential(keras.layers.BatchNormalization())
    before = run(model)
    for layer in model.layers:
        layer.trainable = False
    assert np.array_equal(run(model), before)
    assert np.array_equal(run(model), compiled(model))


def test_training_changes_nothing_that_makes_another_function():
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((1, 8, 8), 3, "basic_block", (1,))
    model.compile("sgd", "sparse_categorical_crossentropy")
    function = forward(model)
    for _ in range(2):
        model.fit(IMAGES, np.arange(5) % 3, verbose=0)
        model.evaluate(IMAGES, np.arange(5) % 3, verbose=0)
        model(IMAGES)
        assert forward(model) is function


def test_what_is_kept_depends_on_what_it_was_made_of():
    made, of_model = [], kept(sequential())
    for of in (1, 1, 2, 2, 1):
        of_model.get("it", lambda _, of=of: made.append(of), of=of)
    assert made == [1, 2, 1]


def test_a_model_is_freed_with_its_function():
    model = sequential()
    run(model)
    weak, kernel = weakref.ref(model), weakref.ref(model.layers[-1].kernel)
    del model
    gc.collect()
    assert weak() is None
    assert kernel() is None


def test_a_saved_model_and_a_copy_have_none_of_it():
    model = sequential()
    expected = run(model)
    model.save("model.keras")
    again = keras.saving.load_model("model.keras")
    copy = keras.models.clone_model(model)
    assert np.array_equal(run(again), expected)
    assert len({id(forward(one)) for one in (model, again, copy)}) == 3


def test_threads_share_one_function():
    model = sequential()
    expected, found = {n: compiled(model, IMAGES[:n]) for n in (1, 2, 5)}, []
    TRACES.clear()

    def work(count):
        for _ in range(5):
            found.append(np.array_equal(run(model, IMAGES[:count]), expected[count]))

    threads = [threading.Thread(target=work, args=(count,)) for count in (1, 2, 5, 1, 2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 30
    assert len(TRACES) == 1
