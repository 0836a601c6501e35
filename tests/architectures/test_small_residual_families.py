"""Plain, CIFAR, wide, ResNeXt and SE networks: what tells each from the residual ones."""

import keras
import numpy as np
import pytest

import paper
from helpers import FORMATS, channels_first, images, in_both_formats, outline
from keras_convnets import (
    CifarResnetBuilder,
    ResnextBuilder,
    SeResnetBuilder,
    WideResnetBuilder,
    cost,
    model_info,
    resnext_block,
    squeeze_and_excitation,
)
from keras_convnets.axes import keras_shape
from keras_convnets.keras_private import without_values

SHAPE = (3, 32, 32)


def layers_of(model, kind):
    return [layer for layer in model.layers if type(layer).__name__ == kind]


@pytest.mark.parametrize("depth", [20, 56])
def test_plain_networks_are_residual_ones_without_shortcuts(depth):
    plain, residual = outline(f"cifar_plain_{depth}"), outline(f"cifar_resnet_{depth}")
    assert not layers_of(plain, "Add")
    assert len(layers_of(residual, "Add")) == (depth - 2) // 2
    assert len(layers_of(plain, "Conv2D")) == len(layers_of(residual, "Conv2D")) == depth - 1
    assert cost(plain).trainable_params == cost(residual).trainable_params
    assert cost(plain).macs == cost(residual).macs


def test_plain_34_lacks_the_projections_and_is_as_deep():
    plain = outline("plain_34")
    assert len(layers_of(plain, "Conv2D")) == 33
    # The paper: 3.6 billion multiply-adds.
    assert round(cost(plain).macs / 1e9, 1) == 3.6


def test_cifar_stages_of_the_paper():
    last = {
        "cifar_resnet_56": ("block9_relu2", (16, 32, 64)),
        "cifar_preact_resnet_164": ("block18_add", (64, 128, 256)),
        "wide_resnet_28_10": ("block4_add", (160, 320, 640)),
    }
    for name, (layer, widths) in last.items():
        model = outline(name, data_format="channels_first")
        for stage, (width, size) in enumerate(zip(widths, (32, 16, 8), strict=True), start=2):
            output = model.get_layer(f"conv{stage}_{layer}").output
            assert output.shape == (None, width, size, size)


def test_basic_blocks_for_cifar_have_shortcuts_without_parameters():
    for name in ("cifar_resnet_110", "cifar_preact_resnet_110"):
        model = outline(name)
        shortcuts = [layer for layer in model.layers if "shortcut" in layer.name]
        assert {type(layer).__name__ for layer in shortcuts} == {"MaxPooling2D", "PadChannels"}
        assert len(shortcuts) == 4


def test_bottlenecks_for_cifar_project_where_shapes_differ():
    model = outline("cifar_preact_resnet_164")
    shortcuts = [layer.name for layer in model.layers if "shortcut" in layer.name]
    assert shortcuts == [f"conv{stage}_block1_shortcut_conv" for stage in (2, 3, 4)]


@pytest.mark.parametrize("depth", [164, 1001])
def test_where_a_bottleneck_for_cifar_strides(depth):
    # In the authors' code, the first 1x1 convolutions of conv3 and conv4 compute a quarter of the
    # pixels: 64 to 32 channels at 32 x 32, 128 to 64 at 16 x 16.
    name = f"cifar_preact_resnet_{depth}"
    ports, authors = model_info(name), model_info(f"{name}_authors")
    saved = (32**2 - 16**2) * 64 * 32 + (16**2 - 8**2) * 128 * 64
    assert authors.parameters == ports.parameters
    assert authors.multiply_adds == ports.multiply_adds - saved


