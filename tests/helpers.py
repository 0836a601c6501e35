"""What several tests need to say."""

import contextlib
import functools
import math
from unittest import mock

import keras
import numpy as np
import pytest

from keras_convnets import cli, create_model, list_models
from keras_convnets.channels_first import convolution_runs
from keras_convnets.keras_private import without_values
from keras_convnets.zoo import find

FORMATS = ("channels_first", "channels_last")
SIZES = (16, 28, 32, 48, 64, 75, 96, 128, 160, 224)


def skip_where_it_cannot_run(data_format, policy):
    """Skip a test of convolutions for which this processor has no kernel."""
    dtype = keras.dtype_policies.get(policy).compute_dtype
    if data_format == "channels_first" and not convolution_runs(dtype):
        pytest.skip(f"TensorFlow has no channels_first convolution in {dtype} on this CPU")


def outline(name, /, *args, **options):
    """Build a network without its weights' values: enough for names, counts and shapes."""
    with without_values():
        return create_model(name, *args, **options)


@functools.cache
def first_of_each_builder():
    """Return the network that each builder lists first: a small one of its family."""
    builders = {}
    for name in list_models():
        builders.setdefault(find(name).builder, name)
    return list(builders.values())


def smallest(name, **options):
    """Return the smallest of some square images that a network takes, and its outline for it.

    None is smaller than an eighth of the published one: to be refused costs half of a network.
    """
    channels, rows, _ = find(name).published.input_shape
    for size in (size for size in SIZES if size >= rows / 8):
        shape = (channels, size, size)
        try:
            return shape, outline(name, input_shape=shape, **options)
        except ValueError:
            continue
    raise AssertionError(f"{name} takes no image of {SIZES}")


@contextlib.contextmanager
def blank_kernels():
    """Let kernels start as zeros: quicker, where other values take their place at once."""
    zeros = lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype)  # noqa: E731
    with mock.patch.object(keras.initializers.VarianceScaling, "__call__", zeros):
        yield


def images(input_shape, data_format, count=2, seed=0):
    """Return the same random images in either data format."""
    batch = np.random.default_rng(seed).standard_normal((count, *input_shape)).astype("float32")
    return batch if data_format == "channels_first" else np.moveaxis(batch, 1, -1)


def channels_first(array, data_format):
    """Return feature maps channels first; vectors as they are."""
    array = keras.ops.convert_to_numpy(array)
    return (
        np.moveaxis(array, -1, 1) if array.ndim == 4 and data_format == "channels_last" else array
    )


def lively(model, seed=0, kernels=0.5):
    """Give every weight a value that matters: no two layers can be swapped unnoticed.

    Kernels are multiplied by ``kernels``, so that the outputs of a deep network do not saturate.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        values = [
            kernels * weight
            if weight.ndim > 1
            else weight + 0.1 * np.abs(rng.standard_normal(weight.shape))
            for weight in layer.get_weights()
        ]
        layer.set_weights(values)
    return model


def random_state(model, seed=0, kernels=0.5):
    """Return a lively value for each variable: for an outline, to compute without making weights.

    Kernels are as He et al. (2015) initialise them, multiplied by ``kernels``. The values are those
    of the trainable variables and those of the others, as ``stateless_call`` takes them. In a
    kernel of over half a million weights, they repeat.
    """
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(1_000_003, "float32")

    def value(variable):
        first, size = rng.integers(normal.size // 2), math.prod(variable.shape)
        noise = np.resize(normal[first : first + size], variable.shape)
        if len(variable.shape) > 1:
            return noise * np.float32(kernels * np.sqrt(2 / np.prod(variable.shape[:-1])))
        start = 1 if variable.name in ("gamma", "moving_variance") else 0
        return (start + 0.1 * np.abs(noise)).astype(variable.dtype)

    variables = model.trainable_variables, model.non_trainable_variables
    return [[value(variable) for variable in kind] for kind in variables]


def passing_on(model, state):
    """Return the state with kernels that add to their outputs what they are given, as it is.

    Each channel of the inputs goes to the output of the same number, where there is one.
    """

    def changed(kernel):
        if kernel.ndim != 4:
            return kernel
        rows, cols, *channels = kernel.shape
        same = range(min(channels))
        kernel = kernel.copy()
        kernel[rows // 2, cols // 2, same, same] += 1
        return kernel

    return [[changed(value) for value in state[0]], state[1]]


def filled(model, state):
    """Give a model's variables the values of a state, and return it."""
    for variables, values in zip(
        (model.trainable_variables, model.non_trainable_variables), state, strict=True
    ):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    return model


def settled_state(model, state, x):
    """Return the state with the normalisations' statistics half way to those of these images.

    With statistics that are not its own, a deep network without shortcuts returns the same for
    any image; with exactly its own, dividing by a small variance magnifies rounding.
    """
    normalisations = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in normalisations]
    for layer in normalisations:
        layer.momentum = 0.5
    _, others = model.stateless_call(*state, x, training=True)
    for layer, momentum in zip(normalisations, momenta, strict=True):
        layer.momentum = momentum
    return [state[0], others]


def computed(model, state, x):
    """Return all outputs of a model with these values of its variables, as arrays."""
    outputs, _ = model.stateless_call(*state, x)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def run_eagerly():
    """Return whether steps run as they are written: a graph of hundreds of layers takes a minute
    to make. Keras' other backends have no such mode that trains faster."""
    return keras.backend.backend() == "tensorflow"


def in_both_formats(build, input_shape, count=4):
    """Return what a network of either format computes, and its weights after a step of training.

    ``build(data_format)`` makes the network. Both have the same weights; no units are dropped, for
    which ones are depends on the order of the axes.
    """
    outputs, trained, weights = [], [], None
    for data_format in FORMATS:
        model = build(data_format)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0
        weights = lively(model).get_weights() if weights is None else weights
        model.set_weights(weights)
        x = images(input_shape, data_format, count)
        outputs.append(channels_first(model(x), data_format))
        optimizer = keras.optimizers.SGD(0.01)
        model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=run_eagerly())
        model.train_on_batch(x, np.arange(count))
        trained.append(model.get_weights())
        changed = [np.abs(w - old).max() for w, old in zip(trained[-1], weights, strict=True)]
        assert all(change > 0 for change, w in zip(changed, weights, strict=True) if w.ndim > 1)
    return outputs, trained


@functools.cache
def application(name):
    """Return a network of keras.applications, without the values of its weights."""
    with without_values():
        return getattr(keras.applications, name)(weights=None)


def refusal(arguments, capfd):
    """Return the line in which the command refuses its arguments: it does nothing else."""
    try:
        code = cli.main(arguments)
    except SystemExit as stop:  # argparse's own way out
        code = stop.code
    out, err = capfd.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("keras-convnets: error: ")
    assert err.count("\n") == 1
    return err
