import itertools

import keras
import pygraphviz
import pytest

from helpers import application
from keras_convnets import ResnetBuilder, create_model, units
from keras_convnets.analysis.cost.prices import Price
from keras_convnets.analysis.plot.figure import figure
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.graph.graph import Edge
from keras_convnets.analysis.plot.labels import price_text, title
from keras_convnets.analysis.plot.look import Look
from keras_convnets.analysis.plot.sheet.columns import aside, columns
from keras_convnets.analysis.plot.style import short
from keras_convnets.assemble import assemble
from keras_convnets.keras_private import without_values
from keras_convnets.units import heads

L = keras.layers


@pytest.fixture(scope="module")
def graph():
    with without_values():
        return block_graph(ResnetBuilder.build_resnet_34((3, 224, 224), 10))


def drawn(graph, detail="block", **look):
    return figure(graph, detail, Look(**look))


def nodes(drawing, place=None):
    """Return the nodes of a figure by what they show, from all of its frames."""
    found = {}
    for node in (place or drawing).get_nodes():
        is_mark = "mark" in (node.get("class") or "")
        name = node.get_name() if is_mark else (node.get("tooltip") or "").strip('"')
        found |= {name: node} if name else {}
    for frame in (place or drawing).get_subgraphs():
        found |= nodes(drawing, frame)
    return found


def edges(drawing):
    name_of = {node.get_name(): name for name, node in nodes(drawing).items()}
    return {
        (name_of[edge.get_source()], name_of[edge.get_destination()]): edge
        for edge in drawing.get_edges()
        if edge.get("style") != "invis"
    }


def frames(drawing, place=None):
    found = []
    for frame in (place or drawing).get_subgraphs():
        found += [(frame.get("label") or "").strip('"'), *frames(drawing, frame)]
    return [name for name in found if name]


def test_boxes_say_what_is_inside_in_one_line(graph):
    label = nodes(drawn(fold(graph)))["conv4_block2"].get("label")
    assert "3×3, 256 | 3×3, 256" in label
    assert "block2 to 6" in label
    assert "<B>× 5</B>" in label
    assert "5.91 M params, 1.16 G MACs" in label


def test_identities_are_solid_and_projections_dashed_and_labelled(graph):
    found = edges(drawn(fold(graph)))
    identity = found["conv2_block1 merge", "conv2_block2 merge"]
    projection = found["conv2_block2 merge", "conv3_block1 merge"]
    assert identity.get("class") == "identity"
    assert identity.get("style") is None
    assert projection.get("class") == "projection"
    assert projection.get("style") == "dashed"
    assert "1×1, 128, /2" in projection.get("label")


def test_resized_identities_are_dashed_but_no_projections():
    with without_values():
        resnet = block_graph(create_model("resnet_v1_34_a"))
    drawing = drawn(fold(resnet))
    shortcut = edges(drawing)["conv2_block1 merge", "conv3_block1 merge"]
    assert (shortcut.get("class"), shortcut.get("style")) == ("identity", "dashed")
    assert "max pool 1×1, /2 | pad to 128 channels" in shortcut.get("label")
    legend = nodes(drawing)["legend"].get("label")
    assert "identity shortcut, resized" in legend
    assert "projection" not in legend


def test_shapes_stand_where_they_change(graph):
    found = edges(drawn(fold(graph)))
    assert "3 × 224 × 224" in found["input", "conv1"].get("label")
    assert found["conv2_block1 merge", "conv2_block2"].get("label") == ""
    assert "128 × 28 × 28" in found["conv3_block1 merge", "conv3_block2"].get("label")
    bare = edges(drawn(fold(graph), shapes=False))
    assert not any(
        "×" in (edge.get("label") or "") for key, edge in bare.items() if key[1] == "conv1"
    )


def test_stages_are_frames(graph):
    assert frames(drawn(fold(graph))) == ["conv2", "conv3", "conv4", "conv5"]


