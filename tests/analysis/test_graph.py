import keras
import pytest

from helpers import FORMATS
from keras_convnets import ResnetBuilder
from keras_convnets.analysis.graph import Edge, block_graph, fold


def texts(steps):
    return [step.text for step in steps]


@pytest.fixture(scope="module", params=FORMATS)
def graph(request):
    with keras.StatelessScope(initialize_variables=False):
        model = ResnetBuilder.build_resnet_34((3, 224, 224), 10, data_format=request.param)
    return block_graph(model)


def test_a_box_for_each_group(graph):
    names = [block.name for block in graph.blocks]
    assert names[:3] == ["input", "conv1", "conv2_block1"]
    assert names[-2:] == ["final", "head"]
    assert len(names) == 2 + 16 + 2
    assert graph.blocks[1].stage is None
    assert graph.blocks[2].stage == "conv2"


def test_what_is_inside_is_in_order(graph):
    blocks = {block.name: block for block in graph.blocks}
    assert texts(blocks["conv1"].steps) == ["7×7 conv, 64, /2", "BN", "ReLU", "3×3 max pool, /2"]
    assert texts(blocks["conv3_block1"].steps) == [
        "BN",
        "ReLU",
        "3×3 conv, 128, /2",
        "BN",
        "ReLU",
        "3×3 conv, 128",
    ]


def test_shortcuts_are_identities_or_projections(graph):
    blocks = {block.name: block for block in graph.blocks}
    assert blocks["conv1"].shortcut is None
    assert blocks["conv2_block1"].shortcut == ()
    assert texts(blocks["conv3_block1"].shortcut) == ["1×1 conv, 128, /2"]
    assert blocks["conv3_block2"].shortcut == ()


def test_edges_carry_the_shapes_of_papers(graph):
    assert graph.edges[0] == Edge("input", "conv1", "3 × 224 × 224")
    assert Edge("conv2_block3", "conv3_block1", "64 × 56 × 56") in graph.edges
    assert len(graph.edges) == len(graph.blocks) - 1


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


def test_a_foreign_model_has_a_box_for_each_layer():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    outputs = keras.layers.Add(name="sum")([x, keras.layers.Conv2D(4, 1, name="second")(x)])
    graph = block_graph(keras.Model(inputs, outputs))
    assert [block.name for block in graph.blocks][1:] == ["first", "second", "sum"]
    edges = [(edge.source, edge.target) for edge in graph.edges][1:]
    assert edges == [("first", "second"), ("first", "sum"), ("second", "sum")]


def test_a_layer_used_twice_and_a_sequential_model_are_drawn():
    layer = keras.layers.Dense(4, name="twice")
    inputs = keras.Input((4,))
    assert len(block_graph(keras.Model(inputs, layer(layer(inputs)))).blocks) == 2
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert len(block_graph(model).blocks) == 2


@pytest.mark.parametrize("model", [None, "resnet_18", keras.Sequential([keras.layers.Dense(2)])])
def test_what_is_no_functional_model(model):
    with pytest.raises(ValueError, match="^model: received .*; expected a functional Keras model"):
        block_graph(model)
