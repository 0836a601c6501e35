import keras
import pytest

from helpers import FORMATS, application
from keras_convnets import ResnetBuilder, cost
from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.graph.graph import Edge, by_stage
from keras_convnets.keras_private import without_values

L = keras.layers


@pytest.fixture(scope="module", params=FORMATS)
def graph(request):
    with without_values():
        model = ResnetBuilder.build_resnet_34((3, 224, 224), 10, data_format=request.param)
    return block_graph(model)


def test_a_box_for_each_group(graph):
    names = [block.name for block in graph.blocks]
    assert names[:3] == ["input", "conv1", "conv2_block1"]
    assert names[-2:] == ["final", "head"]
    assert len(names) == 2 + 16 + 2
    assert graph.blocks[1].stage is None
    assert graph.blocks[2].stage == "conv2"


def test_kinds(graph):
    kinds = {block.name: block.kind for block in graph.blocks}
    assert kinds["input"] == "input"
    assert kinds["conv1"] == "convolution"
    assert kinds["conv3_block2"] == "residual block"
    assert kinds["final"] == "normalisation"
    assert kinds["head"] == "dense"
    others = {block.name: block.kind for block in block_graph(application("InceptionV3")).blocks}
    assert others["pool 1"] == "pooling"
    assert others["mixed0"] == "concatenating block"
    assert "concatenating block" in {b.kind for b in block_graph(application("DenseNet121")).blocks}


def test_edges_carry_the_shapes_of_papers(graph):
    assert graph.edges[0] == Edge("input", "conv1", (3, 224, 224))
    assert Edge("conv2_block3", "conv3_block1", (64, 56, 56)) in graph.edges
    assert len(graph.edges) == len(graph.blocks) - 1


def test_every_layer_is_there_with_its_edges(graph):
    layers = [layer for block in graph.blocks for layer in block.layers]
    assert len({layer.id for layer in layers}) == len(layers) == 122
    assert len(graph.layer_edges) == 122 - 1 + 16  # a chain, and a shortcut for each block
    assert Edge("conv2_block1_conv2", "conv2_block1_add", (64, 56, 56)) in graph.layer_edges


def test_runs_of_alike_blocks_fold(graph):
    folded = fold(graph)
    assert [(block.name, block.repeats) for block in folded.blocks if block.stage] == [
        ("conv2_block1", 1),  # begins with its convolution, so it is not like the others
        ("conv2_block2", 2),
        ("conv3_block1", 1),
        ("conv3_block2", 3),
        ("conv4_block1", 1),
        ("conv4_block2", 5),
        ("conv5_block1", 1),
        ("conv5_block2", 2),
    ]
    assert len(folded.edges) == len(folded.blocks) - 1
    assert folded.price == graph.price
    assert folded.blocks[6].last == "conv4_block6" or folded.blocks[7].last == "conv4_block6"


def test_dense_blocks_fold_though_their_channels_grow():
    folded = fold(block_graph(application("DenseNet121")))
    assert [block.repeats for block in folded.blocks if block.stage] == [6, 12, 24, 16]
    assert folded.blocks[3].shape == (256, 56, 56)


def test_a_block_that_something_else_takes_from_does_not_fold():
    inputs = keras.Input((8, 8, 4))
    x = L.Conv2D(4, 3, padding="same", name="s_block1_conv")(inputs)
    y = L.Conv2D(4, 3, padding="same", name="s_block2_conv")(x)
    out = L.Concatenate(name="end_concat")([L.Conv2D(2, 1, name="end_conv")(y), x])
    folded = fold(block_graph(keras.Model(inputs, out)))
    assert [block.repeats for block in folded.blocks] == [1, 1, 1, 1]


def test_prices_are_those_of_cost(graph):
    with without_values():
        found = cost(ResnetBuilder.build_resnet_34((3, 224, 224), 10))
    assert graph.price == Price(found.params, found.macs)
    rows = {row.name: row for row in found.rolled_up("block")}
    for block in graph.blocks:
        assert block.price == Price(rows[block.name].params, rows[block.name].macs)


def test_sizes_left_open_leave_multiply_adds_unknown():
    graph = block_graph(ResnetBuilder.build_resnet_18((3, None, None), 10))
    assert graph.price.params == 11_184_650
    assert graph.price.macs is None
    assert graph.blocks[1].shape == (64, None, None)


def test_stages(graph):
    stages = [(name, len(blocks)) for name, blocks in by_stage(graph)]
    assert stages == [
        ("input", 1), ("conv1", 1), ("conv2", 3), ("conv3", 4), ("conv4", 6), ("conv5", 3),
        ("final", 1), ("head", 1),
    ]  # fmt: skip


def test_a_layer_used_twice_and_a_sequential_model():
    layer = L.Dense(4, name="twice")
    inputs = keras.Input((4,))
    graph = block_graph(keras.Model(inputs, layer(layer(inputs))))
    assert [one.id for block in graph.blocks for one in block.layers][1:] == [
        "twice",
        "twice (2)",
    ]
    assert graph.price == Price(20, 32)
    model = keras.Sequential([keras.Input((4,)), L.Dense(2)])
    assert len(block_graph(model).blocks) == 2


def test_models_within_are_one_box_unless_expanded():
    inner = keras.Sequential([keras.Input((None, None, 3)), L.Conv2D(4, 3), L.ReLU()], name="inner")
    model = keras.Sequential([keras.Input((9, 9, 3)), inner, L.Flatten(), L.Dense(2, name="head")])
    folded, expanded = block_graph(model), block_graph(model, expand_nested=True)
    step = next(
        layer.description
        for block in folded.blocks
        for layer in block.layers
        if layer.id == "inner"
    )
    assert (step.text, step.kind) == ("model of 2 layers", "model")
    assert folded.price == expanded.price == Price(model.count_params(), cost(model).macs)
    names = [layer.id for block in expanded.blocks for layer in block.layers]
    assert sum(name.startswith("inner/") for name in names) == 2


@pytest.mark.parametrize("model", [None, "resnet_18", keras.Sequential([L.Dense(2)])])
def test_what_is_no_functional_model(model):
    with pytest.raises(ValueError, match="^model: received .*; expected a"):
        block_graph(model)
