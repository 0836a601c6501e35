"""Networks after Caffe compute the same as their definitions, written down in PyTorch once more."""

import keras
import numpy as np
import pytest

from caffe_in_torch import (
    F,
    Layers,
    alexnet_caffe,
    alexnet_original,
    cifar_nin,
    googlenet,
    nin,
    torch,
)
from helpers import computed, images, outline, random_state
from keras_convnets import units


@pytest.mark.parametrize(
    ("name", "network", "sizes"),
    [
        pytest.param(
            "alexnet_caffe", alexnet_caffe, [(105, 79), (83, 109)], marks=pytest.mark.slow
        ),
        pytest.param("alexnet_original", alexnet_original, [(105, 79)], marks=pytest.mark.slow),
        ("cifar_nin", cifar_nin, [(33, 35), (37, 27)]),
        ("nin", nin, [(97, 65), (75, 103)]),
        pytest.param("googlenet", googlenet, [(193, 97), (125, 157)], marks=pytest.mark.slow),
    ],
)
def test_logits(name, network, sizes):
    for rows, cols in sizes:
        options = {"num_outputs": 10, "classifier_activation": None}
        model = outline(name, input_shape=(3, rows, cols), data_format="channels_last", **options)
        state = random_state(model, kernels=1)
        layers = Layers(model, state)
        # Strong images: otherwise the normalisation would divide by nearly one.
        x = 30 * images((3, rows, cols), "channels_first") * np.float32([[[[1]]], [[[3]]]])
        expected = [output.numpy() for output in network(layers, torch.from_numpy(x))]
        assert layers.used == layers.values.keys()
        found = computed(model, state, np.moveaxis(x, 1, -1))
        differences = []
        for one, other in zip(found, expected, strict=True):
            spread = np.ptp(other, axis=-1).max()
            assert spread > 0.1 * np.abs(other).max()
            differences.append(np.abs(one - other).max() / spread)
        print(
            f"| {name} | Caffe, in PyTorch | {rows} x {cols} | float32 | {max(differences):.1e} |"
        )
        assert max(differences) < 1e-5


@pytest.mark.parametrize("size", [2, 3, 6, 7, 9, 12])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pooling_as_in_caffe_is_that_of_ceil_mode(kind, size):
    x = np.abs(images((2, size, size + 3), "channels_first"))
    pools = {
        "max": (units.caffe_max_pool, F.max_pool2d),
        "avg": (units.caffe_avg_pool, F.avg_pool2d),
    }
    ours, theirs = pools[kind]
    for window, strides in ((3, 2), (5, 3), (2, 2)):
        if size > window - strides:
            expected = theirs(torch.tensor(x), window, strides, ceil_mode=True).numpy()
            found = keras.ops.convert_to_numpy(ours(window, strides)(np.moveaxis(x, 1, -1)))
            np.testing.assert_allclose(np.moveaxis(found, -1, 1), expected, rtol=1e-6)
