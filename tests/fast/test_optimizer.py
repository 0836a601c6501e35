"""SGD in one fused operation against Keras' own."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets import fast_optimizer
from keras_convnets.keras_private import FactoredSGD
from keras_convnets.training import DiscriminativeSGD

TOLERANCE = {"float32": 1e-6, "float64": 1e-12, "bfloat16": 2e-2, "float16": 2e-3}
OPTIONS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "weight_decay": 0.01, "clipnorm": 0.5},
    {"momentum": 0.9, "nesterov": True, "global_clipnorm": 0.5, "use_ema": True},
    {"momentum": 0.9, "gradient_accumulation_steps": 2, "clipvalue": 0.1},
]


class SlowDiscriminativeSGD(DiscriminativeSGD):
    update_at = FactoredSGD.update_at


def falling_rate():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)


def steps(optimizer, dtype="float32", rows=None, jit=False):
    """Return the variables of a tiny model and of its optimizer after a few steps."""
    start = np.linspace(-1, 1, 12).reshape(4, 3)
    variables = [keras.Variable(start, dtype=dtype), keras.Variable(start[0], dtype=dtype)]
    optimizer.build(variables)

    @tf.function(jit_compile=jit)
    def step(scale):
        gradients = [tf.sin(3 * one.value) * tf.cast(scale, one.value.dtype) for one in variables]
        if rows is not None:
            gradients[0] = tf.IndexedSlices(tf.gather(gradients[0], rows), rows, (4, 3))
        optimizer.apply(gradients, variables)

    for number in range(4):
        step(tf.constant(1.0 + number))
    return [keras.ops.convert_to_numpy(one) for one in (*variables, *optimizer.variables)]


def assert_equal(fast, own, dtype="float32"):
    assert len(fast) == len(own)
    for one, other in zip(fast, own, strict=True):
        assert one.dtype == other.dtype
        close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
        np.testing.assert_allclose(one.astype(float), other.astype(float), **close)


@pytest.mark.parametrize("options", OPTIONS)
def test_is_keras_update_to_rounding(options):
    own = keras.optimizers.SGD(falling_rate(), **options)
    fast = fast_optimizer(keras.optimizers.SGD(falling_rate(), **options))
    assert_equal(steps(fast), steps(own))


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_computes_in_the_type_of_the_variable(dtype):
    options = {"momentum": 0.9, "nesterov": True}
    fast = fast_optimizer(keras.optimizers.SGD(0.1, **options))
    assert_equal(steps(fast, dtype), steps(keras.optimizers.SGD(0.1, **options), dtype), dtype)


def test_leaves_sparse_gradients_to_keras():
    fast, own = fast_optimizer(keras.optimizers.SGD(0.1)), keras.optimizers.SGD(0.1)
    assert_equal(steps(fast, rows=[0, 2]), steps(own, rows=[0, 2]))


def test_runs_under_xla():
    options = {"momentum": 0.9, "nesterov": True}
    fast = fast_optimizer(keras.optimizers.SGD(0.1, **options))
    assert_equal(steps(fast, jit=True), steps(keras.optimizers.SGD(0.1, **options)))


def test_reaches_the_optimizer_within_loss_scaling():
    scaled = [keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)) for _ in range(2)]
    assert_equal(steps(fast_optimizer(scaled[0])), steps(scaled[1]))
    assert "update_step" in vars(scaled[0].inner_optimizer)


@pytest.mark.parametrize("options", OPTIONS[1:4])
def test_factors_of_variables_hold_in_the_fused_update(options):
    fast = DiscriminativeSGD(falling_rate(), rates=[0.5, 1.0], **options)
    slow = SlowDiscriminativeSGD(falling_rate(), rates=[0.5, 1.0], **options)
    assert_equal(steps(fast), steps(slow))


def test_is_one_operation_a_variable():
    optimizer = fast_optimizer(keras.optimizers.SGD(0.1, momentum=0.9))
    variable = keras.Variable(np.ones((4, 3)))
    optimizer.build([variable])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
    graph = step.get_concrete_function(tf.TensorSpec((4, 3))).graph
    writes = [one.type for one in graph.get_operations() if re.match("Assign|Resource", one.type)]
    assert writes == ["ResourceApplyKerasMomentum", "AssignVariableOp"]  # the other one counts


def test_trains_on_several_devices_as_on_one():
    cpus = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([cpus[0].name])
    found = []
    for wrap in (fast_optimizer, lambda one: one):
        with strategy.scope():
            dense = keras.layers.Dense(2, kernel_initializer="ones")
            model = keras.Sequential([keras.Input((3,)), dense])
            model.compile(wrap(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)), "mse")
        model.fit(np.eye(4, 3), np.ones((4, 2)), batch_size=2, shuffle=False, verbose=0)
        found.append(model.get_weights() + [one.numpy() for one in model.optimizer.variables])
    assert_equal(*found)


def test_saved_files_are_those_of_keras(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(fast_optimizer(keras.optimizers.SGD(0.1, momentum=0.9)), "mse")
    model.fit(np.eye(3), np.ones((3, 2)), verbose=0)
    stored = keras.saving.serialize_keras_object(model.optimizer)
    assert (stored["module"], stored["class_name"]) == ("keras.optimizers", "SGD")
    assert "keras_convnets" not in json.dumps(stored)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert "update_step" not in vars(loaded.optimizer)  # Keras' own, and it goes on from there
    for one in (model, loaded):
        one.fit(np.eye(3), np.ones((3, 2)), verbose=0)
    assert_equal(loaded.get_weights(), model.get_weights())


def test_takes_names_and_leaves_others_alone():
    assert "update_step" in vars(fast_optimizer("sgd"))
    adam = keras.optimizers.Adam()
    assert fast_optimizer(adam) is adam
    assert "update_step" not in vars(adam)

    class Own(keras.optimizers.SGD):
        def update_step(self, *arguments):
            pass

    assert "update_step" not in vars(fast_optimizer(Own()))


@pytest.mark.parametrize("given", [None, {}, 3, "sdg", np.zeros((2, 2)), keras.optimizers.SGD])
def test_what_is_no_optimizer_is_refused(given):
    with pytest.raises(ValueError, match="^optimizer: received .*; expected an optimizer of Keras"):
        fast_optimizer(given)
