import functools
import itertools

import keras
import numpy as np
import pytest

from helpers import FORMATS, blank_kernels, images, outline
from keras_convnets import Style, channels, conv_bn_relu, cost, create_model, receptive_field
from keras_convnets.architectures.inception import inception_resnet, v4
from keras_convnets.architectures.inception.builder import InceptionBuilder
from keras_convnets.architectures.inception.googlenet import inception
from keras_convnets.architectures.inception.inception_resnet import (
    inception_resnet_a,
    inception_resnet_b,
    inception_resnet_c,
    reduction_resnet_b,
)
from keras_convnets.architectures.inception.multibranch import SLIM, TORCHVISION, reduction_a
from keras_convnets.architectures.inception.v3 import (
    inception_a,
    inception_b,
    inception_c,
    inception_d,
    inception_e,
)
from keras_convnets.architectures.inception.v4 import (
    inception_v4_a,
    inception_v4_b,
    inception_v4_c,
    reduction_v4_b,
)
from keras_convnets.assemble import assemble
from keras_convnets.graph.words import describe
from keras_convnets.keras_private import without_values
from keras_convnets.naming import parse
from twins import copy_weights

# Trainable parameters, and multiply-adds where published. Caffe's bvlc_googlenet, torchvision
# (with auxiliary classifiers: the parameters of the model as it is built for training).
FIGURES = [
    ("googlenet", False, 6_998_552, None),
    ("googlenet", True, 13_378_280, None),
    ("googlenet_bn", False, 6_624_904, 1_498_376_192),
    ("googlenet_bn", True, 13_004_888, None),
    ("inception_v3", False, 23_834_568, 5_713_216_096),
    ("inception_v3", True, 27_161_264, None),
]
# The PyTorch ports of Cadene and timm, which add a scale for each channel of batch normalisation.
PORTS = {"inception_v4": 42_679_816, "inception_resnet_v2": 55_843_464}

# Table 1 of the paper, a line a block: rows of the maps, channels in, the six columns.
TABLE = """
    28 192  64  96 128 16  32  32
    28 256 128 128 192 32  96  64
    14 480 192  96 208 16  48  64
    14 512 160 112 224 24  64  64
    14 512 128 128 256 24  64  64
    14 512 112 144 288 32  64  64
    14 528 256 160 320 32 128 128
     7 832 256 160 320 32 128 128
     7 832 384 192 384 48 128 128
"""
ROWS = [tuple(map(int, line.split())) for line in TABLE.strip().splitlines()]
ROW = (8, (8, 16), (4, 8), 8)


outline = functools.cache(outline)  # shapes are asked for again and again


def build(*args, **options):
    with without_values():
        return InceptionBuilder.build(*args, **options)


