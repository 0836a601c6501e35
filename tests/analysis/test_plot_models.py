"""Several models side by side: which blocks are level, what is marked, and where all is drawn."""

import itertools
import os
import re
from pathlib import Path

import keras
import pytest

from helpers import outline
from keras_convnets import plot_models
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.level.aligning import aligned, folded, ordered
from keras_convnets.analysis.plot.level.differing import difference
from keras_convnets.keras_private import without_values

L = keras.layers


def rows(*models, fold=True):
    """Return the rows of models as the names of their blocks, and what differs in each row."""
    graphs = [ordered(block_graph(model)) for model in models]
    found = folded(graphs)[1] if fold else aligned(graphs)
    names = [graph.name for graph in graphs]
    return {
        tuple(block and f"{block.name} × {block.repeats}" for block in row): difference(row, names)
        for row in found
    }


@pytest.fixture(scope="module")
def nets():
    names = ("plain_34", "resnet_v1_18", "resnet_v1_34", "googlenet", "densenet_121")
    return {name: outline(name) for name in names}


def conv_net(name="net", padding="same", **options):
    with without_values():
        x = keras.Input((8, 8, 3))
        y = L.Conv2D(4, 3, padding=padding, name="conv1_conv")(x)
        y = L.Conv2D(4, 3, name="conv2_conv", padding="same", **options)(y)
        return keras.Model(x, y, name=name)


def test_a_deeper_network_has_more_blocks_in_each_stage(nets):
    found = rows(nets["resnet_v1_18"], nets["resnet_v1_34"])
    stage = {row: words for row, words in found.items() if "conv4" in (row[0] or row[1])}
    assert stage == {
        ("conv4_block1 × 1", "conv4_block1 × 1"): "",
        ("conv4_block2 × 1", "conv4_block2 × 1"): "",
        (None, "conv4_block3 × 4"): "only in resnet_v1_34",
    }
    assert found[("head × 1", "head × 1")] == ""


def test_a_plain_network_lacks_the_shortcuts_only(nets):
    found = rows(nets["plain_34"], nets["resnet_v1_34"])
    assert set(found.values()) == {"", "shortcut"}
    assert found[("conv3_block2 × 3", "conv3_block2 × 3")] == "shortcut"
    assert [row for row, words in found.items() if not words] == [
        ("input × 1", "input × 1"),
        ("conv1 × 1", "conv1 × 1"),
        ("head × 1", "head × 1"),
    ]


def test_unfolded_there_is_a_row_for_each_block(nets):
    found = rows(nets["plain_34"], nets["resnet_v1_34"], fold=False)
    assert len(found) == 19  # 16 blocks, the input, conv1 and the head


def test_equal_models_do_not_differ_whatever_their_data_format():
    nets = [outline("cifar_resnet_20", data_format=f"channels_{end}") for end in ("first", "last")]
    assert set(rows(*nets).values()) == {""}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (conv_net(dilation_rate=2), "layers"),
        (conv_net(activation="relu"), "settings"),
        (conv_net(padding="valid"), "output"),
        (conv_net(use_bias=False), "settings"),
    ],
)
def test_what_differs(other, words):
    assert sorted(set(rows(conv_net(), other).values())) in (["", words], [words, ""])


def test_pre_activation_differs_in_the_order_of_its_layers():
    found = rows(outline("cifar_resnet_110"), outline("cifar_preact_resnet_110"))
    assert found[("conv2_block2 × 17", "conv2_block2 × 17")] == "activations"


def test_auxiliary_heads_follow_their_input(nets):
    found = list(rows(nets["googlenet"], nets["densenet_121"]))
    names = [row[0] for row in found if row[0]]
    assert names.index("aux1 × 1") == names.index("inception4_block1 × 1") + 1
    assert names[-1] == "head × 1"


class Drawn:
    """A figure in Graphviz' own format, with the places of its boxes."""

    def __init__(self, models, **options):
        self.text = Path(plot_models(models, "figure.dot", **options).path).read_text()

    def boxes(self):
        """Yield the ids and centres of boxes."""
        for name, body in re.findall(r"^(m\d+b\d+\w*)  ?\[(.*?)\];$", self.text, re.M | re.S):
            x, y = re.search(r'pos="([-0-9.]+),([-0-9.]+)"', body).groups()
            yield name, float(x), float(y)