def test_the_legend_has_what_occurs(graph):
    legend = nodes(drawn(fold(graph)))["legend"].get("label")
    for words in ("residual block", "identity shortcut", "projection shortcut", "× n", "MACs"):
        assert words in legend
    assert "pooling" not in legend
    plain = nodes(drawn(graph, cost=False))["legend"].get("label")
    assert "× n" not in plain
    assert "MACs" not in plain


def test_cost_can_be_left_out(graph):
    assert "MACs" not in drawn(fold(graph), cost=False).to_string()


def test_branches_stand_side_by_side():
    drawing = drawn(fold(block_graph(application("InceptionV3"))))
    label = nodes(drawing)["mixed0"].get("label")
    assert label.count('STYLE="ROUNDED"') == 4
    assert "1×1, 64<BR/>3×3, 96<BR/>3×3, 96" in label
    assert "mixed5 to 6" in nodes(drawing)["mixed5"].get("label")


def test_squeeze_and_excitation_is_said_in_a_word():
    label = nodes(drawn(block_graph(application("EfficientNetB0"))))["block1a"].get("label")
    assert "3×3 depthwise | SE(1×1, 8 | 1×1, 32) | 1×1, 16" in label


def test_a_stage_says_its_blocks(graph):
    found = nodes(drawn(fold(graph), "stage"))
    assert [name for name in found if name != "legend"] == [
        *("input", "conv1", "conv2", "conv3", "conv4", "conv5", "final", "head")
    ]
    label = found["conv4"].get("label")
    assert "3×3, 256, /2 | 3×3, 256" in label
    assert "3×3, 256 | 3×3, 256&#160;&#160;<B>× 5</B>" in label