def alive(model, seed=0):
    """Give a model weights through which the signal of its input lasts, none of them alike."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            shape, name = weight.shape, weight.name
            if name == "kernel":
                weight.assign(
                    rng.standard_normal(shape, "float32") * np.sqrt(2 / np.prod(shape[:-1]))
                )
            elif name in ("gamma", "moving_variance"):
                weight.assign(rng.uniform(0.6, 1.4, shape))
            else:
                weight.assign(0.2 * rng.standard_normal(shape))
    return model


def kinds(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.mark.parametrize(("name", "auxiliary", "parameters", "multiply_adds"), FIGURES)
def test_published_figures(name, auxiliary, parameters, multiply_adds):
    model = outline(name, include_auxiliary=auxiliary)
    found = cost(model)
    assert found.trainable_params == parameters
    assert multiply_adds in (found.macs, None)
    assert found.uncounted == ()
    assert not any(field.unknown for field in receptive_field(model).values())


@pytest.mark.parametrize(("name", "parameters"), PORTS.items())
def test_parameters_of_ports_that_scale_in_batch_normalisation(name, parameters):
    model = outline(name)
    found = cost(model)
    scales = sum(bn.moving_mean.shape[0] for bn in kinds(model, keras.layers.BatchNormalization))
    assert found.trainable_params + scales == parameters
    assert found.uncounted == ()
    assert not any(field.unknown for field in receptive_field(model).values())


@pytest.mark.parametrize(("name", "kernel"), [("googlenet", 5), ("googlenet_bn", 3)])
def test_multiply_adds_by_hand(name, kernel):
    stem = 112**2 * 49 * 3 * 64 + 56**2 * (64 * 64 + 9 * 64 * 192)
    blocks = sum(
        size**2
        * (into * (one + three0 + five0 + pool) + 9 * three0 * three + kernel**2 * five0 * five)
        for size, into, one, three0, three, five0, five, pool in ROWS
    )
    model = outline(name, include_auxiliary=False)
    assert cost(model).macs == stem + blocks + 1024 * 1000
    for (size, _, one, _, three, _, five, pool), block in zip(ROWS, blocks_of(model), strict=True):
        shape = model.get_layer(f"{block}_concat").output.shape
        assert shape == (None, size, size, one + three + five + pool)


def blocks_of(model):
    parsed = [parse(layer.name) for layer in model.layers]
    return list(dict.fromkeys(name.group for name in parsed if name and name.block))


def test_names_of_googlenet():
    model = outline("googlenet")
    groups = dict.fromkeys(parse(layer.name).group for layer in model.layers[1:])
    assert sorted(groups) == sorted(
        ["conv1", "conv2", "pool3", "pool4", "head", "aux1", "aux2"]
        + [f"inception3_block{n}" for n in (1, 2)]
        + [f"inception4_block{n}" for n in (1, 2, 3, 4, 5)]
        + [f"inception5_block{n}" for n in (1, 2)]
    )
    names = [layer.name for layer in model.layers]
    assert names[:15] == [
        *("input_image", "conv1_zeros", "conv1_conv", "conv1_relu", "conv1_zeros2", "conv1_pool"),
        *("conv1_lrn", "conv2_conv", "conv2_relu", "conv2_conv2", "conv2_relu2", "conv2_lrn"),
        *("conv2_zeros", "conv2_pool"),
        "inception3_block1_branch3x3_conv",
    ]
    assert [path.name for path in inputs_of(model.get_layer("inception3_block1_concat"))] == [
        *("inception3_block1_branch1x1_relu", "inception3_block1_branch3x3_relu2"),
        *("inception3_block1_branch5x5_relu2", "inception3_block1_branch_pool_relu"),
    ]
    assert [layer.name for layer in inputs_of(model.get_layer("aux1_pool"))] == [
        "inception4_block1_concat"
    ]
    assert [layer.name for layer in inputs_of(model.get_layer("aux2_pool"))] == [
        "inception4_block4_concat"
    ]
    assert [output._keras_history.operation.name for output in model.outputs] == [
        *("head_dense", "aux1_dense2", "aux2_dense2")
    ]


def inputs_of(layer):
    return [node.operation for node in layer._inbound_nodes[0].parent_nodes]


def test_details_of_googlenet():
    model = outline("googlenet")
    for name in ("conv1_lrn", "conv2_lrn"):
        norm = model.get_layer(name)
        assert (norm.size, norm.alpha, norm.beta, norm.bias) == (5, 2e-5, 0.75, 1.0)
    assert [layer.rate for layer in kinds(model, keras.layers.Dropout)] == [0.4, 0.7, 0.7]
    assert model.get_layer("conv1_zeros").padding == ((3, 3), (3, 3))
    pools = [model.get_layer(f"{group}_pool") for group in ("conv1", "conv2", "pool3", "pool4")]
    assert [describe(pool).text for pool in pools] == ["max pool 3×3, /2"] * 4
    assert {inputs_of(pool)[0].padding for pool in pools} == {((0, 1), (0, 1))}
    assert {pool.padding for pool in pools} == {"valid"}
    assert chain_to(model.get_layer("aux2_dense2"), "inception4_block4_concat") == [
        *("avg pool 5×5, /3", "1×1, 128", "ReLU", "flatten"),
        *("dense 1024", "ReLU", "dropout 0.7", "dense 1000"),
    ]
    model = outline("googlenet_bn", include_auxiliary=True)
    assert model.get_layer("pool4_pool").pool_size == (2, 2)
    assert chain_to(model.get_layer("aux2_dense2"), "inception4_block4_concat") == [
        *("adaptive avg pool 4×4", "1×1, 128", "BN", "ReLU", "flatten"),
        *("dense 1024", "ReLU", "dropout 0.7", "dense 1000"),
    ]


@pytest.mark.parametrize("name", ["googlenet", "googlenet_bn"])
def test_pools_of_googlenet_round_up(name):
    model = outline(name, (3, 300, 150), include_auxiliary=False)
    pools = [model.get_layer(f"{group}_pool") for group in ("conv1", "conv2", "pool3", "pool4")]
    sizes = [pool.output.shape[1:3] for pool in pools]
    assert sizes == [(75, 37), (37, 18), (18, 9), (9, 5 if name == "googlenet_bn" else 4)]


def chain_to(layer, start):
    words = [describe(layer).text]
    while (layer := inputs_of(layer)[0]).name != start:
        words.insert(0, describe(layer).text)
    return words


@pytest.mark.parametrize(
    ("name", "bias", "epsilon", "momentum", "scale", "dropout", "padding"),
    [
        ("googlenet", {True}, None, None, None, [0.4], "same"),
        ("googlenet_bn", {False}, 1e-3, 0.9, True, [0.2], "same"),
        ("inception_v3", {False}, 1e-3, 0.9, True, [0.5], "valid"),
        ("inception_v3_keras", {False}, 1e-3, 0.99, False, [], "same"),
        ("inception_v4", {False}, 1e-3, 0.99, False, [0.2], "same"),
        # Residuals are projected with a bias, and without batch normalisation.
        ("inception_resnet_v2", {True, False}, 1e-3, 0.99, False, [], "same"),
    ],
)
def test_how_layers_are_made(name, bias, epsilon, momentum, scale, dropout, padding):
    options = {"include_auxiliary": False} if name == "googlenet" else {}
    model = outline(name, **options)
    assert {conv.use_bias for conv in kinds(model, keras.layers.Conv2D)} == bias
    settings = {
        (bn.epsilon, bn.momentum, bn.scale, bn.center)
        for bn in kinds(model, keras.layers.BatchNormalization)
    }
    assert settings == ({(epsilon, momentum, scale, True)} if epsilon else set())
    assert [layer.rate for layer in kinds(model, keras.layers.Dropout)] == dropout
    means = {pool.padding for pool in kinds(model, keras.layers.AveragePooling2D)}
    assert means == (set() if name.startswith("googlenet") else {padding})


def branches(block, *shape):
    """Return a block's branches in words, in the order in which it puts them together."""
    with without_values():
        y = block(keras.Input(shape))
    return in_words(y._keras_history.operation)


