import os
import struct
import subprocess
import sys

import keras
import pytest

from helpers import application
from keras_convnets import ResnetBuilder, plot_model
from keras_convnets.keras_private import without_values

SIGNATURES = {
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "dot": b"digraph",
    "html": b"<!doctype html>",
}
L = keras.layers


@pytest.fixture(scope="module")
def model():
    with without_values():
        return ResnetBuilder.build_resnet_34((3, 224, 224), 10)


def read(file):
    with open(file, encoding="utf-8") as opened:
        return opened.read()


@pytest.mark.parametrize("extension", SIGNATURES)
def test_every_format_is_drawn_without_dot_on_the_machine(model, extension, monkeypatch):
    monkeypatch.setenv("PATH", "")
    figure = plot_model(model, f"model.{extension}")
    with open(f"model.{extension}", "rb") as file:
        assert file.read().startswith(SIGNATURES[extension])
    assert os.listdir() == [f"model.{extension}"]
    assert repr(figure) == f"Figure('model.{extension}')"


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
        ("pdf", "image/svg+xml"),
        ("dot", "image/svg+xml"),
        ("html", "text/html"),
    ],
)
def test_a_notebook_shows_the_figure(model, extension, kind):
    bundle = plot_model(model, f"model.{extension}")._repr_mimebundle_()
    assert list(bundle) == [kind]
    assert len(bundle[kind]) > 1000


def test_what_the_figure_says(model):
    plot_model(model, "model.svg")
    text = read("model.svg")
    for words in (
        "conv2",
        "block2 to 6",
        "× 5",
        "7×7, 64, /2",
        "1×1, 512, /2",
        "dense 10, softmax",
    ):
        assert words in text
    assert "3 × 224 × 224" in text
    assert "128 × 28 × 28" in text


def test_the_detail_decides_how_much_is_drawn(model):
    counts = {}
    for detail in ("stage", "block", "layer"):
        plot_model(model, "model.svg", detail=detail)
        counts[detail] = read("model.svg").count('class="node kind')
    assert counts == {"stage": 8, "block": 12 + 8, "layer": 122}
    plot_model(model, "model.svg", fold_repeats=False)
    assert read("model.svg").count('class="node kind') == 20 + 16


def test_keras_arguments_ask_for_layers(model):
    plot_model(model, "named.svg", show_layer_names=True, show_shapes=True)
    assert "conv3_block1_shortcut_conv" in read("named.svg")
    plot_model(model, "plain.svg", show_layer_names=False)
    assert "conv3_block1_shortcut_conv" not in read("plain.svg")
    assert "block2 to 6" in read("plain.svg")
    plot_model(model, "typed.svg", show_dtype=True, show_trainable=True)
    assert "float32" in read("typed.svg")
    plot_model(model, "quiet.svg", detail="layer", show_layer_activations=False)
    assert "softmax" not in read("quiet.svg")
    plot_model(model, "loud.svg", show_layer_activations=True)
    assert "softmax" in read("loud.svg")


def test_models_within():
    inner = keras.Sequential([keras.Input((9, 9, 3)), L.Conv2D(4, 3), L.ReLU()], name="inner")
    model = keras.Sequential([keras.Input((9, 9, 3)), inner, L.Flatten(), L.Dense(2)])
    plot_model(model, "closed.svg")
    assert "model of 2 layers" in read("closed.svg")
    plot_model(model, "open.svg", expand_nested=True, detail="layer")
    assert "inner/conv2d" in read("open.svg")


def test_the_direction_is_followed(model):
    plot_model(model, "model.dot", rankdir="LR")
    assert "rankdir=LR" in read("model.dot")


def pixels(file):
    with open(file, "rb") as opened:
        return struct.unpack(">II", opened.read(24)[16:])


def test_dots_per_inch(model):
    plot_model(model, "one.png", dpi=72)
    plot_model(model, "two.png", dpi=144)
    ratios = [b / a for a, b in zip(pixels("one.png"), pixels("two.png"), strict=True)]
    assert ratios == pytest.approx([2, 2], rel=0.01)


def test_a_large_network_fits_a_page():
    with without_values():
        model = ResnetBuilder.build_resnet_152((3, 224, 224), 1000)
    plot_model(model, "block.png", dpi=72)
    width, height = pixels("block.png")
    assert width < 600
    assert height < 1500
    plot_model(model, "layer.svg", detail="layer")
    assert read("layer.svg").count('class="node kind') == 511