def test_equal_rows_are_level_and_no_boxes_are_in_one_place(nets):
    drawn = Drawn([nets["plain_34"], nets["resnet_v1_34"]])
    places = {name: (x, y) for name, x, y in drawn.boxes()}
    assert places["m0b0"][1] == places["m1b0"][1]
    tops = sorted(y for name, (_, y) in places.items() if name.startswith("m0"))
    assert all(below + 20 < above for below, above in itertools.pairwise(tops))
    assert len({x for name, (x, _) in places.items() if name.startswith("m0")}) == 1


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "dot"])
def test_every_format_is_drawn(suffix):
    figure = plot_models([conv_net("a"), conv_net("b")], f"two.{suffix}", title="Two")
    assert repr(figure) == f"Figure('two.{suffix}')"
    assert Path(f"two.{suffix}").stat().st_size > 1000


def test_marks_and_names_are_in_the_figure(nets):
    pair = [nets["plain_34"], nets["resnet_v1_34"]]
    drawn = Path(plot_models(pair, "two.svg", names=["without", "with"]).path).read_text()
    assert drawn.count('class="cluster different"') == 7
    assert drawn.count(">shortcut<") == 7
    for word in ("without", "with", "rows that differ", "residual block", "64 × 56 × 56"):
        assert f">{word}<" in drawn.replace("&#160;", " ")
    same = Path(plot_models([nets["plain_34"]] * 2, "same.svg").path).read_text()
    assert "different" not in same
    assert ">plain_34 (2)<" in same


def test_a_model_of_two_inputs_and_one_of_a_long_detour():
    with without_values():
        one, other = keras.Input((8, 8, 3), name="one"), keras.Input((8, 8, 3), name="other")
        y = L.Conv2D(4, 3, padding="same", name="a_conv")(one)
        z = L.Conv2D(4, 3, padding="same", name="b_conv")(y)
        z = L.Conv2D(4, 3, padding="same", name="c_conv")(z)
        y = L.Concatenate(name="d_concat")([y, z, L.Conv2D(4, 1, name="e_conv")(other)])
        model = keras.Model([one, other], y, name="two_inputs")
    drawn = Drawn([model, conv_net()])
    assert len(list(drawn.boxes())) == 10
    assert drawn.text.count(" -> ") == 9


def test_a_page_of_its_own_size(nets):
    pair = [conv_net("a"), conv_net("b")]
    drawn = Path(plot_models(pair, "two.svg", size="slide").path).read_text()
    assert 'width="960pt" height="540pt"' in drawn
    with pytest.raises(
        ValueError, match=r"^size: received 13.33 x 7.5 inches, where .* at least 9"
    ):
        plot_models([nets["plain_34"], nets["resnet_v1_34"]], "slide.svg", size="slide")
    assert os.listdir() == ["two.svg"]


@pytest.mark.parametrize(
    ("models", "options", "words"),
    [
        (lambda: conv_net(), {}, "models: received one model, 'net'; expected a list of two"),
        (lambda: [conv_net()], {}, "models: received 1; expected a list of two or more"),
        (lambda: ["lenet_5", "nin"], {}, "expected a functional Keras model"),
        (lambda: 5, {}, "models: received 5; expected a list"),
        (lambda: [conv_net()] * 2, {"names": ["a"]}, "expected a text for each of the 2 models"),
        (lambda: [conv_net()] * 2, {"names": "ab"}, "names: received 'ab'; expected a list"),
        (lambda: [conv_net()] * 2, {"to_file": "a.html"}, "file extension: received 'html'"),
        (lambda: [conv_net()] * 2, {"to_file": "no/a.svg"}, "cannot write 'no/a.svg'"),
        (lambda: [conv_net()] * 2, {"title": 5}, "title: received 5; expected a text"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(models, options, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        plot_models(models(), **options)
    assert "\n" not in str(caught.value)
    assert os.listdir() == []