def in_words(layer):
    """Return what leads to a layer: a list of branches where it is a concatenation."""
    if isinstance(layer, keras.layers.Concatenate):
        return [in_words(branch) for branch in inputs_of(layer)]
    words = []
    while inputs_of(layer):
        if isinstance(layer, keras.layers.Concatenate):
            return [*in_words(layer), "; ".join(words)]
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Layer) and describe(layer).heavy:
            words.insert(0, describe(layer).text.replace("×", "x").replace(" pool", ""))
        layer = inputs_of(layer)[0]
    return "; ".join(words)


SPLIT = ["{0}; 1x3, {1}", "{0}; 3x1, {1}"]


def split(before, maps):
    return [words.format(before, maps) for words in SPLIT]


# A block, its input, its branches: of Inception-v3 as torchvision's and Keras' code have them, of
# the later ones as TF-Slim's and Keras'.
BLOCKS = [
    (
        *(inception(64, (96, 128), (16, 32), 24), 192),
        ["1x1, 64", "1x1, 96; 3x3, 128", "1x1, 16; 5x5, 32", "max 3x3; 1x1, 24"],
    ),
    (
        *(inception(64, (96, 128), (16, 32), 24, TORCHVISION, large_kernel=3), 192),
        ["1x1, 64", "1x1, 96; 3x3, 128", "1x1, 16; 3x3, 32", "max 3x3; 1x1, 24"],
    ),
    (
        *(inception_a(40, SLIM), 192),
        ["1x1, 64", "1x1, 48; 5x5, 64", "1x1, 64; 3x3, 96; 3x3, 96", "avg 3x3; 1x1, 40"],
    ),
    (
        *(inception_b(), 288),
        ["3x3, 384, /2", "1x1, 64; 3x3, 96; 3x3, 96, /2", "max 3x3, /2"],
    ),
    (
        *(inception_c(128, SLIM), 768),
        [
            "1x1, 192",
            "1x1, 128; 1x7, 128; 7x1, 192",
            "1x1, 128; 7x1, 128; 1x7, 128; 7x1, 128; 1x7, 192",
            "avg 3x3; 1x1, 192",
        ],
    ),
    (
        *(inception_d(), 768),
        [
            "1x1, 192; 3x3, 320, /2",
            "1x1, 192; 1x7, 192; 7x1, 192; 3x3, 192, /2",
            "max 3x3, /2",
        ],
    ),
    (
        *(inception_e(SLIM), 1280),
        [
            "1x1, 320",
            split("1x1, 384", 384),
            split("1x1, 448; 3x3, 384", 384),
            "avg 3x3; 1x1, 192",
        ],
    ),
    (
        *(inception_v4_a(), 384),
        ["1x1, 96", "1x1, 64; 3x3, 96", "1x1, 64; 3x3, 96; 3x3, 96", "avg 3x3; 1x1, 96"],
    ),
    (
        *(reduction_a(192, 224, 256, 384), 384),
        ["3x3, 384, /2", "1x1, 192; 3x3, 224; 3x3, 256, /2", "max 3x3, /2"],
    ),
    (
        *(inception_v4_b(), 1024),
        [
            "1x1, 384",
            "1x1, 192; 1x7, 224; 7x1, 256",
            "1x1, 192; 7x1, 192; 1x7, 224; 7x1, 224; 1x7, 256",
            "avg 3x3; 1x1, 128",
        ],
    ),
    (
        *(reduction_v4_b(), 1024),
        [
            "1x1, 192; 3x3, 192, /2",
            "1x1, 256; 1x7, 256; 7x1, 320; 3x3, 320, /2",
            "max 3x3, /2",
        ],
    ),
    (
        *(inception_v4_c(), 1536),
        [
            "1x1, 256",
            split("1x1, 384", 256),
            split("1x1, 384; 3x1, 448; 1x3, 512", 256),
            "avg 3x3; 1x1, 256",
        ],
    ),
    (
        *(reduction_resnet_b(), 1088),
        [
            "1x1, 256; 3x3, 384, /2",
            "1x1, 256; 3x3, 288, /2",
            "1x1, 256; 3x3, 288; 3x3, 320, /2",
            "max 3x3, /2",
        ],
    ),
]


