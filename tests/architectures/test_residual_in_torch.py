"""Residual, plain and dense networks compute the same as their sources, at any size.

The networks stand here once more, in PyTorch, written after the sources: the papers' tables, the
authors' Caffe models and Torch code, timm. Nothing of this package's blocks is used; weights have
the names of its layers.
"""

import functools

import pytest

from torch_layers import F, check_logits, in_float64, logits_of, torch

LARGE, SMALL = ((97, 65), (131, 99)), ((33, 31), (45, 37))


def zeros_and_every_second_pixel(net, block, x, y, stride):
    """Option A: no parameters."""
    x = x[:, :, ::stride, ::stride]
    return torch.cat([x, x.new_zeros(len(x), y.shape[1] - x.shape[1], *x.shape[2:])], 1)


def projection(net, block, x, y, stride, always=False):
    """Options B and C, with batch normalisation."""
    if x.shape == y.shape and not always:
        return x
    return net.bn(f"{block}_shortcut_bn", net.conv(f"{block}_shortcut_conv", x, stride))


def gate(net, block, x):
    """Squeeze and excitation, before the addition."""
    means = x.mean((2, 3), keepdim=True)
    hidden = net.conv(f"{block}_se_conv", means, bias=True).relu()
    return x * net.conv(f"{block}_se_conv2", hidden, bias=True).sigmoid()


def no_gate(net, block, x):
    return x


def post_activation(net, block, x, stride, first, *, strided, shortcut=projection, gate=no_gate):
    """A block of 2015: ``strided`` is the number of the convolution that has the stride."""
    convs = 3 if net.has(f"{block}_conv3") else 2
    y = x
    for n in range(1, convs + 1):
        y = net.conv(f"{block}_conv{n}", y, stride if n == strided else 1)
        y = net.bn(f"{block}_bn{n}", y)
        y = y.relu() if n < convs else gate(net, block, y)
    return (shortcut(net, block, x, y, stride) + y).relu()


def pre_activation(net, block, x, stride, first, *, strided, option_a=False, first_begins=False):
    """A block of 2016; the first one follows BN and ReLU unless ``first_begins`` with its own."""
    convs = 3 if net.has(f"{block}_conv3") else 2
    begins = first_begins or not first
    active = net.bn_relu(f"{block}_bn1", x) if begins else x
    y = net.conv(f"{block}_conv1", active, stride if strided == 1 else 1)
    for n in range(2, convs + 1):
        y = net.bn_relu(f"{block}_bn{n if begins else n - 1}", y)
        y = net.conv(f"{block}_conv{n}", y, stride if strided == n else 1)
    if x.shape == y.shape:
        return x + y
    if option_a:
        return zeros_and_every_second_pixel(net, block, active, y, stride) + y
    return net.conv(f"{block}_shortcut_conv", active, stride) + y


def no_shortcut(net, block, x, stride, first):
    x = net.bn_relu(f"{block}_bn1", net.conv(f"{block}_conv1", x, stride))
    return net.bn_relu(f"{block}_bn2", net.conv(f"{block}_conv2", x))


def conv_bn_relu(net, x, stride):
    return net.bn_relu("conv1_bn", net.conv("conv1_conv", x, stride))


def large_stem(net, x):
    return F.max_pool2d(conv_bn_relu(net, x, 2), 3, 2, 1)


def caffe_stem(net, x):
    return F.max_pool2d(conv_bn_relu(net, x, 2), 3, 2, ceil_mode=True)


def timm_stem(net, x):
    return F.max_pool2d(net.conv("conv1_conv", x, 2), 3, 2, 1)


def small_stem(net, x):
    return conv_bn_relu(net, x, 1)


def network(net, x, stem, block, counts):
    x = stem(net, x)
    for stage, count in enumerate(counts, start=2):
        for n in range(1, count + 1):
            stride = 2 if n == 1 and stage > 2 else 1
            x = block(net, f"conv{stage}_block{n}", x, stride, stage == 2 and n == 1)
    return net.means_to_logits(net.bn_relu("final_bn", x) if net.has("final_bn") else x)


