"""Models of random layers compute the same after folding, or are refused in a line."""

import os
import random
import warnings

import keras
import numpy as np
import pytest
from foldable import lively

from keras_convnets import fold, fold_report_of
from random_models import Maker

_NORM = "BatchNormalization"
OFTEN = (
    *(_NORM,) * 9,
    *(f"{kind}{rank}D" for kind in ("Conv", "AveragePooling") for rank in (1, 2, 3)),
    *("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "Flatten"),
    *("Conv1DTranspose", "Conv2DTranspose", "GlobalAveragePooling2D", "Dropout", "Identity"),
    *("Dense", "Dense", "Conv2D", "Conv2D"),
)


class Normalising(Maker):
    """Makes models with many normalisations, some beside layers that can take them."""

    def layer(self, name):
        is_often = self.r.random() < 0.85 or name.startswith("Adaptive")  # which end the process
        super().layer(self.r.choice(OFTEN) if is_often else name)

    def add(self, result):
        """Refuse tensors of no or of unknown size: TensorFlow ends the process on some of them."""
        if any(not size for x in keras.tree.flatten(result) for size in x.shape[1:]):
            raise ValueError
        super().add(result)


def values(rng, tensor):
    shape = [2, *(size or 6 for size in tensor.shape[1:])]
    if str(tensor.dtype) == "string":
        return keras.ops.convert_to_tensor(np.full(shape, "a"))
    if "int" in str(tensor.dtype):
        return rng.integers(0, 3, shape).astype(tensor.dtype)
    return rng.standard_normal(shape).astype(tensor.dtype)


def computed(model, given):
    outputs = keras.tree.flatten(model(given[0] if len(given) == 1 else given, training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def anything(r):
    return Normalising(r).model(r.randint(2, 12))


def tried(seed, make=anything):
    """Return how many normalisations of a random model were folded, of how many."""
    r = random.Random(seed)
    keras.utils.clear_session(free_memory=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras, about masks that are lost, for example
        model = lively(make(r), seed)
        rng = np.random.default_rng(seed)
        given = [values(rng, one) for one in model.inputs]
        try:
            expected = computed(model, given)
        except Exception:  # TensorFlow cannot compute it, with channels first for example
            return 0, 0
        try:
            folded = fold(model)
        except ValueError as error:
            assert "cannot be copied" in str(error), seed
            return 0, 0
        found = computed(folded, given)
    for one, other in zip(expected, found, strict=True):
        assert one.shape == other.shape, seed
        if one.dtype.kind == "f":
            size = np.abs(one[np.isfinite(one)]).max(initial=1e-6)
            np.testing.assert_allclose(one / size, other / size, atol=1e-4, err_msg=str(seed))
    report = fold_report_of(folded)
    return report.folded, len(report.rows)


def chain(r):
    """Return a network of random layers in a row, many of which can take a normalisation."""
    first = r.random() < 0.4
    form = {"data_format": "channels_first" if first else "channels_last"}
    x = inputs = keras.Input((4, 9, 9) if first else (9, 9, 4))
    for _ in range(r.randint(3, 9)):
        settings = {**form, "padding": r.choice(["valid", "same"]), "use_bias": r.random() < 0.5}
        size = r.choice([1, 1, 2, 3])
        layer = r.choice(
            [
                keras.layers.Conv2D(
                    r.choice([2, 4, 6]), size, groups=r.choice([1, 1, 2]), **settings
                ),
                keras.layers.DepthwiseConv2D(size, depth_multiplier=r.choice([1, 2]), **settings),
                keras.layers.SeparableConv2D(r.choice([2, 4, 6]), size, **settings),
                keras.layers.Conv2DTranspose(r.choice([2, 4, 6]), size, **settings),
                *(norm(r, 1 if first else 3) for _ in range(6)),
                keras.layers.ReLU(),
                keras.layers.Dropout(0.5),
                keras.layers.AveragePooling2D(2, 1, padding=r.choice(["valid", "same"]), **form),
            ]
        )
        if min(x.shape[2:] if first else x.shape[1:3]) > 2:
            x = layer(x)
    end = r.choice([keras.layers.Flatten(**form), keras.layers.GlobalAveragePooling2D(**form)])
    x = end(norm(r, 1 if first else 3)(x))
    return keras.Model(inputs, norm(r, 1)(keras.layers.Dense(5)(x)))


def norm(r, axis):
    return keras.layers.BatchNormalization(
        axis, center=r.random() < 0.8, scale=r.random() < 0.8, epsilon=r.choice([1e-3, 1e-5])
    )


@pytest.mark.slow
def test_random_models():
    found = np.sum([tried(seed) for seed in range(40)], axis=0)
    assert found[1] > 20


@pytest.mark.slow
def test_random_chains():
    found = np.sum([tried(seed, chain) for seed in range(24)], axis=0)
    assert 30 < found[0] < found[1]


@pytest.mark.skipif(
    "KERAS_CONVNETS_TEST_DEEP" not in os.environ, reason="the other models are asked by .ci/run"
)
def test_many_more_random_models():
    found = np.sum([tried(seed) for seed in range(40, 240)], axis=0)
    assert 0 < found[0] < found[1]