@pytest.mark.parametrize(("block", "maps", "expected"), BLOCKS)
def test_branches_of_the_blocks(block, maps, expected):
    assert branches(block, 9, 9, maps) == expected


def test_branches_of_the_stem_of_inception_v4():
    model = outline("inception_v4")
    found = [
        [chain_to(end, start) for end in inputs_of(model.get_layer(f"{group}_concat"))]
        for group, start in (
            *(("mixed3", "conv2_relu2"), ("mixed4", "mixed3_concat"), ("mixed5", "mixed4_concat")),
        )
    ]
    heavy = [
        ["; ".join(word for word in words if "×" in word) for words in branch] for branch in found
    ]
    assert heavy == [
        ["max pool 3×3, /2", "3×3, 96, /2"],
        ["1×1, 64; 3×3, 96", "1×1, 64; 1×7, 64; 7×1, 64; 3×3, 96"],
        ["3×3, 192, /2", "max pool 3×3, /2"],
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (inception_resnet_a(0.17), ["1x1, 32", "1x1, 32; 3x3, 32", "1x1, 32; 3x3, 48; 3x3, 64"]),
        (inception_resnet_b(0.1), ["1x1, 192", "1x1, 128; 1x7, 160; 7x1, 192"]),
        (inception_resnet_c(0.2), ["1x1, 192", "1x1, 192; 1x3, 224; 3x1, 256"]),
    ],
)
def test_branches_of_the_residual_blocks(block, expected):
    with without_values():
        add = inputs_of(block(keras.Input((9, 9, 24)))._keras_history.operation)[0]
    shortcut, scale = inputs_of(add)
    assert isinstance(shortcut, keras.layers.InputLayer)
    projection = inputs_of(scale)[0]
    assert (projection.filters, projection.use_bias) == (24, True)
    assert in_words(inputs_of(projection)[0]) == expected


def test_a_residual_block_scales_adds_and_is_saved():
    block = inception_resnet_b(0.25)
    model = assemble((4, 9, 9), None, [("stage1_block1", block)], "tiny", include_top=False)
    alive(model)
    x = images((4, 9, 9), "channels_last", count=1)
    layers = ["stage1_block1_conv1", "stage1_block1_relu1"]
    inside = keras.Model(model.input, [model.get_layer(name).output for name in layers])
    residual, y = (keras.ops.convert_to_numpy(tensor) for tensor in inside(x))
    np.testing.assert_allclose(y, np.maximum(x + 0.25 * residual, 0), rtol=0, atol=1e-5)
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert np.abs(keras.ops.convert_to_numpy(loaded(x)) - y).max() == 0
    assert cost(loaded).uncounted == ()
    assert not any(field.unknown for field in receptive_field(loaded).values())


