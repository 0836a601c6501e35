"""Caffe's networks, written down in PyTorch once more.

Caffe's pooling is unpadded and rounds sizes up: PyTorch's ``ceil_mode``. Its local response
normalisation divides alpha by the number of channels, as PyTorch's does.
"""

import pytest

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

    def flat(self, x):
        """Return vectors in the order in which Keras flattens: rows, columns, channels."""
        return x.permute(0, 2, 3, 1).flatten(1)


def max_pool(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def lrn(x):
    return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)


def alexnet_caffe(layers, x, norm=lrn, pool=max_pool):
    x = pool(norm(layers.conv("conv1_conv", x, 4)))
    x = pool(norm(layers.conv("conv2_conv", x, 1, 2, groups=2)))
    x = layers.conv("conv4_conv", layers.conv("conv3_conv", x, 1, 1), 1, 1, groups=2)
    x = pool(layers.conv("conv5_conv", x, 1, 1, groups=2))
    x = layers.hidden("head_dense2", layers.hidden("head_dense", layers.flat(x)))
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


def googlenet(layers, x, auxiliary_heads=True):
    x = lrn(max_pool(layers.conv("conv1_conv", x, 2, 3)))
    x = max_pool(lrn(layers.conv("conv2_conv2", layers.conv("conv2_conv", x), 1, 1)))
    auxiliary = []
    for stage, rows in enumerate(GOOGLENET, start=3):
        for block in range(1, len(rows) + 1):
            x = inception(layers, f"inception{stage}_block{block}", x)
            if auxiliary_heads and (stage, block) in ((4, 1), (4, 4)):
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
    return layers.dense(f"{name}_dense2", layers.hidden(f"{name}_dense", layers.flat(x)))
