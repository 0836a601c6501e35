"""Models off the beaten path: names met twice, several inputs, towers, graphs that are no chain."""

import warnings

import keras
import pytest

from keras_convnets import compare, cost, plot_model, receptive_field
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.graph.groups import places
from keras_convnets.graph.unique import unique_names
from keras_convnets.graph.walk import walk
from keras_convnets.keras_private import without_values

L = keras.layers


def model_of(shape, apply, name="m"):
    inputs = keras.Input(shape)
    return keras.Model(inputs, apply(inputs), name=name)


def blocks_of(model):
    return [
        (block.name, [layer.id for layer in block.layers]) for block in block_graph(model).blocks
    ]


def test_a_head_whose_input_reads_as_an_image_in_another_order():
    head = model_of((4, 4, 512), lambda x: L.Dense(10)(L.Flatten()(x)), "head")
    model = model_of((32, 32, 3), lambda x: head(L.Conv2D(512, 8, strides=8)(x)))
    assert block_graph(model).price.macs == cost(model).macs
    assert cost(head, (512, 4, 4)).macs == 4 * 4 * 512 * 10
    with pytest.raises(ValueError, match="expected 512 channels"):
        cost(head, (4, 4, 512))


def test_a_model_within_without_a_format_of_its_own():
    inner_input = keras.Input((16, 8, 8))
    inner = keras.Model(inner_input, L.ReLU()(inner_input) + inner_input)
    image = keras.Input((3, 8, 8))
    conv = L.Conv2D(16, 3, padding="same", data_format="channels_first")
    model = keras.Model(image, inner(conv(image)))
    assert block_graph(model).price.macs == cost(model).macs == 64 * 27 * 16


def test_a_layer_that_comes_again_on_the_path():
    conv = L.Conv2D(16, 3, padding="same", name="shared")
    model = model_of((16, 16, 16), lambda x: conv(L.MaxPooling2D(2)(L.ReLU()(conv(x)))))
    graph = block_graph(model)
    names = [block.name for block in graph.blocks]
    assert len(set(names)) == 4
    positions = {name: index for index, name in enumerate(names)}
    assert all(positions[edge.source] < positions[edge.target] for edge in graph.edges)


def test_names_that_are_met_twice_are_told_apart():
    one, other = keras.Input((4,), name="left1"), keras.Input((4,), name="right1")
    x = L.Dense(4, name="left1_dense")(one) + L.Dense(4, name="right1_dense")(other)
    names = [name for name, _ in blocks_of(keras.Model([one, other], x))]
    assert len(names) == len(set(names)) == 5
    inputs = keras.Input((8, 8, 3))
    x = L.BatchNormalization(name="input_bn")(L.Conv2D(4, 3, name="input_conv")(inputs))
    assert [len(layers) for _, layers in blocks_of(keras.Model(inputs, x))] == [1, 2]


def test_a_layer_s_second_use_and_a_layer_of_that_name():
    conv = L.Dense(4, name="c")
    model = model_of((4,), lambda x: L.Dense(4, name="c (2)")(conv(conv(x))))
    graph = block_graph(model)
    ids = [layer.id for block in graph.blocks for layer in block.layers]
    assert ids[1:] == ["c", "c (2)", "c (2) (2)"]
    assert len(graph.layer_edges) == 3
    plot_model(model, "m.svg", detail="layer")
    assert unique_names(["a", "a", "a"]) == ["a", "a (2)", "a (3)"]


def test_names_of_the_figure_s_own_parts():
    model = model_of((4,), lambda x: L.Dense(2, name="mark1in")(L.Dense(2, name="legend")(x)))
    plot_model(model, "m.svg", detail="layer")
    with open("m.svg", encoding="utf-8") as file:
        text = file.read()
    assert text.count('class="node kind') == 3
    assert text.count('class="node legend"') == 1


def test_control_characters_in_a_name(capfd):
    model = model_of((4,), lambda x: L.Dense(2, name="a\x01\n&amp;<b>\\N")(x))
    plot_model(model, "m.svg", detail="layer")
    with open("m.svg", encoding="utf-8") as file:
        text = file.read()
    assert "<title>a∖x01∖n&amp;amp;&lt;b&gt;∖N</title>" in text
    assert ">a∖x01∖n&amp;amp;&lt;b&gt;∖N</text>" in text
    assert "not well-formed" not in capfd.readouterr().err
    assert len(cost(model).to_text().splitlines()) < 20


