"""What several tests need to say."""

import functools

import keras
import numpy as np

from keras_convnets import cli, create_model

FORMATS = ("channels_first", "channels_last")


def outline(name, /, *args, **options):
    """Build a network without its weights' values: enough for names, counts and shapes."""
    with keras.StatelessScope(initialize_variables=False):
        return create_model(name, *args, **options)


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


def settled(model, x):
    """Move the normalisations' statistics half way to those of these images.

    With statistics that are not its own, a deep network without shortcuts puts out the same for
    any image; with exactly its own, dividing by a small variance magnifies rounding.
    """
    normalisations = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in normalisations]
    for layer in normalisations:
        layer.momentum = 0.5
    model(x, training=True)
    for layer, momentum in zip(normalisations, momenta, strict=True):
        layer.momentum = momentum
    return model


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
        model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        model.train_on_batch(x, np.arange(count))
        trained.append(model.get_weights())
        changed = [np.abs(w - old).max() for w, old in zip(trained[-1], weights, strict=True)]
        assert all(change > 0 for change, w in zip(changed, weights, strict=True) if w.ndim > 1)
    return outputs, trained


@functools.cache
def application(name):
    """Return a network of keras.applications, without the values of its weights."""
    with keras.StatelessScope(initialize_variables=False):
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
