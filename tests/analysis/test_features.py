"""Feature levels: which layers they are, of our networks and of others, and the model of them."""

import keras
import numpy as np
import pytest

from helpers import FORMATS, application, images, outline
from keras_convnets import receptive_field, units
from keras_convnets.analysis.features import Level, features, levels
from keras_convnets.analysis.receptive_field.strides import strides
from keras_convnets.assemble import assemble
from keras_convnets.axes import in_papers_order
from keras_convnets.graph.walk import walk
from keras_convnets.keras_private import without_values

L = keras.layers


def of_parts(*parts, shape=(3, 32, 32), **options):
    with without_values():
        return assemble(shape, 10, parts, "net", **options)


def chain(*layers, shape=(32, 32, 3)):
    return keras.Sequential([keras.Input(shape), *layers])


def found(model):
    return {level.name: (level.layer, level.channels) for level in levels(model)}


def test_levels_as_the_field_knows_them():
    assert found(outline("resnet_50")) == {
        "C1": ("conv1_relu", 64),
        "C2": ("conv2_block3_add", 256),
        "C3": ("conv3_block4_add", 512),
        "C4": ("conv4_block6_add", 1024),
        "C5": ("final_relu", 2048),
    }


CONV3 = units.conv_relu(8, 3)


def test_a_level_is_what_the_last_pooling_of_a_group_reads():
    pool = units.chain(CONV3, units.max_pool(2, 2))
    vgg = of_parts(("conv1", pool), ("conv2", pool), ("conv3", units.chain(CONV3, pool)))
    assert found(vgg) == {
        "C0": ("conv1_relu", 8),
        "C1": ("conv2_relu", 8),
        "C2": ("conv3_relu2", 8),
        "C3": ("conv3_pool", 8),
    }
    padded = of_parts(("conv1", units.chain(CONV3, units.max_pool(3, 2, "symmetric"))))
    assert found(padded)["C0"] == ("conv1_relu", 8)


def test_the_start_of_the_next_block_is_no_level():
    preactivation = units.bn_relu_conv(16, 3, 2)
    plain = of_parts(("conv1", CONV3), ("conv2_block1", preactivation), ("final", units.bn_relu()))
    assert found(plain) == {"C0": ("conv1_relu", 8), "C1": ("final_relu", 16)}


def test_transitions_and_poolings_between_blocks_are_no_levels():
    shrink = units.chain(units.bn_relu_conv(4, 1), units.avg_pool(2, 2))
    pool = units.max_pool(2, 2)
    named = of_parts(("dense1", CONV3), ("transition1", shrink), ("dense2", CONV3))
    assert found(named) == {"C0": ("dense1_relu", 8), "C1": ("dense2_relu", 8)}
    unnamed = of_parts(("dense1", CONV3), ("shrink", shrink), ("dense2", CONV3))
    assert found(unnamed) == found(named)
    last = of_parts(("conv1", CONV3), ("transition1", shrink), ("conv2", CONV3), ("pool2", pool))
    assert found(last)["C1"] == ("conv2_relu", 8)
    assert found(last)["C2"] == ("pool2_pool", 8)  # for nothing else has its stride


def test_heads_are_left_out():
    strided = units.conv_relu(8, 3, 2)
    heads = {"conv1": lambda n, a: units.chain(units.conv(n, 3, 2), units.global_pool("avg"))}
    model = of_parts(("conv1", CONV3), ("conv2", strided), auxiliary=heads)
    assert len(model.outputs) == 2
    assert found(model) == {"C0": ("conv1_relu", 8), "C1": ("conv2_relu", 8)}
    assert not any("aux" in layer.name for layer in features(model).layers)
    mapped = of_parts(("conv1", strided), head=lambda n, a: units.chain(*[strided] * 2))
    assert found(mapped) == {"C1": ("conv1_relu", 8)}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("include_top", [True, False])