def densenet(net, x, first, layers, k, bottleneck, compression):
    """For CIFAR, with ``first`` channels of the first convolution."""
    x = net.conv("conv1_conv", x)
    assert x.shape[1] == first
    for stage in (1, 2, 3):
        for n in range(1, layers + 1):
            block = f"dense{stage}_block{n}"
            y = net.conv(f"{block}_conv1", net.bn_relu(f"{block}_bn1", x))
            if bottleneck:
                y = net.conv(f"{block}_conv2", net.bn_relu(f"{block}_bn2", y))
            assert y.shape[1] == k
            x = torch.cat([x, y], 1)
        if stage < 3:
            channels, between = x.shape[1], f"transition{stage}"
            x = net.conv(f"{between}_conv", net.bn_relu(f"{between}_bn", x))
            assert x.shape[1] == channels * compression
            x = F.avg_pool2d(x, 2)
    return net.means_to_logits(net.bn_relu("final_bn", x))


def of(function, *args, **options):
    """Return a function of the weights and images."""
    return lambda net, x: function(net, x, *args, **options)


def post(**options):
    return functools.partial(post_activation, **options)


def pre(**options):
    return functools.partial(pre_activation, **options)


OPTION_A = {"shortcut": zeros_and_every_second_pixel}
OPTION_C = {"shortcut": functools.partial(projection, always=True)}
FIFTY = (3, 4, 6, 3)
# name: source, images' sizes, network
QUICK = {
    "resnet_v1_50": ("Caffe", LARGE, of(network, caffe_stem, post(strided=1), FIFTY)),
    "se_resnet_50": ("Caffe", LARGE, of(network, caffe_stem, post(strided=1, gate=gate), FIFTY)),
    "resnet_v2_50_timm": (
        "timm",
        LARGE,
        of(network, timm_stem, pre(strided=2, first_begins=True), FIFTY),
    ),
    "cifar_densenet_40_12_authors": ("Torch", SMALL, of(densenet, 24, 12, 12, False, 1)),
    "cifar_resnet_20": (
        "paper",
        SMALL,
        of(network, small_stem, post(strided=1, **OPTION_A), (3,) * 3),
    ),
}
SLOW = {
    "resnet_v2_50": ("Torch", LARGE, of(network, large_stem, pre(strided=2), FIFTY)),
    "resnet_v1_34_a": (
        "paper",
        LARGE,
        of(network, large_stem, post(strided=1, **OPTION_A), FIFTY),
    ),
    "resnet_v1_34_c": (
        "paper",
        LARGE,
        of(network, large_stem, post(strided=1, **OPTION_C), FIFTY),
    ),
    "plain_18": ("paper", LARGE, of(network, large_stem, no_shortcut, (2, 2, 2, 2))),
    "cifar_plain_20": ("paper", SMALL, of(network, small_stem, no_shortcut, (3,) * 3)),
    "cifar_preact_resnet_110": (
        "paper",
        SMALL,
        of(network, small_stem, pre(strided=1, option_a=True), (18,) * 3),
    ),
    "cifar_preact_resnet_164": (
        "ports",
        SMALL,
        of(network, small_stem, pre(strided=2), (18,) * 3),
    ),
    "cifar_preact_resnet_164_authors": (
        "Torch",
        SMALL,
        of(network, small_stem, pre(strided=1), (18,) * 3),
    ),
    "wide_resnet_16_8": ("Torch", SMALL, of(network, small_stem, pre(strided=1), (2,) * 3)),
    "cifar_densenet_40_12": ("paper", SMALL, of(densenet, 16, 12, 12, False, 1)),
    "cifar_densenet_bc_100_12": ("paper", SMALL, of(densenet, 24, 16, 12, True, 0.5)),
}
WITHOUT_IDENTITIES = ("resnet_v1_34_c", "plain_18", "cifar_plain_20")
CASES = [
    *(pytest.param(name, *case, id=name) for name, case in QUICK.items()),
    *(pytest.param(name, *case, id=name, marks=pytest.mark.slow) for name, case in SLOW.items()),
]


@pytest.mark.parametrize(("name", "source", "sizes", "network"), CASES)
def test_logits(name, source, sizes, network):
    with in_float64():
        model = logits_of(name, (3, None, None))
        kernels = 1 if name in WITHOUT_IDENTITIES else 0.5
        check_logits(f"{name} | {source}", network, model, sizes, kernels)
