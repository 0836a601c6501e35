import keras
import numpy as np
import pytest

from helpers import in_both_formats, outline
from keras_convnets import (
    DensenetBuilder,
    DensenetVariant,
    conv_bn_relu,
    cost,
    dense_layer,
    transition,
)
from keras_convnets.keras_private import without_values


def small(**variant):
    chosen = DensenetVariant(**variant)
    with without_values():
        return DensenetBuilder.build((3, 32, 32), 10, (2, 2), 12, chosen, "cifar")


def test_shapes_of_the_paper():
    model = outline("densenet_121", data_format="channels_first")
    shapes = {
        "conv1_relu": (64, 112, 112),
        "conv1_pool": (64, 56, 56),
        "dense1_block6_concat": (256, 56, 56),
        "transition1_pool": (128, 28, 28),
        "dense2_block12_concat": (512, 28, 28),
        "transition2_pool": (256, 14, 14),
        "dense3_block24_concat": (1024, 14, 14),
        "transition3_pool": (512, 7, 7),
        "dense4_block16_concat": (1024, 7, 7),
        "final_relu": (1024, 7, 7),
    }
    assert {name: model.get_layer(name).output.shape[1:] for name in shapes} == shapes


def test_a_layer_by_its_parts():
    model = outline("densenet_121")
    names = [layer.name for layer in model.layers]
    place = names.index("dense2_block3_bn1")
    layers = ["bn1", "relu1", "conv1", "bn2", "relu2", "conv2", "concat"]
    assert names[place : place + 7] == [f"dense2_block3_{layer}" for layer in layers]
    one, three = model.get_layer("dense2_block3_conv1"), model.get_layer("dense2_block3_conv2")
    assert one.kernel.shape == (1, 1, 128 + 2 * 32, 128)
    assert three.kernel.shape == (3, 3, 128, 32)
    # What is there already comes first, the new maps after it.
    first, second = model.get_layer("dense2_block3_concat").input
    assert (first.shape[-1], second.shape[-1]) == (192, 32)


def test_densenet_264_by_its_blocks():
    # The paper gives no exact figure: 6, 12, 64 and 48 layers of growth rate 32.
    def dense(inputs, layers):
        widths = [inputs + 32 * layer for layer in range(layers)]
        return sum(2 * w + w * 128 + 2 * 128 + 9 * 128 * 32 for w in widths)

    stem = 49 * 3 * 64 + 2 * 64
    blocks = dense(64, 6) + dense(128, 12) + dense(256, 64) + dense(1152, 48)
    transitions = sum(2 * w + w * w // 2 for w in (256, 512, 2304))
    head = 2 * 2688 + 2688 * 1000 + 1000
    assert cost(outline("densenet_264")).trainable_params == stem + blocks + transitions + head


def by_hand(first, k, layers):
    """Return parameters and multiply-adds of a network for CIFAR without bottlenecks."""

    def sums(inputs, size):
        widths = [inputs + k * layer for layer in range(layers)]
        return sum(2 * w + 9 * w * k for w in widths), size**2 * sum(9 * w * k for w in widths)

    widths = [first + k * layers * block for block in range(4)]
    blocks = [sums(width, size) for width, size in zip(widths, (32, 16, 8), strict=False)]
    parameters = (
        27 * first + sum(count for count, _ in blocks) + 2 * widths[3] + widths[3] * 10 + 10
    )
    parameters += sum(2 * width + width**2 for width in widths[1:3])
    between = 32**2 * widths[1] ** 2 + 16**2 * widths[2] ** 2
    multiply_adds = 32**2 * 27 * first + sum(count for _, count in blocks) + between
    return parameters, multiply_adds + widths[3] * 10


@pytest.mark.parametrize(
    ("depth", "k", "published"), [(40, 12, 1.0), (100, 12, 7.0), (100, 24, 27.2)]
)
def test_cifar_networks_by_their_blocks(depth, k, published):
    # The paper has 16 first channels and gives the parameters in millions; the authors' code, 2k.
    name, layers = f"cifar_densenet_{depth}_{k}", (depth - 4) // 3
    found, authors = cost(outline(name)), cost(outline(f"{name}_authors"))
    assert (found.params, found.macs) == by_hand(16, k, layers)
    assert round(found.params / 1e6, 1) == published
    assert (authors.params, authors.macs) == by_hand(2 * k, k, layers)
    assert authors.params > found.params


def test_a_stem_of_ones_own():
    with without_values():
        model = DensenetBuilder.build((3, 32, 32), 10, (2, 2), 12, stem=conv_bn_relu(20, 5, 2))
    assert model.get_layer("dense1_block1_bn1").output.shape == (None, 16, 16, 20)


def test_compression_bottleneck_and_dropout():
    plain = small(compression=1.0, bottleneck=False)
    assert plain.get_layer("conv1_conv").filters == 16
    assert plain.get_layer("transition1_conv").filters == 16 + 2 * 12
    assert not [layer.name for layer in plain.layers if "dropout" in layer.name]
    bc = small(dropout=0.2)
    assert bc.get_layer("conv1_conv").filters == 24
    assert bc.get_layer("transition1_conv").filters == (24 + 2 * 12) // 2
    dropouts = [layer for layer in bc.layers if "dropout" in layer.name]
    assert [layer.rate for layer in dropouts] == 9 * [0.2]  # 2 in each layer, 1 in the transition
    assert small(compression=0.3).get_layer("transition1_conv").filters == 14


def test_both_formats_compute_the_same_forward_and_in_training():
    def build(data_format):
        return DensenetBuilder.build(
            (3, 16, 16), 4, (2, 2), 8, stem="cifar", data_format=data_format
        )

    outputs, trained = in_both_formats(build, (3, 16, 16))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_the_style_of_keras_applications():
    model = outline("densenet_121_keras")
    normalisations = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    found = {(layer.epsilon, layer.momentum) for layer in normalisations}
    assert (len(normalisations), found) == (121, {(1.001e-5, 0.99)})


def test_pieces_stand_alone_twice_in_one_model():
    x = inputs = keras.Input((16, 16, 8))
    for _ in range(2):
        x = transition()(dense_layer(4)(x))
    assert keras.Model(inputs, x).output_shape == (None, 4, 4, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"variant": DensenetVariant(compression=0)},
            "compression: received 0; expected a number above 0 and of at most 1",
        ),
        ({"variant": DensenetVariant(compression=1.5)}, "compression: received 1.5"),
        ({"variant": DensenetVariant("yes")}, "bottleneck: received 'yes'; expected one of True"),
        (
            {"variant": DensenetVariant(dropout=1)},
            "dropout: received 1; expected a number of at least 0 and less than 1",
        ),
        ({"variant": "BC"}, "variant: received 'BC'; expected a DensenetVariant. Pass for example"),
        ({"variant": (True, 0.5, 0)}, "variant: received \\(True, 0.5, 0\\); expected"),
        ({"variant": DensenetVariant(style="torch")}, "style: received 'torch'; expected a Style"),
        ({"growth_rate": 0}, "growth_rate: received 0"),
        ({"stem": "mnist"}, "stem: received 'mnist'; expected one of 'imagenet', 'cifar'"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        DensenetBuilder.build((3, 64, 64), 10, (2, 2), **options)
