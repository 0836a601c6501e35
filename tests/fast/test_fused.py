"""The fused kernel against the operations of Keras' own layer."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_convnets.fast import kernels
from keras_convnets.fast.batch_norm import quicken

TOLERANCE = {"float32": 2e-5, "bfloat16": 2e-2, "float16": 2e-3}
WIDE = (2, 5, 7, 16)


@pytest.fixture(autouse=True)
def small_maps_too(monkeypatch):
    """Run the kernel on maps that are so small that it does not pay."""
    monkeypatch.setattr(kernels, "_SMALLEST", 0)


def pair(shape, dtype="float32", trainable=True, **options):
    """Return Keras' layer and the same one, fast, with the same weights, not the initial ones."""
    policy = dtype if dtype.startswith("float") and dtype != "float16" else f"mixed_{dtype}"
    own, fast = (layers.BatchNormalization(dtype=policy, **options) for _ in range(2))
    random = np.random.default_rng(0)
    own.build(shape)
    quicken(fast).build(shape)
    own.trainable = fast.trainable = trainable
    own.set_weights([random.uniform(0.5, 2, weight.shape) for weight in own.weights])
    fast.set_weights(own.get_weights())
    return own, fast


def images(shape, dtype="float32", mean=3.0, deviation=2.0):
    return tf.cast(np.random.default_rng(1).normal(mean, deviation, shape), dtype)


def step(layer, training=True, **given):
    """Return a function that returns the outputs of a layer and its gradients."""

    def of(x):
        weights = [one.value for one in (layer.gamma, layer.beta) if one is not None]
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            y = layer(x, training=training, **given)
            loss = tf.reduce_sum(tf.cast(y, "float32") ** 3)
        return y, tape.gradient(loss, [x, *weights])

    return of


def runs_fused(function, x):
    """Return whether a function runs the fused kernel."""
    graph = tf.function(function).get_concrete_function(x).graph
    return any("FusedBatchNorm" in operation.type for operation in graph.get_operations())


def assert_same(own, fast, x, fused=True, run=tf.function, **given):
    """Demand the same outputs, gradients and moving statistics, and that the kernel is taken."""
    assert runs_fused(step(fast, **given), x) is fused
    results = []
    for layer in (own, fast):
        y, gradients = run(step(layer, **given))(x)
        assert y.dtype == layer.compute_dtype
        results.append([y, *gradients, *layer.get_weights()])
    for ours, expected in zip(*reversed(results), strict=True):
        expected = tf.cast(expected, "float64").numpy()
        tolerance = TOLERANCE.get(own.compute_dtype, 0) * np.abs(expected).max(initial=1)
        ours = tf.cast(ours, "float64").numpy()
        np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance if fused else 0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("shape", [WIDE, (1, 1, 1, 4), (1, 3, 3, 20), (4, 16, 16, 32)])
def test_training(shape, axis, dtype):
    shape = shape if axis == -1 else (shape[0], shape[3], *shape[1:3])
    own, fast = pair(shape, dtype, axis=axis)
    assert_same(own, fast, images(shape, dtype))


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_inference_and_frozen_layers(dtype, trainable):
    own, fast = pair(WIDE, dtype, trainable)
    only_half = dtype != "float32"
    assert_same(own, fast, images(WIDE, dtype), only_half, training=not trainable)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": False},
        {"center": False},
        {"scale": False, "center": False},
        {"momentum": 0.0, "epsilon": 1e-7},
        {"momentum": 1.0, "epsilon": 1.0},
        {"axis": 3},
        {"axis": -3},
    ],
    ids=str,
)
def test_options(options):
    own, fast = pair(WIDE if options.get("axis") != -3 else (2, 16, 5, 7), **options)
    assert_same(own, fast, images((2, 16, 16, 16)), run=lambda function: function)


def test_a_mean_far_from_zero_costs_no_digits():
    own, fast = pair(WIDE)
    assert_same(own, fast, images(WIDE, mean=1000.0, deviation=30.0))


@pytest.mark.parametrize("axis", [-1, 1])
def test_sizes_that_are_not_known_when_the_graph_is_traced(axis):
    sizes = [None] * 4
    sizes[axis] = 16
    given = {"input_signature": [tf.TensorSpec(sizes)]}
    shape = (2, 16, 5, 7) if axis == 1 else WIDE
    own, fast = pair(shape, axis=axis)
    assert_same(own, fast, images(shape), run=lambda f: tf.function(f, **given))


