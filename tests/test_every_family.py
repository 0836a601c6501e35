"""What a network of each family is held to with weights of its own: saving, loading, training."""

import functools

import keras
import numpy as np
import pytest

from helpers import (
    FORMATS,
    blank_kernels,
    filled,
    first_of_each_builder,
    images,
    random_state,
    run_eagerly,
    smallest,
)
from keras_convnets import (
    DensenetBuilder,
    ResnetBuilder,
    ResnetV2Builder,
    ResnextBuilder,
    SeResnetBuilder,
    create_model,
)

OUTPUTS = 4
# Where the first network of a builder has 50 layers or more, a tiny configuration of its family is
# saved and trained: the same blocks, at the input's resolution and at half of it. The networks
# themselves are held to their golden numbers, names and values by the tests of every network.
TINY = {
    "densenet_121": (DensenetBuilder.build, (2, 2)),
    "resnet_50": (ResnetBuilder.build, "bottleneck", (2, 1)),
    "resnet_v2_50": (ResnetV2Builder.build, "bottleneck_v2", (2, 1)),
    "resnext_50_32x4d": (ResnextBuilder.build, (2, 1)),
    "se_resnet_50": (SeResnetBuilder.build, (2, 1)),
}


@functools.cache
def smallest_shape(name):
    return smallest(name, num_outputs=OUTPUTS)[0]


def small(name, shape, **options):
    """Return the network of that name, or a tiny configuration of its family."""
    if name not in TINY:
        return create_model(name, shape, OUTPUTS, **options)
    build, *row = TINY[name]
    return build(shape, OUTPUTS, *row, **options)


def outputs_of(model, x):
    """Return all outputs of a model as they come: one, or the main one and auxiliary ones."""
    found = model(x)
    return found if isinstance(found, list) else [found]


@pytest.mark.slow
@pytest.mark.parametrize("name", first_of_each_builder())
def test_saved_exactly(name, tmp_path):
    shape = smallest_shape(name)
    for data_format in FORMATS:
        with blank_kernels():
            model = small(name, shape, data_format=data_format)
            filled(model, random_state(model))
            model.save("model.keras")
            loaded = keras.models.load_model("model.keras")
        x = images(shape, data_format)
        for one, other in zip(outputs_of(model, x), outputs_of(loaded, x), strict=True):
            assert np.abs(np.subtract(one, other)).max() == 0
        names = [[layer.name for layer in one.layers] for one in (model, loaded)]
        assert names[0] == names[1]
    model.save_weights("model.weights.h5")
    loaded.set_weights([np.zeros_like(weight) for weight in loaded.get_weights()])
    loaded.load_weights("model.weights.h5")
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", first_of_each_builder())
def test_training_steps_lower_the_loss(name, data_format):
    keras.utils.set_random_seed(0)
    shape = smallest_shape(name)
    # Without weight decay and dropout, what a small step lowers is the loss of this batch.
    model = small(name, shape, data_format=data_format, l2_penalty=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    x, y = images(shape, data_format, count=8), np.arange(8) % OUTPUTS
    targets = [y] * len(model.outputs) if len(model.outputs) > 1 else y
    model.compile(
        keras.optimizers.SGD(1e-5), "sparse_categorical_crossentropy", run_eagerly=run_eagerly()
    )
    losses = [np.ravel(model.train_on_batch(x, targets))[0] for _ in range(3)]
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.slow
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", ["resnet_18", "resnet_50", "lenet_5"])
def test_compile_fit_evaluate_predict(name, data_format):
    keras.utils.set_random_seed(0)
    shape = (1, 32, 32)
    model = small(name, shape, data_format=data_format)
    x, y = images(shape, data_format, count=8), np.arange(8) % OUTPUTS
    model.compile(
        keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(x, y, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert np.isfinite(model.evaluate(x, y, verbose=0)).all()
    probabilities = model.predict(x, verbose=0)
    assert probabilities.shape == (8, OUTPUTS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
