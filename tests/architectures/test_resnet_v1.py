import functools

import keras
import numpy as np
import pytest

import paper
from helpers import FORMATS, channels_first, images, outline
from keras_convnets import ResnetV1Builder, basic_block_v1, bottleneck_v1_5, cost
from keras_convnets.axes import keras_shape


def strided(model):
    return [layer.name for layer in model.layers if getattr(layer, "strides", None) == (2, 2)]


def test_stage_shapes_of_the_paper():
    model = outline("resnet_v1_50", data_format="channels_first")
    shapes = {
        "conv1_zeros": (3, 230, 230),
        "conv1_relu": (64, 112, 112),
        "conv1_pool": (64, 56, 56),
        "conv2_block3_relu3": (256, 56, 56),
        "conv3_block4_relu3": (512, 28, 28),
        "conv4_block6_relu3": (1024, 14, 14),
        "conv5_block3_relu3": (2048, 7, 7),
    }
    assert {name: model.get_layer(name).output.shape[1:] for name in shapes} == shapes


@pytest.mark.parametrize("name", ["resnet_v1_50", "resnet_v1_152", "se_resnet_50"])
def test_the_stem_of_caffe_pools_without_padding(name):
    model = outline(name, input_shape=(3, 224, 226), data_format="channels_first")
    zeros = model.get_layer("conv1_zeros2")
    assert zeros.padding == ((0, 1), (0, 1))
    assert model.get_layer("conv1_pool").output.shape == (None, 64, 56, 56)


@pytest.mark.parametrize("name", ["resnet_v1_18", "resnet_v1_5_50", "resnet_v1_50_keras"])
def test_the_stem_of_torchvision_and_keras_is_padded(name):
    assert outline(name).get_layer("conv1_zeros2").padding == ((1, 1), (1, 1))
    custom = ResnetV1Builder.build((3, 64, 64), 4, "bottleneck_v1", (1, 1))
    assert custom.get_layer("conv1_zeros2").padding == ((1, 1), (1, 1))


@pytest.mark.parametrize(("name", "conv"), [("resnet_v1_50", 1), ("resnet_v1_5_50", 2)])
def test_where_a_bottleneck_strides(name, conv):
    places = [f"conv{stage}_block1_{what}" for stage in (3, 4, 5)
              for what in (f"conv{conv}", "shortcut_conv")]  # fmt: skip
    assert sorted(strided(outline(name))) == sorted(["conv1_conv", "conv1_pool", *places])


def test_how_layers_are_made():
    ours, theirs = outline("resnet_v1_50"), outline("resnet_v1_50_keras")
    for model, bias, epsilon, momentum in (
        (ours, False, 1e-5, 0.9),
        (theirs, True, 1.001e-5, 0.99),
    ):
        normalisation = model.get_layer("conv4_block2_bn3")
        assert (normalisation.epsilon, normalisation.momentum) == (epsilon, momentum)
        convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
        assert len(convolutions) == 53
        assert {layer.use_bias for layer in convolutions} == {bias}


def test_a_block_is_closed_by_its_relu():
    names = [layer.name for layer in outline("resnet_v1_18").layers]
    assert names[-3:] == ["conv5_block2_relu2", "head_pool", "head_dense"]
    start = names.index("conv2_block2_conv1")
    in_order = ["conv1", "bn1", "relu1", "conv2", "bn2", "add", "relu2"]
    assert names[start : start + 7] == [f"conv2_block2_{layer}" for layer in in_order]


def test_parameters_of_the_three_shortcuts():
    # Option B projects three times, with batch normalisation; A never; C in all 16 blocks.
    projections = 64 * 128 + 128 * 256 + 256 * 512 + 2 * (128 + 256 + 512)
    widths = {64: 3, 128: 3, 256: 5, 512: 2}
    others = sum(blocks * (width * width + 2 * width) for width, blocks in widths.items())
    b = paper.TORCHVISION["resnet_v1_34"][0]
    assert cost(outline("resnet_v1_34_a")).trainable_params == b - projections
    assert cost(outline("resnet_v1_34_c")).trainable_params == b + others


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_option_a_adds_every_second_pixel_and_zeros(data_format):
    inputs = keras.Input(keras_shape((3, 8, 8)))
    model = keras.Model(inputs, basic_block_v1(5, (2, 2), shortcut="A")(inputs))
    for layer in model.layers:  # nothing comes through the residual branch
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    x = images((3, 8, 8), data_format)
    expected = np.zeros((2, 5, 4, 4))
    expected[:, :3] = np.maximum(channels_first(x, data_format)[:, :, ::2, ::2], 0)
    assert np.array_equal(channels_first(model(x), data_format), expected)


def test_width_is_that_of_the_inner_convolutions():
    block = bottleneck_v1_5(64, width=96)
    model = keras.Model(inputs := keras.Input((8, 8, 256)), block(inputs))
    kernels = [layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")]
    assert kernels == [(1, 1, 256, 96), (3, 3, 96, 96), (1, 1, 96, 256)]


def test_blocks_of_ones_own_and_unknown_ones():
    block = functools.partial(basic_block_v1, shortcut="A")
    model = ResnetV1Builder.build((3, 32, 32), 4, block, (1, 1))
    assert "conv3_block1_shortcut_pad" in [layer.name for layer in model.layers]
    with pytest.raises(ValueError, match="block_fn: received 'bottleneck'; expected one of .*'bot"):
        ResnetV1Builder.build((3, 32, 32), 4, "bottleneck", (1, 1))
    with pytest.raises(ValueError, match="shortcut: received 'D'; expected one of 'A', 'B', 'C'"):
        basic_block_v1(64, shortcut="D")