def test_scales_of_inception_resnet():
    model = outline("inception_resnet_v2")
    scales = [layer.scale for layer in kinds(model, keras.layers.Rescaling)]
    assert scales == [0.17] * 10 + [0.1] * 20 + [0.2] * 9
    last = model.get_layer("final_conv")
    assert inputs_of(last)[0].name == "inception7_block10_add"  # neither scaled nor activated
    assert inputs_of(inputs_of(last)[0])[1].name == "inception7_block10_conv1"


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        (
            "inception_v3",
            {
                "conv2_pool": (73, 64),
                "conv4_pool": (35, 192),
                "inception5_block1_concat": (35, 256),
                "inception5_block3_concat": (35, 288),
                "reduction6_concat": (17, 768),
                "inception6_block4_concat": (17, 768),
                "reduction7_concat": (8, 1280),
                "inception7_block2_concat": (8, 2048),
            },
        ),
        (
            "inception_v4",
            {
                "mixed3_concat": (73, 160),
                "mixed4_concat": (71, 192),
                "mixed5_concat": (35, 384),
                "inception5_block4_concat": (35, 384),
                "reduction6_concat": (17, 1024),
                "inception6_block7_concat": (17, 1024),
                "reduction7_concat": (8, 1536),
                "inception7_block3_concat": (8, 1536),
            },
        ),
        (
            "inception_resnet_v2",
            {
                "mixed5_concat": (35, 320),
                "inception5_block10_relu1": (35, 320),
                "inception6_block20_relu1": (17, 1088),
                "inception7_block10_add": (8, 2080),
                "final_relu": (8, 1536),
            },
        ),
    ],
)
def test_shapes_of_the_stages(name, ends):
    model = outline(name)
    for layer, (size, maps) in ends.items():
        assert model.get_layer(layer).output.shape == (None, size, size, maps)
    # One block more would be a stage too long.
    blocks = blocks_of(model)
    last = [layer.rpartition("_")[0] for layer in ends if "_block" in layer]
    assert {blocks[n] for n in range(len(blocks)) if is_last(blocks, n)} <= set(last)


def is_last(blocks, n):
    return n + 1 == len(blocks) or blocks[n + 1].endswith("_block1")


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("style", "corner"), [(TORCHVISION, 4 / 9), (SLIM, 1)])
def test_average_pooling_counts_zeros_around_the_maps_in_symmetric_padding_only(
    style, corner, data_format
):
    parts = [("stage1_block1", inception_a(32, style))]
    model = assemble((2, 5, 5), None, parts, "tiny", include_top=False, data_format=data_format)
    pool = model.get_layer("stage1_block1_branch_pool_pool").output
    ones = np.ones((1, *model.input_shape[1:]), "float32")
    means = keras.ops.convert_to_numpy(keras.Model(model.input, pool)(ones))
    means = means[0, 0] if data_format == "channels_first" else means[0, ..., 0]
    np.testing.assert_allclose(means[[0, 0, 2], [0, 2, 2]], [corner, corner**0.5, 1], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "twin", "maps", "twin_maps"),
    [
        ("inception_v3_keras", "InceptionV3", "inception7_block2_concat", "mixed10"),
        ("inception_resnet_v2", "InceptionResNetV2", "final_relu", "conv_7b_ac"),
    ],
)
def test_outputs_and_features_are_those_of_keras_applications(name, twin, maps, twin_maps):
    size = 107  # the smallest that leaves maps of more than one pixel
    with blank_kernels():
        theirs = getattr(keras.applications, twin)(
            weights=None, input_shape=(size, size, 3), classes=5, classifier_activation=None
        )
        ours = create_model(name, (3, size, size), 5, classifier_activation=None)
    assert ours.count_params() == theirs.count_params()
    copy_weights(alive(theirs), ours)
    x = images((3, size, size), "channels_last")
    pairs = []
    for model, features in ((theirs, twin_maps), (ours, maps)):
        both = keras.Model(model.input, [model.get_layer(features).output, model.output])
        # An image at a time: a batch whose strided convolution ends in one column is computed
        # wrongly by TensorFlow on some CPUs.
        pairs.append(
            [np.concatenate(parts) for parts in zip(both(x[:1]), both(x[1:]), strict=True)]
        )
    for expected, found in zip(*pairs, strict=True):
        largest = np.abs(expected).max()
        assert np.abs(found - expected).max() < 1e-5 * largest
        assert np.abs(expected[0] - expected[1]).max() > 1e-2 * largest  # the image matters