class Scaled(L.Layer):
    def __init__(self, times, **options):
        super().__init__(**options)
        self.times = times

    def call(self, x):
        return x * self.times


@pytest.mark.parametrize(
    "pair",
    [
        lambda: [model_of((8, 8, 4), L.Conv2D(4, k, padding="same"), f"n{k}") for k in (3, 7)],
        lambda: [Scaled(2, name="s1"), Scaled(3, name="s2")],
        lambda: [L.SeparableConv2D(4, 3, padding="same", depth_multiplier=k) for k in (1, 4)],
        lambda: [L.Conv2D(4, 3, padding="same", use_bias=bias) for bias in (True, False)],
        lambda: [L.LeakyReLU(slope, name=f"a{n}") for n, slope in enumerate((0.1, 0.3))],
    ],
)
def test_blocks_that_differ_in_what_is_not_shown_do_not_fold(pair):
    one, other = pair()
    model = model_of((8, 8, 4), lambda x: other(one(x)))
    assert all(block.repeats == 1 for block in fold(block_graph(model)).blocks)


def tower(prefix, x, shared=None):
    for n in (1, 2):
        conv = shared[n - 1] if shared else L.Conv2D(8, 3, padding="same", name=f"{prefix}_conv{n}")
        x = conv(x)
    return L.GlobalAveragePooling2D(name=f"{prefix}_gap")(x)


def test_two_towers_meet_only_at_the_end():
    rgb, depth = keras.Input((16, 16, 3), name="rgb"), keras.Input((16, 16, 1), name="depth")
    merged = L.Concatenate(name="cat")([tower("rgbnet", rgb), tower("depthnet", depth)])
    graph = block_graph(keras.Model([rgb, depth], merged))
    for block in graph.blocks:
        prefixes = {layer.id.split("_")[0] for layer in block.layers}
        assert len(prefixes) == 1
    assert {edge.target for edge in graph.edges if edge.source in ("rgb", "depth")} == {
        block.name for block in graph.blocks if block.layers[0].id.endswith("_conv1")
    }


def test_a_siamese_network():
    shared = [L.Conv2D(8, 3, padding="same", name=f"conv{n}") for n in (1, 2)]
    one, other = keras.Input((16, 16, 3), name="one"), keras.Input((16, 16, 3), name="other")
    model = keras.Model([one, other], tower("a", one, shared) - tower("b", other, shared))
    graph = block_graph(model)
    assert sum(len(block.layers) for block in graph.blocks) == 2 + 6 + 1
    assert graph.price.params == cost(model).params
    for detail in ("stage", "block", "layer"):
        plot_model(model, "m.svg", detail=detail)


def test_products_and_attention_are_no_shortcuts():
    for merge in (L.Multiply(), L.Dot(-1), L.Attention(), L.Subtract()):
        inputs = keras.Input((16, 4))
        x = L.Dense(4, name="block_dense")(inputs)
        graph = block_graph(keras.Model(inputs, merge([x, inputs])))
        assert all(block.inside.merge is None for block in graph.blocks), merge


def test_each_output_has_its_own_shape():
    inputs = keras.Input((8, 8, 16))
    small, large = keras.ops.split(inputs, [2], axis=-1)
    outputs = [L.Conv2D(1, 1, name="a")(small), L.Conv2D(1, 1, name="b")(large)]
    shapes = {
        edge.target: edge.shape for edge in block_graph(keras.Model(inputs, outputs)).layer_edges
    }
    assert (shapes["a"], shapes["b"]) == ((2, 8, 8), (14, 8, 8))


def test_a_tensor_that_is_taken_twice_is_two_lines():
    model = model_of((8, 8, 2), lambda x: L.Concatenate(name="both")([x, x]))
    assert len(block_graph(model).layer_edges) == 2


