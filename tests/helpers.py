"""What several tests need to say."""

import functools

import keras
import numpy as np

FORMATS = ("channels_first", "channels_last")


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


def lively(model, seed=0):
    """Give every weight a value that matters: no two layers can be swapped unnoticed.

    Kernels are halved, so that the outputs of a deep network do not saturate.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        values = [
            0.5 * weight
            if weight.ndim > 1
            else weight + 0.1 * np.abs(rng.standard_normal(weight.shape))
            for weight in layer.get_weights()
        ]
        layer.set_weights(values)
    return model


@functools.cache
def application(name):
    """Return a network of keras.applications, without the values of its weights."""
    with keras.StatelessScope(initialize_variables=False):
        return getattr(keras.applications, name)(weights=None)