def test_every_layer_is_drawn(graph):
    drawing = drawn(graph, "layer")
    found = nodes(drawing)
    layers = {layer.id for block in graph.blocks for layer in block.layers}
    assert layers <= found.keys()
    marks = [name for name in found if "mark" in name]
    drawn_edges = edges(drawing)
    # A pair of marks is a line across columns.
    for edge in graph.layer_edges:
        direct = (edge.source, edge.target) in drawn_edges
        by_marks = any(
            (edge.source, f"mark{n}out") in drawn_edges
            and (f"mark{n}in", edge.target) in drawn_edges
            for n in range(1, len(marks) // 2 + 1)
        )
        assert direct or by_marks, edge
    assert {"conv3", "conv3_block2"} <= set(frames(drawing))


def test_what_layers_say(graph):
    label = nodes(drawn(graph, "layer", dtype=True, trainable=True))["head_dense"].get("label")
    for words in ("dense 10, softmax", "head_dense", "5.13 k params", "float32", ">trainable<"):
        assert words in label
    bare = drawn(graph, "layer", layer_names=False, activations=False, cost=False)
    label = nodes(bare)["head_dense"].get("label")
    assert label == "<dense 10>"


def test_long_figures_are_broken_into_columns_where_one_tensor_passes():
    names = list("abcdefgh")
    chain = [Edge(*pair, ()) for pair in itertools.pairwise(names)]
    assert set(columns(names, [1.0] * 8, chain, width=2.0).values()) == {0}
    found = columns(names, [3.0] * 8, chain, width=2.0)
    assert list(found.values()) == sorted(found.values())
    assert max(found.values()) == 2
    skip = Edge("a", "h", ())
    assert set(columns(names, [3.0] * 8, [*chain, skip], width=2.0).values()) == {0}


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_columns_stand_in_order(graph, rankdir):
    drawing = drawn(graph, "layer", rankdir=rankdir)
    laid_out = pygraphviz.AGraph(drawing.to_string())
    laid_out.layout(prog="dot")
    first = ["box0", *(f"mark{n}in" for n in range(1, 5))]
    x, y = zip(
        *(map(float, laid_out.get_node(n).attr["pos"].split(",")) for n in first), strict=True
    )
    if rankdir in ("TB", "BT"):
        assert list(x) == sorted(x)
    else:
        assert list(y) == sorted(y, reverse=True)


@pytest.fixture(scope="module")
def with_side_heads():
    """A network with two auxiliary heads, which Keras lists after nearly all of the main path."""

    def head(num_outputs, activation):
        flat = units.chain(units.conv(4, 1), heads.flatten(), heads.dense(8))
        return units.chain(flat, heads.outputs(num_outputs, activation))

    parts = [(f"conv{n}", units.conv_relu(8, 3)) for n in range(1, 25)]
    model = assemble((3, 8, 8), 5, parts, "net", auxiliary={"conv4": head, "conv9": head})
    return block_graph(model)


def test_auxiliary_heads_stand_beside_what_they_start_from(with_side_heads):
    graph = with_side_heads
    names = [block.name for block in graph.blocks]
    assert aside(names, graph.edges) == ["aux1", "aux2"]
    found = columns(names, [1.0] * len(names), graph.edges, width=1.0)
    assert (found["aux1"], found["aux2"]) == (found["conv4"], found["conv9"])
    assert found["conv4"] < found["conv24"]
    main = [found[name] for name in names if "aux" not in name]
    assert max(main) > 1
    assert main == sorted(main)


@pytest.mark.parametrize("detail", ["stage", "block", "layer"])
def test_auxiliary_heads_do_not_bend_the_main_path(with_side_heads, detail):
    drawing = drawn(with_side_heads, detail)
    for name, node in nodes(drawing).items():
        assert ("aux" in name) == (node.get("group") is None), name
    weights = {ends: edge.get("weight") for ends, edge in edges(drawing).items()}
    side = {weight for ends, weight in weights.items() if "aux" in ends[1]}
    main = {weight for ends, weight in weights.items() if ends[1].startswith("head")}
    assert max(side) < min(main)


def test_an_auxiliary_head_is_a_classifier(with_side_heads):
    kinds = {block.name: block.kind for block in with_side_heads.blocks}
    assert (kinds["aux1"], kinds["head"], kinds["conv1"]) == ("dense", "dense", "convolution")


def test_what_comes_before_a_fork_has_a_box_of_its_own():
    drawing = drawn(block_graph(application("ResNet50V2")))
    box = next(
        node.get_name()
        for node in all_nodes(drawing)
        if node.get_name().endswith("before") and "BN | ReLU" in node.get("label")
    )
    targets = {
        edge.get_destination(): edge for edge in drawing.get_edges() if edge.get_source() == box
    }
    main = box.removesuffix("before")
    assert targets.keys() == {main, f"{main}merge"}
    assert targets[f"{main}merge"].get("class") == "projection"


def all_nodes(place):
    found = list(place.get_nodes())
    for frame in place.get_subgraphs():
        found += all_nodes(frame)
    return found


def test_titles():
    folded = fold(block_graph(application("EfficientNetB0")))
    titles = {block.name: title(block) for block in folded.blocks}
    assert titles["block4b"] == "block4b to block4c"


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Price(), ""),
        (Price(25_557_032, 4_089_184_256), "25.6 M params, 4.09 G MACs"),
        (Price(64, None), "64 params"),
        (Price(64, 1000, is_bound=True), "64 params, ≥ 1 k MACs"),
        (Price(64, 0, is_bound=True), "64 params, ≥ 0 MACs"),
    ],
)
def test_prices(price, text):
    assert price_text(price) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (999_500, "1 M"), (1_000, "1 k"), (11_513_626_624, "11.5 G")],
)
def test_numbers_in_three_digits(number, text):
    assert short(number) == text


def test_one_long_block_is_not_broken_off_its_input():
    pair = [Edge("input", "block", (8,))]
    assert columns(["input", "block"], [1.0, 20.0], pair, width=2) == {"input": 0, "block": 0}
    assert columns(["input", "block"], [10.0, 11.0], pair, width=2) == {"input": 0, "block": 1}