def test_dropout_stands_before_the_second_convolution_of_a_wide_block():
    model = outline("wide_resnet_40_4")
    dropouts = layers_of(model, "Dropout")
    assert [layer.rate for layer in dropouts] == 18 * [0.3]
    names = [layer.name for layer in model.layers]
    place = names.index("conv3_block2_dropout")
    assert names[place - 1 : place + 2] == [
        f"conv3_block2_{layer}" for layer in ("relu2", "dropout", "conv2")
    ]
    assert not layers_of(outline("wide_resnet_28_10"), "Dropout")


@pytest.mark.parametrize(
    "build",
    [
        lambda fmt: WideResnetBuilder.build((3, 16, 16), 4, (1, 1), 2, data_format=fmt),
        lambda fmt: CifarResnetBuilder.build(
            (3, 16, 16), 4, "bottleneck_v2", (1, 1), data_format=fmt
        ),
        lambda fmt: SeResnetBuilder.build((3, 32, 32), 4, (1, 1), data_format=fmt),
    ],
    ids=["wide", "pre-activation", "se"],
)
def test_both_formats_compute_the_same_forward_and_in_training(build):
    shape = build("channels_first").input_shape[1:]
    outputs, trained = in_both_formats(build, shape)
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_groups_of_resnext():
    model = outline("resnext_101_32x8d")
    grouped = [layer for layer in layers_of(model, "Conv2D") if layer.groups > 1]
    assert len(grouped) == 33
    assert {layer.groups for layer in grouped} == {32}
    assert model.get_layer("conv2_block1_conv2").kernel.shape == (3, 3, 8, 256)
    assert model.get_layer("conv5_block1_conv2").strides == (2, 2)
    assert model.get_layer("conv5_block1_conv2").kernel.shape == (3, 3, 64, 2048)


def test_resnext_block_by_hand():
    # Xie et al., table 1: a bottleneck of 256 maps with 32 paths of 4: 70,400 weights.
    with without_values():
        model = keras.Model(x := keras.Input((8, 8, 256)), resnext_block(64)(x))
    kernels = sum(int(np.prod(w.shape)) for w in model.trainable_weights if len(w.shape) == 4)
    assert kernels == 256 * 128 + 3 * 3 * 128 * 4 + 128 * 256


def test_gates_of_se_resnet_50():
    # 2 C^2 / 16 weights and C + C / 16 biases for each block of C maps.
    blocks = {256: 3, 512: 4, 1024: 6, 2048: 3}
    gates = sum(n * (2 * c * c // 16 + c + c // 16) for c, n in blocks.items())
    plain = cost(outline("resnet_v1_50")).trainable_params
    assert paper.AUTHORS["se_resnet_50"] == plain + gates


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_a_gate_multiplies_each_channel(data_format):
    inputs = keras.Input(keras_shape((4, 6, 6)))
    model = keras.Model(inputs, squeeze_and_excitation(reduction=2)(inputs))
    x = images((4, 6, 6), data_format)
    down, up = (layer.get_weights() for layer in layers_of(model, "Conv2D"))
    maps = channels_first(x, data_format)
    hidden = np.maximum(maps.mean((2, 3)) @ down[0][0, 0] + down[1], 0)
    gate = 1 / (1 + np.exp(-(hidden @ up[0][0, 0] + up[1])))
    found = channels_first(model(x), data_format)
    np.testing.assert_allclose(found, maps * gate[:, :, None, None], atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: WideResnetBuilder.build(SHAPE, 4, (1,), 0), "width_factor: received 0"),
        (lambda: WideResnetBuilder.build(SHAPE, 4, (1,), 2, dropout=1), "dropout: received 1"),
        (lambda: ResnextBuilder.build(SHAPE, 4, (1,), 1.5), "cardinality: received 1.5"),
        (lambda: SeResnetBuilder.build(SHAPE, 4, (1,), 0), "reduction: received 0"),
        (lambda: resnext_block(16, group_width=1), "group_width: received 1 with 16 filters"),
        (lambda: CifarResnetBuilder.build(SHAPE, 4, "basic_block", (1,)), "block_fn: received"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
