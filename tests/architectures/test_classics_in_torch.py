"""The classic builder's networks and LeNet-5 compute what their sources do, at any size.

They stand here once more, in PyTorch: the Keras 2 ``ResnetBuilder`` with TensorFlow's padding, and
LeNet-5 after the paper's section II.B.
"""

import functools

import pytest

from keras_convnets.architectures.lenet import C3
from torch_layers import F, check_logits, in_float64, logits_of, torch


def same(x, window, stride):
    """Pad with zeros as TensorFlow does: one more after than before, if the number is odd."""
    around = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        around += [total // 2, total - total // 2]
    return F.pad(x, around)


def conv(net, layer, x, window, stride=1):
    return net.conv(layer, same(x, window, stride), stride, pad=0, bias=True)


def classic_block(net, block, x, stride, first, windows):
    """Return BN, ReLU and a convolution for each window, and the raw input projected."""
    y = x
    for n, window in enumerate(windows, start=1):
        bn = n - 1 if first else n
        y = net.bn_relu(f"{block}_bn{bn}", y) if bn else y
        y = conv(net, f"{block}_conv{n}", y, window, stride if n == 1 else 1)
    if x.shape != y.shape:
        x = net.conv(f"{block}_shortcut_conv", x, stride, bias=True)
    return x + y


def classic(net, x, counts, windows):
    x = net.bn_relu("conv1_bn", conv(net, "conv1_conv", x, 7, 2))
    x = F.max_pool2d(same(x, 3, 2), 3, 2)  # after a ReLU
    for stage, count in enumerate(counts, start=2):
        for n in range(1, count + 1):
            stride = 2 if n == 1 and stage > 2 else 1
            x = classic_block(net, f"conv{stage}_block{n}", x, stride, stage * n == 2, windows)
    return net.means_to_logits(net.bn_relu("final_bn", x))


@pytest.mark.parametrize(
    ("name", "counts", "windows"),
    [
        ("resnet_18", (2, 2, 2, 2), (3, 3)),
        pytest.param("resnet_50", (3, 4, 6, 3), (1, 3, 1), marks=pytest.mark.slow),
    ],
)
def test_the_classic_builder(name, counts, windows):
    network = functools.partial(classic, counts=counts, windows=windows)
    with in_float64():
        model = logits_of(name, (3, None, None))
        sizes = ((97, 65), (131, 99))
        check_logits(f"{name} | Keras 2 builder", network, model, sizes, epsilon=1e-3)


def flat(x):
    """Return vectors in the order in which Keras flattens: rows, columns, channels."""
    return x.permute(0, 2, 3, 1).flatten(1)


def lenet(net, x):
    for layer in ("conv1_conv", "conv2_conv"):
        x = F.avg_pool2d(net.conv(layer, x, pad=0, bias=True).tanh(), 2)
    x = net.dense("head_dense", flat(x)).tanh()
    return net.dense("head_dense3", net.dense("head_dense2", x).tanh())


def squash(x):
    return 1.7159 * torch.tanh(2 / 3 * x)


def subsampling(net, layer, x):
    scale = net.get(f"{layer}_scale/kernel").reshape(1, -1, 1, 1)
    shift = net.get(f"{layer}_scale/bias").reshape(1, -1, 1, 1)
    return squash(F.avg_pool2d(x, 2) * scale + shift)


def original_lenet(net, x):
    x = subsampling(net, "s2", squash(net.conv("c1_conv", x, pad=0, bias=True)))
    channels = []
    for maps in C3:  # those of S2 that a channel of C3 takes
        layer = f"c3_from{len(maps)}_conv"
        n = len([other for other in channels if other[0] == layer])
        kernel = net.get(f"{layer}/kernel")[..., n : n + 1].permute(3, 2, 0, 1)
        shift = net.get(f"{layer}/bias")[n : n + 1]
        channels.append((layer, F.conv2d(x[:, list(maps)], kernel, shift)))
    x = squash(torch.cat([channel for _, channel in channels], 1))
    x = squash(net.conv("c5_conv", subsampling(net, "s4", x), pad=0, bias=True))
    return net.dense("head_dense2", squash(net.dense("head_dense", flat(x))))


@pytest.mark.parametrize(
    ("name", "network"), [("lenet_5", lenet), ("lenet_5_original", original_lenet)]
)
@pytest.mark.parametrize("size", [(32, 32), (45, 37)])
def test_lenet_5(name, network, size):
    with in_float64():
        model = logits_of(name, (1, *size))
        check_logits(f"{name} | LeCun et al.", network, model, (size,), kernels=1)