def test_compiled_by_xla():
    own, fast = pair(WIDE)
    assert_same(own, fast, images(WIDE), run=lambda f: tf.function(f, jit_compile=True))


def test_recomputed_in_the_backward_pass():
    own, fast = pair(WIDE)
    x, found = images(WIDE), []
    for layer in (own, fast):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = keras.remat(lambda x, layer=layer: layer(x, training=True))(x)
            loss = tf.reduce_sum(y**3)
        found.append([tape.gradient(loss, x), *layer.get_weights()])
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-3)


def test_gradients_of_gradients():
    own, fast = pair(WIDE)
    x, found = images(WIDE), []
    for layer in (own, fast):
        with tf.GradientTape() as outer:
            outer.watch(x)
            _, gradients = step(layer)(x)
            loss = sum(tf.reduce_sum(one**2) for one in gradients)
        found.append(outer.gradient(loss, x).numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-4 * np.abs(found[0]).max())


def test_without_side_effects():
    own, fast = pair(WIDE)
    results = []
    for layer in (own, fast):
        states = (
            [one.value for one in layer.trainable_variables],
            [one.value for one in layer.non_trainable_variables],
        )
        before = layer.get_weights()
        y, after = layer.stateless_call(*states, images(WIDE), training=True)
        assert all(map(np.array_equal, before, layer.get_weights()))
        results.append([y, *after])
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


def test_a_batch_without_images():
    for layer in pair(WIDE):
        run = tf.function(step(layer)).get_concrete_function(tf.TensorSpec((None, 5, 7, 16)))
        assert run(tf.zeros((0, 5, 7, 16)))[0].shape == (0, 5, 7, 16)
        assert np.isnan(layer.moving_mean.numpy()).all()


@pytest.mark.parametrize(
    ("shape", "dtype", "options", "given"),
    [
        (WIDE, "float64", {}, {}),
        (WIDE, "float32", {"axis": 2}, {}),
        ((2, 5, 7, 3), "float32", {}, {}),
        ((2, 16), "float32", {}, {}),
        ((2, 5, 16), "float32", {}, {}),
        ((2, 2, 2, 2, 16), "float32", {}, {}),
        (WIDE, "float32", {"synchronized": True}, {}),
        (WIDE, "float32", {"renorm": True}, {}),
        (WIDE, "float32", {}, {"mask": np.arange(70).reshape(2, 5, 7) < 40}),
    ],
    ids=str,
)
def test_what_the_kernel_does_not_compute_is_left_to_keras(shape, dtype, options, given):
    with contextlib.suppress(TypeError) if "renorm" in options else contextlib.nullcontext():
        own, fast = pair(shape, dtype, **options)
        assert_same(own, fast, images(shape, dtype), fused=False, **given)


def test_small_maps_are_left_to_keras(monkeypatch):
    monkeypatch.undo()
    _, fast = pair(WIDE)
    assert not runs_fused(step(fast), images((8, 5, 5, 16)))
    assert runs_fused(step(fast), images((8, 32, 32, 16)))
    assert not runs_fused(step(fast), tf.TensorSpec((None, 1, 1, 16)))
    assert runs_fused(step(fast), tf.TensorSpec((None, 32, 32, 16)))


def test_channels_of_many_values_are_left_to_keras():
    _, fast = pair(WIDE)
    assert runs_fused(step(fast), tf.TensorSpec((16, 128, 128, 16)))
    assert not runs_fused(step(fast), tf.TensorSpec((17, 128, 128, 16)))
    assert not runs_fused(step(fast), tf.TensorSpec((None, 112, 112, 16)))


def test_channels_first_on_a_cpu_without_onednn_is_left_to_keras(monkeypatch):
    monkeypatch.setattr(kernels, "convolution_runs", lambda: False)
    own, fast = pair((2, 16, 5, 7), axis=1)
    assert_same(own, fast, images((2, 16, 5, 7)), fused=False)


def test_half_precision_in_inference_is_left_to_keras_on_a_gpu(monkeypatch):
    own, fast = pair(WIDE, "bfloat16")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert_same(own, fast, images(WIDE, "bfloat16"), fused=False, training=False)
