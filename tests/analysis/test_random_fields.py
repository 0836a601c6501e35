"""Receptive fields of random models of all kinds of layers contain what changes their units."""

import itertools
import random
import warnings

import keras
import numpy as np
import pytest

import random_models
from keras_convnets import receptive_field
from keras_convnets.graph.walk import walk
from random_models import Maker

if keras.backend.backend() != "tensorflow":
    pytest.skip("channels_first runs on CPUs with TensorFlow only", allow_module_level=True)


def model_of(r):
    """Return a model of one image, sequence or volume, or ``None``."""
    maker = Maker(r)
    image = maker.start("iiiiisd")
    maker.start = maker.within = None  # no other input: Keras' refusals and these are left out
    keras.config.set_image_data_format(r.choice(random_models.FORMATS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = maker.model(r.randint(2, 7))
    # Adaptive pooling to more units than there are ends TensorFlow's process.
    adaptive = any(layer.name.startswith("adaptive") for layer in model.layers)
    return None if adaptive or None in image.shape[1:] else model


def known_calls(model):
    """Return the calls whose fields are known, without those of layers that are used again."""
    fields = receptive_field(model)
    calls = walk(model)
    names = [call.name for call in calls]
    return [
        (call, fields[call.name])
        for call in calls
        if not call.is_input
        and names.count(call.name) == 1
        and not fields[call.name].unknown
        and call.outputs[0].dtype == "float32"
        and call.outputs[0].shape
        and call.outputs[0].symbol.shape[0] is None
    ]


def changes(model, calls, numbers):
    """Return for each call whether each pixel of the image changes each of its values."""
    image = model.inputs[0].shape[1:]
    is_first = calls[0].data_format == "channels_first"
    places = list(np.ndindex(image[1:] if is_first else image[:-1]))
    batch = np.repeat(numbers.normal(size=(1, *image)) * 3, len(places) + 1, axis=0)
    for index, place in enumerate(places, 1):
        batch[(index, slice(None), *place) if is_first else (index, *place)] += numbers.normal()
    read = keras.Model(model.inputs[0], [call.outputs[0].symbol for call in calls])
    for found in keras.tree.flatten(read(batch.astype("float32"), training=False)):
        values = keras.ops.convert_to_numpy(found)
        differ = np.abs(values[1:] - values[:1]) > 1e-3 * (1 + np.abs(values[:1]))
        yield places, differ.any(axis=1 if is_first else -1)


def check(seed):
    r, numbers = random.Random(seed), np.random.default_rng(seed)
    model = model_of(r)
    known = known_calls(model) if model else []
    if not known:
        return 0
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(numbers.normal(size=weight.shape) ** 2)
    calls, fields = zip(*known, strict=True)
    try:
        measured = list(changes(model, calls, numbers))
    except Exception:  # Keras or TensorFlow cannot compute what they could build
        return 0
    for field, (places, differ) in zip(fields, measured, strict=True):
        for unit in np.ndindex(differ.shape[1:]):
            box = field.at(*unit)
            for place in itertools.compress(places, differ[(slice(None), *unit)]):
                inside = all(
                    range_ and range_[0] <= at <= range_[1]
                    for at, range_ in zip(place, box, strict=True)
                )
                assert inside, f"seed {seed}: {place} changes unit {unit} of {field}: {box}"
    return len(known)


@pytest.mark.slow
def test_what_changes_a_unit_lies_in_its_field():
    before = keras.config.image_data_format()
    try:
        assert sum(check(seed) for seed in range(600)) > 333
    finally:
        keras.config.set_image_data_format(before)
