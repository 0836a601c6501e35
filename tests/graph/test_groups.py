"""Blocks and stages: from our names, from the prefixes of others', and from the graph alone."""

import keras
import pytest

from helpers import application
from keras_convnets import ResnetBuilder
from keras_convnets.graph.groups import places
from keras_convnets.graph.topology import chains, is_acyclic, segments, trunk
from keras_convnets.graph.walk import walk
from keras_convnets.keras_private import without_values

L = keras.layers


def grouped(model, **options):
    """Return stage, block and number of layers of each group, in order."""
    calls = walk(model, **options)
    found = {}
    for call, place in places(calls, model.name).items():
        found.setdefault((place.stage, place.block), []).append(call)
    return [(*key, len(members)) for key, members in found.items()]


def blocks(name):
    return [block for _, block, _ in grouped(application(name))]


def test_our_own_names():
    with without_values():
        found = grouped(ResnetBuilder.build_resnet_18((3, 32, 32), 10))
    assert found[:4] == [
        (None, "input", 1),
        (None, "conv1", 4),
        ("conv2", "conv2_block1", 5),
        ("conv2", "conv2_block2", 7),
    ]
    assert found[-2:] == [(None, "final", 2), (None, "head", 2)]


def test_prefixes_of_resnet_50():
    found = grouped(application("ResNet50"))
    assert found[:4] == [
        (None, "input", 1),
        (None, "conv1", 4),
        (None, "pool1", 2),
        ("conv2", "conv2_block1", 12),
    ]
    assert found[-1] == (None, "predictions", 2)
    assert [stage for stage, _, _ in found].count("conv4") == 6


def test_prefixes_of_densenet_121():
    found = grouped(application("DenseNet121"))
    assert [block for _, block, _ in found if not block.startswith("conv")] == [
        "input",
        "pool1",
        "pool2",
        "pool3",
        "pool4",
        "predictions",
    ]
    sizes = [[stage for stage, _, _ in found].count(f"conv{n}") for n in (2, 3, 4, 5)]
    assert sizes == [6, 12, 24, 16]
    assert {count for stage, _, count in found if stage} == {7}


def test_prefixes_without_stages():
    names = ["input", "block1", "block2", "block3", "block4", "block5", "fc1", "fc2", "predictions"]
    assert blocks("VGG16") == names


def test_a_letter_after_the_number_is_the_block():
    found = grouped(application("EfficientNetB0"))
    assert ("block4", "block4b", 15) in found
    assert [block for stage, block, _ in found if stage == "block6"] == [
        f"block6{letter}" for letter in "abcd"
    ]


def test_the_model_s_own_name_is_no_prefix():
    found = grouped(application("ConvNeXtTiny"))
    assert ("stage_2", "stage_2_block_8", 8) in found
    assert found[-1] == (None, "head", 3)


def test_the_graph_where_names_say_nothing():
    found = grouped(application("InceptionV3"))
    assert [block for _, block, _ in found] == [
        *("input", "conv 1", "conv 2", "conv 3", "pool 1", "conv 4", "conv 5", "pool 2"),
        *(f"mixed{n}" for n in range(11)),
        "predictions",
    ]
    assert {stage for stage, block, _ in found if block in ("mixed3", "mixed7")} == {"17 × 17"}


def test_models_that_are_no_chain_of_blocks():
    """NASNet's cells look two back, so that hardly a layer is passed by every path."""
    found = grouped(application("NASNetMobile"))
    assert sum(count for _, _, count in found) == 771
    assert max(count for _, _, count in found) < 60


@pytest.mark.parametrize("name", ["ResNet50V2", "MobileNetV2", "Xception", "NASNetMobile"])
def test_every_layer_has_one_place_and_blocks_feed_forward(name):
    model = application(name)
    calls = walk(model)
    found = places(calls, model.name)
    assert list(found) != []
    assert set(found) == set(calls)
    assert is_acyclic({call: place.block for call, place in found.items()})


def automatic(*, after=()):
    inputs = keras.Input((16, 16, 8))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same")(inputs)))
    x = L.Add()([x, L.Conv2D(8, 3, padding="same")(x)])
    x = L.ReLU()(x)
    for layer in after:
        x = layer(x)
    return keras.Model(inputs, x)


def test_names_that_keras_gives():
    found = grouped(automatic(after=[L.GlobalAveragePooling2D(), L.Dropout(0.5), L.Dense(3)]))
    assert [group[1:] for group in found] == [
        ("input", 1),
        ("conv 1", 3),
        ("block 1", 3),
        ("dense 1", 3),
    ]


def test_padding_goes_with_the_layer_it_prepares():
    found = grouped(automatic(after=[L.ZeroPadding2D(), L.Conv2D(8, 3), L.Flatten(), L.Dense(2)]))
    assert [group[1:] for group in found][3:] == [("conv 2", 2), ("dense 1", 2)]


def test_an_auxiliary_head_does_not_break_the_main_path():
    inputs = keras.Input((16, 16, 8))
    x = L.Conv2D(8, 3, padding="same", name="block1_conv")(inputs)
    aux = L.Dense(2, name="aux")(L.Flatten(name="aux_flatten")(x))
    x = L.Add(name="block2_add")([x, L.Conv2D(8, 3, padding="same", name="block2_conv")(x)])
    x = L.Conv2D(4, 1, name="block3_conv")(x)
    found = grouped(keras.Model(inputs, [L.GlobalMaxPooling2D(name="out")(x), aux]))
    assert ("block2", 2) in [group[1:] for group in found]


def test_blocks_of_a_model_within():
    model = keras.Sequential([keras.Input((64, 64, 3)), L.Rescaling(2.0)])
    inner = keras.Sequential(
        [keras.Input((64, 64, 3)), L.Conv2D(4, 3, name="stem_conv"), L.ReLU(name="stem_relu")],
        name="backbone",
    )
    model.add(inner)
    model.add(L.Flatten())
    model.add(L.Dense(2, name="head"))
    assert [block for _, block, _ in grouped(model)][1:] == ["backbone", "head"]
    assert [block for _, block, _ in grouped(model, expand_nested=False)][1:] == [
        "backbone",
        "head",
    ]


def test_the_trunk_is_what_every_path_to_the_main_output_passes():
    model = automatic(after=[L.Conv2D(2, 1)])
    relu = model.layers[3]
    aux = L.Dense(2)(L.Flatten()(relu.output))
    calls = walk(keras.Model(model.input, [aux, model.output]))
    found = [call.kind for call in trunk(calls)]
    assert found == [
        "InputLayer",
        "Conv2D",
        *("BatchNormalization", "ReLU", "Add", "ReLU"),
        "Conv2D",
    ]


def test_segments_end_where_every_path_passes():
    calls = walk(automatic())
    assert [len(segment) for segment in segments(calls)] == [1, 1, 1, 1, 2, 1]
    assert sorted(len(chain) for chain in chains(calls)) == [1, 2, 4]
