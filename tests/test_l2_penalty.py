"""The L2 penalty that a network has by default: its source's."""

import keras
import numpy as np
import pytest

from helpers import run_eagerly
from keras_convnets import ResnetBuilder, conv, create_model
from keras_convnets.keras_private import without_values

CLASSES = 100


def penalty_in_loss_of(model):
    """Return the loss of a first training step without its cross-entropy."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, *model.input_shape[1:])).astype("float32")
    y = rng.integers(0, CLASSES, 16)
    probabilities = np.asarray(model(x, training=True), "float64")
    entropy = -np.log(probabilities[np.arange(16), y]).mean()
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=run_eagerly())
    (total,) = np.ravel(model.train_on_batch(x, y))
    print(f"{model.name}: loss {total:.3f}, cross-entropy {entropy:.3f}")
    return total - entropy


def test_the_first_loss_of_a_network_without_penalties_is_the_cross_entropy():
    keras.utils.set_random_seed(0)
    assert penalty_in_loss_of(
        create_model("cifar_resnet_20", (3, 16, 16), CLASSES)
    ) == pytest.approx(0, abs=1e-5)


def test_the_first_loss_of_the_classic_builder_has_its_penalty():
    keras.utils.set_random_seed(0)
    model = ResnetBuilder.build((3, 16, 16), CLASSES, "basic_block", (1,))
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    expected = 1e-4 * sum(float(keras.ops.sum(kernel**2)) for kernel in kernels)
    assert penalty_in_loss_of(model) == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize(("given", "factor"), [(None, 1e-4), (0, None), (0.5, 0.5)])
def test_an_explicit_penalty_is_used_as_it_is(given, factor):
    for name, default in (("resnet_18", 1e-4), ("notes_mnist_inception", None)):
        with without_values():
            model = create_model(name, (1, 32, 32), 10, l2_penalty=given)
        assert penalties_of(model) == {default if given is None else factor}


def test_a_block_on_its_own_has_no_penalty():
    assert conv(8, 3)(keras.Input((8, 8, 3)))._keras_history.operation.kernel_regularizer is None


def penalties_of(model):
    """Return the factors of the penalties of a model's convolutions; dense layers have none."""
    kernels = [layer for layer in model.layers if hasattr(layer, "kernel_regularizer")]
    *convolutions, dense = (layer.kernel_regularizer for layer in kernels)
    assert dense is None
    return {penalty and float(f"{float(penalty.l2):g}") for penalty in convolutions}
