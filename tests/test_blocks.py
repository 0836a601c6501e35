"""Every public block stands alone: in a model of the user's own, more than once, in any format."""

import keras
import pytest

import keras_convnets as k
from helpers import FORMATS
from keras_convnets.axes import keras_shape
from keras_convnets.keras_private import without_values

BLOCKS = {
    "basic_block": k.basic_block(16, (2, 2)),
    "bottleneck": k.bottleneck(8, (2, 2)),
    "basic_block_v1": k.basic_block_v1(16, (2, 2)),
    "basic_block_v1 A": k.basic_block_v1(16, (2, 2), shortcut="A"),
    "basic_block_v1 C": k.basic_block_v1(8, shortcut="C"),
    "bottleneck_v1": k.bottleneck_v1(8, (2, 2)),
    "bottleneck_v1_5": k.bottleneck_v1_5(8, (2, 2)),
    "basic_block_v2": k.basic_block_v2(16, (2, 2), dropout=0.1),
    "bottleneck_v2": k.bottleneck_v2(8, (2, 2)),
    "bottleneck_v2_authors": k.bottleneck_v2_authors(8, (2, 2)),
    "bottleneck_v2_keras": k.bottleneck_v2_keras(8, (2, 2)),
    "plain_block": k.plain_block(16, (2, 2)),
    "wide_bottleneck": k.wide_bottleneck(8, (2, 2)),
    "resnext_block": k.resnext_block(64, cardinality=4, group_width=2),
    "se_bottleneck": k.se_bottleneck(8, (2, 2), reduction=2),
    "se_bottleneck_v1_5": k.se_bottleneck_v1_5(8, (2, 2), reduction=2),
    "se_resnext_block": k.se_resnext_block(64, cardinality=4, group_width=2),
    "squeeze_and_excitation": k.squeeze_and_excitation(2),
    "dense_layer": k.dense_layer(4, dropout=0.1),
    "transition": k.transition(0.5),
    "inception": k.inception(4, (4, 6), (2, 4), 2),
    "inception_a": k.inception_a(8),
    "inception_b": k.inception_b(),
    "inception_c": k.inception_c(4),
    "inception_d": k.inception_d(),
    "inception_e": k.inception_e(),
    "inception_v4_a": k.inception_v4_a(),
    "inception_v4_b": k.inception_v4_b(),
    "inception_v4_c": k.inception_v4_c(),
    "reduction_a": k.reduction_a(4, 4, 4, 4),
    "reduction_v4_b": k.reduction_v4_b(),
    "inception_resnet_a": k.inception_resnet_a(),
    "inception_resnet_b": k.inception_resnet_b(),
    "inception_resnet_c": k.inception_resnet_c(),
    "reduction_resnet_b": k.reduction_resnet_b(),
    "vgg_stage": k.vgg_stage(2, 8, batch_norm=True),
    "mlpconv": k.mlpconv((8, 8), 3),
    "subsampling": k.subsampling(),
    "partial_conv": k.partial_conv([(0, 1), (1, 2), (0, 1, 2)], 3),
}


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_stands_twice_in_a_model(block, data_format):
    with without_values():
        inputs = keras.Input(keras_shape((8, 33, 33)))
        x = block(inputs)
        alone = keras.Model(inputs, block(x))
        with k.scope("left"):
            left = block(inputs)
        with k.scope("right"):
            right = block(inputs)
        named = keras.Model(inputs, keras.layers.Concatenate(k.channel_axis())([left, right]))
    names = [layer.name for layer in named.layers[1:-1]]
    assert all(name.startswith(("left_", "right_")) for name in names)
    assert len(alone.weights) > 0 or len(names) > 1


def test_every_block_is_tried():
    assert {name.split()[0] for name in BLOCKS} <= set(k.__all__)
    kinds = ("block", "bottleneck", "_v1", "_v2")
    functions = [name for name in k.__all__ if name.endswith(kinds) and name != "plot_block"]
    assert set(functions) <= {name.split()[0] for name in BLOCKS}
