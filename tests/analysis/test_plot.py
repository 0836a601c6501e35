import os

import keras
import pytest

from keras_convnets import ResnetBuilder, plot_model
from keras_convnets.analysis.graph import block_graph, fold
from keras_convnets.analysis.plot import to_pydot

SIGNATURES = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}


@pytest.fixture(scope="module")
def model():
    with keras.StatelessScope(initialize_variables=False):
        return ResnetBuilder.build_resnet_34((3, 224, 224), 10)


@pytest.mark.parametrize("extension", SIGNATURES)
def test_every_format_is_drawn_without_dot_on_the_machine(model, extension, monkeypatch):
    monkeypatch.setenv("PATH", "")
    plot_model(model, f"model.{extension}")
    with open(f"model.{extension}", "rb") as file:
        assert file.read().startswith(SIGNATURES[extension])
    assert os.listdir() == [f"model.{extension}"]


def test_what_the_figure_says(model):
    plot_model(model, "model.svg")
    with open("model.svg", encoding="utf-8") as file:
        text = file.read()
    for words in (
        "conv2",
        "block2 to 6",
        "× 5",
        "7×7 conv, 64, /2",
        "1×1 conv, 512, /2",
        "dense, 10",
    ):
        assert words in text
    assert text.count('class="node"') == 1 + 1 + 8 * 2 + 2  # each block is a box and an addition
    assert "3 × 224 × 224" in text
    assert "128 × 28 × 28" in text


def test_shapes_can_be_left_out(model):
    plot_model(model, "model.svg", show_shapes=False)
    with open("model.svg", encoding="utf-8") as file:
        assert "× 224" not in file.read()


def test_the_direction_is_followed(model):
    plot_model(model, "model.dot", rankdir="LR")
    with open("model.dot", encoding="utf-8") as file:
        assert "rankdir=LR" in file.read()


def test_identities_are_solid_and_projections_dashed(model):
    drawing = to_pydot(fold(block_graph(model)))
    shortcuts = {
        edge.get_destination().strip('"'): edge
        for edge in drawing.get_edges()
        if edge.get("weight") == 0
    }
    assert shortcuts["conv2_block1_plus"].get("style") is None
    assert shortcuts["conv3_block1_plus"].get("style") == "dashed"
    assert "1×1 conv, 128, /2" in shortcuts["conv3_block1_plus"].get("label")
    assert len(shortcuts) == 8


def test_names_that_graphviz_or_html_would_read_otherwise():
    inputs = keras.Input((4,), name="a:b")
    outputs = keras.layers.Dense(2, name='<node> & "more"')(inputs)
    plot_model(keras.Model(inputs, outputs, name='3 "nets"'), "model.svg")
    with open("model.svg", encoding="utf-8") as file:
        text = file.read()
    assert "&lt;node&gt; &amp; " in text
    assert text.count('class="node"') == 2
    assert text.count('class="edge"') == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"to_file": "model.jpeg2"}, "file extension: received 'jpeg2'; expected one of 'svg'"),
        ({"to_file": "model"}, "file extension: received ''"),
        ({"to_file": "none/model.svg"}, "cannot write 'none/model.svg'"),
        ({"rankdir": "up"}, "rankdir: received 'up'"),
        ({"dpi": 0}, "dpi: received 0"),
        ({"model": "resnet_34"}, "expected a functional Keras model"),
    ],
)
def test_bad_input(model, arguments, words):
    with open("model.png", "w", encoding="utf-8") as file:
        file.write("old")
    with pytest.raises(ValueError, match="received|cannot") as caught:
        plot_model(**{"model": model, "to_file": "model.png"} | arguments)
    assert words in str(caught.value)
    with open("model.png", encoding="utf-8") as file:
        assert file.read() == "old"


def test_keras_own_plot_where_dot_exists(model):
    if not keras.src.utils.model_visualization.check_graphviz():
        pytest.skip("keras.utils.plot_model needs the program 'dot'")
    keras.utils.plot_model(model, "keras.svg")
    assert os.path.getsize("keras.svg") > 0