def test_a_png_that_cannot_be_drawn_whole_is_refused(model):
    with open("model.png", "w", encoding="utf-8") as file:
        file.write("old")
    words = "the png would be .* pixels; expected at most 32,767 a side. Draw an svg"
    with pytest.raises(ValueError, match=words):
        plot_model(model, "model.png", detail="layer", dpi=2400)
    assert read("model.png") == "old"


def test_names_that_graphviz_or_html_would_read_otherwise():
    inputs = keras.Input((4,), name="a:b")
    outputs = L.Dense(2, name='<node> & "more"')(inputs)
    model = keras.Model(inputs, outputs, name='3 "nets" <!--DATA--> <script>')
    for detail in ("stage", "block", "layer"):
        plot_model(model, "model.svg", detail=detail)
        text = read("model.svg")
        assert "&lt;node&gt; &amp; " in text
        assert text.count('class="node kind') == 2
        assert text.count('class="edge"') == 1
    plot_model(model, "model.html")
    assert read("model.html").count("</script>") == 2


@pytest.mark.parametrize("name", ["InceptionV3", "DenseNet121", "NASNetMobile", "MobileNetV3Small"])
def test_other_peoples_models(name):
    for detail in ("stage", "block", "layer"):
        plot_model(application(name), "model.svg", detail=detail)
        assert read("model.svg").count("</svg>") == 1


def test_sizes_left_open():
    model = ResnetBuilder.build_resnet_18((3, None, None), 10)
    plot_model(model, "model.html")
    assert "3 × ? × ?" in read("model.html")
    assert "not known: sizes are open" in read("model.html")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"to_file": "model.jpeg2"}, "file extension: received 'jpeg2'; expected one of 'svg'"),
        ({"to_file": "model"}, "file extension: received ''"),
        ({"to_file": "none/model.svg"}, "cannot write 'none/model.svg'"),
        ({"to_file": "none/model.html"}, "cannot write 'none/model.html'"),
        ({"rankdir": "up"}, "rankdir: received 'up'"),
        ({"dpi": 0}, "dpi: received 0"),
        ({"title": 5}, "title: received 5; expected a text"),
        ({"detail": "blocks"}, "detail: received 'blocks'; expected one of 'stage', 'block'"),
        (
            {"detail": "block", "show_dtype": True},
            "show_dtype: received True with detail='block'; expected detail='layer'",
        ),
        ({"model": "resnet_34"}, "expected a functional Keras model"),
        ({"model": keras.Sequential([L.Dense(2)])}, "expected a model that is built"),
    ],
)
def test_bad_input(model, arguments, words):
    with open("model.png", "w", encoding="utf-8") as file:
        file.write("old")
    with pytest.raises(ValueError, match="received|cannot") as caught:
        plot_model(**{"model": model, "to_file": "model.png"} | arguments)
    assert words in str(caught.value)
    assert read("model.png") == "old"
    assert os.listdir() == ["model.png"]


def test_a_failed_drawing_leaves_the_file_as_it_was(model, monkeypatch):
    with open("model.svg", "w", encoding="utf-8") as file:
        file.write("old")

    def fail(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr("pygraphviz.AGraph.draw", fail)
    with pytest.raises(ValueError, match="no space"):
        plot_model(model, "model.svg")
    assert read("model.svg") == "old"
    assert os.listdir() == ["model.svg"]


def test_keras_own_plot_where_dot_exists(model):
    if not keras.src.utils.model_visualization.check_graphviz():
        pytest.skip("keras.utils.plot_model needs the program 'dot'")
    keras.utils.plot_model(model, "keras.png")  # of an .svg it returns an error under IPython
    assert os.path.getsize("keras.png") > 0


@pytest.mark.slow
def test_no_line_on_standard_error_for_a_graph_of_a_thousand_nodes():
    program = (
        "import keras; from keras_convnets import plot_model\n"
        "x = y = i = keras.Input((8,))\n"
        "for n in range(550): x, y = keras.layers.ReLU()(x), keras.layers.ReLU()(y)\n"
        "plot_model(keras.Model(i, x + y), 'model.svg', detail='layer')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "may take a long time" not in result.stderr
