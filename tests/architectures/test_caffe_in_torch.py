"""Networks after Caffe compute the same as their definitions, written down in PyTorch once more.

Caffe's pooling is unpadded and rounds sizes up: PyTorch's ``ceil_mode``. Its local response
normalisation divides alpha by the number of channels, as PyTorch's does.
"""

import keras
import numpy as np
import pytest

from helpers import computed, images, outline, random_state
from keras_convnets import units
from keras_convnets.architectures.inception.googlenet import GOOGLENET

torch = pytest.importorskip("torch", reason="networks after Caffe are compared with PyTorch")
F = torch.nn.functional


class Layers:
    """The weights of a Keras model, by which the functions below compute in PyTorch."""

    def __init__(self, model, state):
        values = zip(model.trainable_variables, state[0], strict=True)
        self.values = {variable.path: torch.from_numpy(value) for variable, value in values}
        self.used = set()

    def weights(self, layer):
        self.used |= {f"{layer}/kernel", f"{layer}/bias"}
        return self.values[f"{layer}/kernel"], self.values[f"{layer}/bias"]

    def conv(self, layer, x, stride=1, pad=0, groups=1):
        kernel, bias = self.weights(layer)
        return F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, pad, groups=groups).relu()

    def dense(self, layer, x):
        kernel, bias = self.weights(layer)
        return x @ kernel + bias

    def hidden(self, layer, x):
        return self.dense(layer, x).relu()


def max_pool(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def lrn(x):
    return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)


def flat(x):
    """Return vectors in the order in which Keras flattens: rows, columns, channels."""
    return x.permute(0, 2, 3, 1).flatten(1)


def alexnet_caffe(layers, x, norm=lrn, pool=max_pool):
    x = pool(norm(layers.conv("conv1_conv", x, 4)))
    x = pool(norm(layers.conv("conv2_conv", x, 1, 2, groups=2)))
    x = layers.conv("conv4_conv", layers.conv("conv3_conv", x, 1, 1), 1, 1, groups=2)
    x = pool(layers.conv("conv5_conv", x, 1, 1, groups=2))
    x = layers.hidden("head_dense2", layers.hidden("head_dense", flat(x)))
    return [layers.dense("head_dense3", x)]


def alexnet_original(layers, x):
    """As in the paper: alpha is not divided, and pooling drops what its windows do not reach."""
    norm = lambda x: F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)  # noqa: E731
    return alexnet_caffe(layers, x, norm, lambda x: F.max_pool2d(x, 3, 2))


def cifar_nin(layers, x):
    x = max_pool(mlpconv(layers, "conv1", x, 1, 2))
    x = F.avg_pool2d(mlpconv(layers, "conv2", x, 1, 2), 3, 2, ceil_mode=True)
    return [mlpconv(layers, "head", x, 1, 1).mean((2, 3))]


def nin(layers, x):
    x = max_pool(mlpconv(layers, "conv1", x, 4, 0))
    x = max_pool(mlpconv(layers, "conv2", x, 1, 2))
    x = max_pool(mlpconv(layers, "conv3", x, 1, 1))
    return [mlpconv(layers, "head", x, 1, 1).mean((2, 3))]


def mlpconv(layers, stage, x, stride, pad):
    x = layers.conv(f"{stage}_conv", x, stride, pad)
    return layers.conv(f"{stage}_conv3", layers.conv(f"{stage}_conv2", x))


def googlenet(layers, x):
    x = lrn(max_pool(layers.conv("conv1_conv", x, 2, 3)))
    x = max_pool(lrn(layers.conv("conv2_conv2", layers.conv("conv2_conv", x), 1, 1)))
    auxiliary = []
    for stage, rows in enumerate(GOOGLENET, start=3):
        for block in range(1, len(rows) + 1):
            x = inception(layers, f"inception{stage}_block{block}", x)
            if (stage, block) in ((4, 1), (4, 4)):
                auxiliary.append(loss(layers, f"aux{len(auxiliary) + 1}", x))
        x = max_pool(x) if stage < 5 else x
    return [layers.dense("head_dense", x.mean((2, 3))), *auxiliary]


def inception(layers, block, x):
    three = layers.conv(f"{block}_branch3x3_conv", x)
    five = layers.conv(f"{block}_branch5x5_conv", x)
    branches = [
        layers.conv(f"{block}_branch1x1_conv", x),
        layers.conv(f"{block}_branch3x3_conv2", three, 1, 1),
        layers.conv(f"{block}_branch5x5_conv2", five, 1, 2),
        layers.conv(f"{block}_branch_pool_conv", F.max_pool2d(x, 3, 1, 1)),
    ]
    return torch.cat(branches, 1)


def loss(layers, name, x):
    x = layers.conv(f"{name}_conv", F.avg_pool2d(x, 5, 3, ceil_mode=True))
    return layers.dense(f"{name}_dense2", layers.hidden(f"{name}_dense", flat(x)))


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