def thinned(parts):
    """Return the parts of a network with the first and the last block of each stage alone."""
    stages = itertools.groupby(parts, key=lambda part: part[0].split("_block")[0])
    found = []
    for _, stage in stages:
        blocks = list(stage)
        found += blocks[:1] + blocks[1:][-1:]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("family", [v4, inception_resnet])  # others: as every small network
def test_both_formats_compute_the_same(family):
    size, parts = 75, thinned(family.parts(SLIM))
    assert sum("_block" in group for group, _ in parts) == 6
    with blank_kernels():
        options = {"classifier_activation": None}
        first, last = (
            assemble((3, size, size), 4, parts, "thin", data_format=data_format, **options)
            for data_format in FORMATS
        )
    alive(last)
    first.set_weights(last.get_weights())
    assert [layer.name for layer in first.layers] == [layer.name for layer in last.layers]
    outputs = [
        np.concatenate(keras.tree.flatten(model(images((3, size, size), fmt, count=1))))
        for model, fmt in zip((first, last), FORMATS, strict=True)
    ]
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-5 * np.abs(outputs[1]).max()


@pytest.mark.slow
def test_training_with_auxiliary_classifiers():
    model = create_model("googlenet", (3, 65, 65), 4, l2_penalty=0)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.001), [loss] * 3, loss_weights=[1, 0.3, 0.3])
    x, y = images((3, 65, 65), "channels_last", count=4), np.arange(4)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    logs = model.fit(x, (y, y, y), batch_size=4, verbose=0).history
    main, aux1, aux2 = (
        logs[f"{layer}_loss"][0] for layer in ("head_dense", "aux1_dense2", "aux2_dense2")
    )
    assert logs["loss"][0] == pytest.approx(main + 0.3 * aux1 + 0.3 * aux2, rel=1e-5)
    changed = [np.any(one != two) for one, two in zip(before, model.trainable_weights, strict=True)]
    assert all(changed)


@pytest.mark.slow
def test_auxiliary_classifiers_come_and_go():
    for name, outputs in (("googlenet", 3), ("googlenet_bn", 3), ("inception_v3", 2)):
        with_them = outline(name, num_outputs=7, include_auxiliary=True)
        assert with_them.output_shape == [(None, 7)] * outputs
        assert outline(name, None, 7, include_auxiliary=False).output_shape == (None, 7)
        maps = outline(name, include_top=False, include_auxiliary=True)
        assert len(maps.output_shape) == 4
    assert isinstance(outline("googlenet").output_shape, list)
    assert outline("googlenet_bn").output_shape == outline("inception_v3").output_shape
    assert chain_to(with_them.get_layer("aux1_dense"), "inception6_block4_concat") == [
        *("avg pool 5×5, /3", "1×1, 128", "BN", "ReLU", "5×5, 768", "BN", "ReLU"),
        *("global avg pool", "dense 7"),
    ]
    assert with_them.get_layer("aux1_relu2").output.shape == (None, 1, 1, 768)


@pytest.mark.parametrize(
    ("name", "options", "smallest", "group"),
    [
        ("googlenet", {"include_auxiliary": False}, 31, "pool4"),
        ("googlenet", {}, 47, "aux1"),
        ("googlenet_bn", {"include_auxiliary": True}, 31, "pool4"),
        ("inception_v3", {}, 75, "reduction7"),
        ("inception_v3", {"include_auxiliary": True}, 299, "aux1"),
        ("inception_v4", {}, 75, "reduction7"),
        ("inception_resnet_v2", {}, 75, "reduction7"),
    ],
)
def test_the_smallest_size(name, options, smallest, group):
    assert outline(name, (3, smallest, smallest), 4, **options).name == name
    size = smallest - 1
    with pytest.raises(ValueError, match=f"^input_shape: .* in {group}, ") as caught:
        outline(name, (3, size, size), 4, **options)
    assert ("include_auxiliary=False" in str(caught.value)) == (group == "aux1")