def u_net():
    x = inputs = keras.Input((64, 64, 1))
    skips = []
    for n in (1, 2, 3):
        for k in (1, 2):
            x = L.Conv2D(8 * n, 3, padding="same", activation="relu", name=f"enc{n}_conv{k}")(x)
        skips.append(x)
        x = L.MaxPooling2D(name=f"enc{n}_pool")(x)
    x = L.Conv2D(32, 3, padding="same", name="mid_conv")(x)
    for n in (3, 2, 1):
        x = L.Conv2DTranspose(8 * n, 2, strides=2, name=f"dec{n}_up")(x)
        x = L.Concatenate(name=f"dec{n}_cat")([x, skips[n - 1]])
        for k in (1, 2):
            x = L.Conv2D(8 * n, 3, padding="same", activation="relu", name=f"dec{n}_conv{k}")(x)
    return keras.Model(inputs, L.Conv2D(1, 1, name="head")(x))


def test_a_u_net_is_taken_apart():
    model = u_net()
    for _, layers in blocks_of(model):
        assert len({name.split("_")[0] for name in layers}) == 1
    # mid_conv sees 52 pixels, 8 apart. On the way back, two convolutions read 5 units, which are
    # parts of 3 of the next size; with two more 7, of 4; with two more 8, of 5: 52 + 4 x 8.
    assert receptive_field(model, "head").size == (84, 84)
    plot_model(model, "m.svg")


def test_a_dictionary_with_more_than_a_model_takes():
    inner_input = keras.Input((4,), name="a")
    inner = keras.Model({"a": inner_input}, L.Dense(3)(inner_input))
    one, other = keras.Input((4,)), keras.Input((5,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of some versions of Keras, about the structure
        outputs = inner({"a": one, "zz": other})
    calls = walk(keras.Model([one, other], outputs))
    assert calls[-1].parents == (calls[0],)


@pytest.mark.slow
def test_many_outputs():
    inputs = keras.Input((2,))
    with without_values():
        model = keras.Model(inputs, [L.Dense(1)(inputs) for _ in range(1200)])
    assert cost(model).macs == 2400
    assert len(places(walk(model))) == 1201


class OwnWeights(keras.Model):
    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self.scale = self.add_weight(shape=(100,))


def test_weights_that_belong_to_no_layer_are_counted_and_said():
    inputs = keras.Input((3,))
    model = OwnWeights(inputs, L.Dense(2)(inputs), name="own")
    found = cost(model)
    assert found.params == model.count_params() == 108
    assert found.uncounted == ("own (weights of its own)",)


@pytest.mark.parametrize("shape", [5, "3,8", (3, "abc"), (3, -5), (3, 2.5), (3, 8, 8)])
def test_shapes_of_one_axis_are_checked_too(shape):
    model = model_of((8, 3), L.Conv1D(4, 3))
    with pytest.raises(ValueError, match="^input_shape: "):
        cost(model, shape)
    other = keras.Input((2,))
    two = keras.Model([model.inputs[0], other], [model.outputs[0], L.Dense(1)(other)])
    with pytest.raises(ValueError, match="^input_shape: received 5; expected a list"):
        cost(two, 5)


def test_open_sizes_of_one_axis():
    with pytest.raises(ValueError, match=r"Pass input_shape=\(3, steps\)"):
        cost(model_of((None, 3), L.Conv1D(4, 3)))


@pytest.mark.parametrize("models", [3, None, keras.Sequential()])
def test_compare_takes_lists_only(models):
    with pytest.raises(ValueError, match="^models: received"):
        compare(models)


def test_compare_says_which_model_it_is():
    with pytest.raises(ValueError, match="^open: input_shape: the model leaves sizes open"):
        compare([model_of((None, None, 3), L.Conv2D(1, 1), "open")])


@pytest.mark.parametrize("to_file", [None, 5])
def test_plot_model_takes_paths_only(to_file):
    with pytest.raises(ValueError, match="^to_file: received .*; expected a path"):
        plot_model(model_of((3,), L.Dense(2)), to_file)


def test_a_pdf_has_no_dots():
    plot_model(model_of((3,), L.Dense(2)), "m.pdf", dpi=10**7)


def test_tables_in_a_notebook(monkeypatch):
    class ZMQInteractiveShell:
        pass

    monkeypatch.setattr("builtins.get_ipython", ZMQInteractiveShell, raising=False)
    assert "Dense" in cost(model_of((3,), L.Dense(2))).to_text()