def test_open_sizes_with_and_without_the_top(include_top, data_format):
    shape = (3, None, None)
    model = outline("resnet_18", shape, 10, include_top=include_top, data_format=data_format)
    known = outline("resnet_18", (3, 64, 64), 10)
    assert levels(model) == levels(known)
    maps = features(model, (4,)).output["C4"]
    assert in_papers_order(maps.shape, data_format) == (256, None, None)


# Other people's networks


FOREIGN = {
    "ResNet50": "conv1_relu conv2_block3_out conv3_block4_out conv4_block6_out conv5_block3_out",
    # Its stages stride at their ends, so that the last block is already of the next level.
    "ResNet50V2": "conv1_conv conv2_block2_out conv3_block3_out conv4_block5_out post_relu",
    "VGG16": "block2_conv2 block3_conv3 block4_conv3 block5_conv3 block5_pool",
    "DenseNet121": "conv1_relu conv2_block6_concat conv3_block12_concat conv4_block24_concat relu",
    "MobileNetV2": "expanded_conv_project_BN block_2_add block_5_add block_12_add out_relu",
    "EfficientNetB0": "block1a_project_bn block2b_add block3b_add block5c_add top_activation",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_levels_of_keras_applications(name):
    found = features(application(name)).levels
    assert [level.layer for level in found] == FOREIGN[name].split()


@pytest.mark.parametrize("name", ["InceptionV3", "Xception", "ConvNeXtTiny", "MobileNetV3Small"])
def test_strides_of_odd_sizes_valid_padding_models_within_and_gates(name):
    backbone = features(application(name))
    assert [level.stride for level in backbone.levels][-4:] == [4, 8, 16, 32]


@pytest.mark.parametrize("name", ["InceptionV3", "ResNet50V2", "NASNetMobile"])
def test_strides_are_those_of_receptive_fields(name):
    calls = walk(application(name))
    fields = receptive_field(application(name))
    checked = 0
    for call, stride in strides(calls).items():
        field = None if call.is_input else fields[call.name]
        if field and field.stride and None not in field.stride:
            assert stride == field.stride
            checked += 1
    assert checked > 100


def test_what_follows_global_pooling_is_in_no_place_though_maps_were_of_one_pixel():
    with without_values():
        model = keras.applications.MobileNet((32, 32, 3), weights=None, classes=5)
    assert model.get_layer("conv_preds").output.shape[1:3] == (1, 1)
    assert levels(model)[-1] == Level("C5", "conv_pw_13_relu", 32, 1024)


def test_a_gate_of_one_pixel_has_no_say():
    image = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, strides=2, padding="same")(image)
    gated = L.Multiply(name="gated")([L.AveragePooling2D(4)(x), x])
    assert found(keras.Model(image, gated)) == {"C1": ("gated", 4)}


def test_upsampling_ends_the_backbone():
    model = chain(
        *(L.Conv2D(4, 3, name="a"), L.Conv2D(4, 3, strides=2, name="b")),
        *(L.Conv2D(4, 3, strides=2, name="c"), L.UpSampling2D(name="d"), L.Conv2D(4, 1, name="e")),
    )
    assert {name: layer for name, (layer, _) in found(model).items()} == {
        "C0": "a",
        "C1": "b",
        "C2": "c",
    }


def test_pixels_before_the_first_convolution_are_no_level():
    model = chain(L.Rescaling(1 / 255), L.Conv2D(4, 3, strides=2, name="a"))
    assert list(found(model)) == ["C1"]


def test_strides_that_are_no_power_of_2_are_no_level():
    model = chain(*(L.Conv2D(4, 3, strides=n) for n in ((1, 2), (3, 2), (4, 3))), shape=(99, 99, 3))
    assert levels(model) == ()  # 1 x 2, 3 x 4, 12 x 12


def test_inputs_that_are_no_images_stand_aside():
    image, vector = keras.Input((32, 32, 3), name="image"), keras.Input((5,), name="vector")
    x = L.Conv2D(8, 3, strides=2, padding="same")(image)
    x = L.Concatenate()([L.GlobalAveragePooling2D()(x), vector])
    model = keras.Model({"image": image, "vector": vector}, L.Dense(2)(x))
    backbone = features(model)
    assert backbone.output["C1"].shape == (None, 16, 16, 8)
    assert backbone.input.keys() == {"image", "vector"}