def test_sizes_may_be_unknown():
    for name in ("googlenet_bn", "inception_v4"):
        assert outline(name, (3, None, None), 4).output_shape == (None, 4)
    model = outline("inception_v3", (3, None, 320), 4, include_auxiliary=True)
    assert model.output_shape == [(None, 4)] * 2
    model = outline("googlenet_bn", (3, None, None), 4, include_auxiliary=True)
    assert model.output_shape == [(None, 4)] * 3
    assert model.get_layer("aux1_dense").kernel.shape == (4 * 4 * 128, 1024)
    with pytest.raises(ValueError, match=r"^input_shape: received None .*include_auxiliary=False"):
        outline("googlenet", (3, None, 224), 4)
    maps = outline("googlenet", (3, None, None), include_top=False)
    assert maps.output_shape == (None, None, None, 1024)


def test_rows_of_ones_own():
    stages = [[ROW, (16, (8, 16), (4, 8), 8)], [ROW], [ROW, conv_bn_relu(24, 3)]]
    model = build((3, 64, 64), 10, stages, dropout=0.3)
    assert blocks_of(model) == [
        *("inception3_block1", "inception3_block2", "inception4_block1"),
        *("inception5_block1", "inception5_block2"),
    ]
    shapes = {"conv2_pool": (8, 192), "inception3_block2_concat": (8, 48)}
    shapes |= {"pool3_pool": (4, 48), "pool4_pool": (2, 40), "inception5_block2_relu1": (2, 24)}
    for layer, (size, maps) in shapes.items():
        assert model.get_layer(layer).output.shape == (None, size, size, maps)
    assert "pool5_pool" not in [layer.name for layer in model.layers]
    assert [bn.name for bn in kinds(model, keras.layers.BatchNormalization)] == [
        "inception5_block2_bn1"
    ]
    assert model.get_layer("head_dropout").rate == 0.3
    assert (model.name, model.output_shape) == ("inception", (None, 10))


def test_a_style_and_a_stem_of_ones_own():
    style = Style(use_bias=False, epsilon=1e-4)
    model = build((3, 32, 32), 10, [[ROW]], style)
    convolutions = kinds(model, keras.layers.Conv2D)
    normalisations = kinds(model, keras.layers.BatchNormalization)
    assert len(convolutions) == len(normalisations) == 3 + 6
    assert {bn.epsilon for bn in normalisations} == {1e-4}
    assert not any(conv.use_bias for conv in convolutions)
    assert model.get_layer("conv1_conv").padding == "same"
    small = build((3, 32, 32), 10, [[ROW]], stem=conv_bn_relu(16, 3), name="small")
    assert small.get_layer("inception3_block1_concat").output.shape == (None, 32, 32, 40)
    assert small.name == "small"


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([], "stages: received []; expected one or more stages"),
        ([[]], "stages: received [[]]; expected one or more stages"),
        (None, "stages: received None"),
        ("ab", "stages: received 'ab'"),
        ([ROW], "row: received 8; expected the columns of GoogLeNet's table"),
        ([[(8, 16, (4, 8), 8)]], "row: received (8, 16, (4, 8), 8); expected"),
        ([[(8, (8, 16), (4, 8))]], "row: received (8, (8, 16), (4, 8)); expected"),
        ([[(8, (8, 16), (4, 0), 8)]], "row: received (8, (8, 16), (4, 0), 8); expected"),
        ([[(8.5, (8, 16), (4, 8), 8)]], "row: received (8.5, "),
    ],
)
def test_wrong_rows(stages, words):
    with pytest.raises(ValueError) as caught:
        build((3, 64, 64), 10, stages)
    assert str(caught.value).startswith(words)
    assert len(str(caught.value).splitlines()) == 1


def test_other_wrong_arguments():
    for rate in (-0.1, 1, "half"):
        with pytest.raises(ValueError, match="^dropout: received "):
            build((3, 64, 64), 10, [[ROW]], dropout=rate)
    with pytest.raises(ValueError, match="^include_auxiliary: received 'no'; expected one of True"):
        outline("googlenet", include_auxiliary="no")
    with pytest.raises(ValueError, match="^row: received "):
        inception(64, 128, 32, 32)


def test_blocks_stand_alone_on_any_tensor():
    with without_values():
        x = keras.Input((None, None, 13))
        for block in (inception(*ROW), inception_c(8), inception_resnet_a(), inception_v4_c()):
            assert block(x).shape[1:3] == (None, None)
        assert channels(inception(*ROW, style=SLIM)(x)) == 40