# The model


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_model_computes_what_the_network_does_and_shares_its_weights(data_format):
    parts = [
        ("conv1", units.conv_bn_relu(4, 3, 2)),
        ("conv2", units.conv_bn_relu(8, 3, 2)),
    ]
    model = assemble((3, 16, 24), 5, parts, "net", data_format=data_format)
    backbone = features(model, ("C2", 1))
    assert backbone.name == "net_features"
    assert backbone.levels == (
        Level("C1", "conv1_relu", 2, 4),
        Level("C2", "conv2_relu", 4, 8),
    )
    x = images((3, 16, 24), data_format)
    probe = keras.Model(model.input, model.get_layer("conv2_relu").output)
    made = backbone(x)
    assert list(made) == ["C1", "C2"]
    assert np.array_equal(made["C2"], probe(x))
    model.get_layer("conv1_conv").kernel.assign(model.get_layer("conv1_conv").kernel * 2)
    assert not np.array_equal(backbone(x)["C1"], made["C1"])
    assert {id(weight) for weight in backbone.weights} <= {id(weight) for weight in model.weights}
    backbone.save("backbone.keras")
    loaded = keras.models.load_model("backbone.keras")
    assert np.array_equal(loaded(x)["C2"], backbone(x)["C2"])
    assert levels(loaded) == backbone.levels


def test_level_0_is_there_when_asked_for():
    model = outline("cifar_resnet_20")
    assert [level.name for level in features(model).levels] == ["C1", "C2"]
    assert features(model, (0, 2)).output["C0"].shape == (None, 32, 32, 16)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ((2, 6), r"received \(2, 6\); .* 'net' has: C0 \(c1_relu\), C2 \(c2_relu\). Leave out C6."),
        ("C2", "received 'C2'; expected a sequence of numbers or names, such as"),
        (2, "received 2; expected a sequence"),
        ((), r"received \(\); expected a sequence"),
        (("P2",), ".*expected a sequence of numbers or names"),
        ((True,), ".*expected a sequence of numbers or names"),
        ((-1,), ".*expected a sequence of numbers or names"),
    ],
)  # fmt: skip
def test_levels_that_are_not_there(chosen, words):
    model = of_parts(("c1", CONV3), ("c2", units.conv_relu(8, 5, 4)))
    with pytest.raises(ValueError, match=f"^levels: {words}"):
        features(model, chosen)


def test_a_network_without_the_usual_levels_says_what_it_has():
    model = of_parts(("conv1", CONV3))
    with pytest.raises(ValueError, match="received None; expected levels that 'net' has: C0 "):
        features(model)
    with pytest.raises(ValueError, match="has: none"):
        features(chain(L.Flatten(), L.Dense(2)))


def test_levels_of_a_model_within_are_those_that_it_has_alone():
    inner = of_parts(("conv1", units.conv_relu(8, 3, 2)), ("conv2", units.conv_relu(8, 3, 2)))
    inner = keras.Model(inner.input, inner.get_layer("conv2_relu").output, name="inner")
    model = chain(L.Rescaling(2.0), inner, L.GlobalAveragePooling2D())
    assert found(model) == {"C1": ("inner/conv1_relu", 8), "C2": ("inner/conv2_relu", 8)}
    assert [maps.shape[1] for maps in features(model, (1, 2)).output.values()] == [16, 8]
    with pytest.raises(ValueError, match=r"has: C1 .inner/conv1_relu., C2 .*Leave out C3"):
        features(model, (1, 3))


@pytest.mark.parametrize("shape", [(4,), (32, 3), (8, 8, 8, 1)])
def test_models_without_rows_and_columns(shape):
    with pytest.raises(ValueError, match=r"^model: .* expected images of \(channels, rows, cols\)"):
        levels(chain(L.Dense(2), shape=shape))


def test_what_is_no_functional_model():
    with pytest.raises(ValueError, match="^model: received None; expected a functional"):
        features(None)
