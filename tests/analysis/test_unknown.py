"""What analysis knows of layers inside layers, and that it says so where it knows nothing."""

import csv
import io

import keras
import pytest

from keras_convnets import compare, cost, features, plot_model, receptive_field
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.cli import main
from keras_convnets.layers import TakeChannels

L = keras.layers


def of(shape, apply, **options):
    inputs = keras.Input(shape, **options)
    return keras.Model(inputs, apply(inputs))


def conv():
    return of((12, 12, 3), lambda x: L.Conv2D(5, 3, activation="relu")(x))


def table_of(model):
    lines = [x for x in receptive_field(model).to_csv().splitlines() if not x.startswith("#")]
    return {row["layer"]: row for row in csv.DictReader(io.StringIO("\n".join(lines)))}


def two_token_inputs():
    embedding, a, b = L.Embedding(9, 4), keras.Input((5,), dtype="int32"), keras.Input((5,))
    joined = L.Concatenate()([embedding(a), embedding(keras.ops.cast(b, "int32"))])
    return keras.Model([a, b], L.Dense(2, name="last")(L.Flatten()(joined)))


WITHOUT_POSITIONS = {
    "vector": lambda: of((4,), L.Flatten(name="last")),
    "dense": lambda: of((4,), lambda x: L.Dense(2, name="last")(L.Flatten()(L.Dense(3)(x)))),
    "tokens": lambda: of(
        (5,),
        lambda x: L.Dense(2, name="last")(L.Flatten()(L.Embedding(9, 4)(x))),
        dtype="int32",
    ),
    "two inputs": two_token_inputs,
    "number": lambda: of((), lambda x: L.Flatten(name="last")(x)),
}


@pytest.mark.parametrize("name", WITHOUT_POSITIONS)
def test_units_of_a_vector_have_no_known_field(name):
    field = receptive_field(WITHOUT_POSITIONS[name](), "last")
    assert field.size is field.stride is field.padding is None
    assert not field.whole_image
    assert field.unknown.endswith("(an input without rows and columns)")
    with pytest.raises(ValueError, match="its field is not known because of input_"):
        field.at(0)


@pytest.mark.parametrize("name", WITHOUT_POSITIONS)
def test_no_cell_of_a_table_is_empty(name):
    for row in table_of(WITHOUT_POSITIONS[name]()).values():
        assert (row["size"], row["stride"], row["padding"]) == ("unknown",) * 3
        assert row["remark"].startswith("unknown: input_")


def test_a_field_that_is_known_may_have_no_stride_or_an_unknown_one():
    inputs = keras.Input((16, 16, 3))
    x = L.Conv2D(4, 3, padding="same")(inputs)
    x = L.Add(name="joined")([x, L.UpSampling2D(2)(L.MaxPooling2D(2)(x)[:, ::-1])])
    rows = table_of(keras.Model(inputs, L.GlobalMaxPooling2D(name="whole")(x)))
    assert [rows["joined"][key] for key in ("size", "stride", "padding")] == ["unknown"] * 3
    whole = [rows["whole"][key] for key in ("size", "stride", "padding", "remark")]
    assert whole == ["16x16", "none", "none", "whole image"]


def test_the_command_line_says_that_a_field_is_unknown(capsys):
    WITHOUT_POSITIONS["dense"]().save("mlp.keras")
    assert main(["receptive-field", "mlp.keras"]) == 0
    assert "an input without rows and columns" in capsys.readouterr().out
    assert main(["receptive-field", "mlp.keras", "--format", "json"]) == 0
    assert '"unknown": "input_layer' in capsys.readouterr().out


# 10 x 10 positions, a window of 27 numbers, 5 filters, 16 frames.
FRAMES = 10 * 10 * 27 * 5 * 16


@pytest.mark.parametrize("inner", [lambda: L.Conv2D(5, 3, activation="relu"), conv])
def test_a_layer_of_every_step_is_counted_once_a_step(inner):
    model = of((16, 12, 12, 3), lambda x: L.TimeDistributed(inner())(x))
    found = cost(model)
    assert found.macs == FRAMES == 216_000
    assert found.elementwise["activation"] == found.activations == 16 * 10 * 10 * 5
    assert found.flops == 2 * FRAMES + 8_000
    assert found.params == found.trainable_params == 27 * 5 + 5
    assert not found.uncounted
    assert block_graph(model).price.macs == FRAMES
    assert block_graph(model).price.params == 140


def test_steps_within_steps_and_directions_within_steps():
    inner = L.TimeDistributed(L.TimeDistributed(L.Dense(2)))
    assert cost(of((3, 4, 5, 6), lambda x: inner(x))).macs == 3 * 4 * 5 * 6 * 2
    both = L.TimeDistributed(L.Bidirectional(L.LSTM(3)))
    assert cost(of((2, 7, 4), lambda x: both(x))).macs == 2 * 2 * 7 * (4 + 3) * 4 * 3


def test_the_layers_of_a_model_of_every_step_are_all_in_its_activations():
    inner = of((8, 8, 1), lambda x: L.MaxPooling2D(2)(L.Conv2D(2, 3, padding="same")(x)))
    found = cost(of((3, 8, 8, 1), lambda x: L.TimeDistributed(inner)(x)))
    assert found.activations == 3 * (8 * 8 * 2 + 4 * 4 * 2)
    assert found.activation_bytes == 4 * found.activations


def test_what_has_no_rule_within_steps_is_not_counted():
    for inner in (L.EinsumDense("abc,cd->abd", (3, 5)), L.Lambda(lambda y: y * 2)):
        layer = L.TimeDistributed(inner, name="steps")
        model = of((2, 3, 4), lambda x, layer=layer: layer(x))
        found = cost(model)
        assert found.uncounted == ("steps",)
        assert found.rows[-1].macs is None
        assert block_graph(model).price.is_bound


# Once a step: each gate's matrix for the input of 4 numbers, and for the state of 3.
RECURRENT = {
    "LSTM": (lambda: L.LSTM(3), 6 * 4 * 3 * (4 + 3)),
    "GRU": (lambda: L.GRU(3), 6 * 3 * 3 * (4 + 3)),
    "SimpleRNN": (lambda: L.SimpleRNN(3, return_sequences=True), 6 * 3 * (4 + 3)),
    "RNN": (lambda: L.RNN(L.GRUCell(3), return_state=True), 6 * 3 * 3 * (4 + 3)),
    "stack": (
        lambda: L.RNN([L.LSTMCell(3), L.SimpleRNNCell(2)]),
        6 * (4 * 3 * (4 + 3) + 2 * (3 + 2)),
    ),
    "Bidirectional": (lambda: L.Bidirectional(L.LSTM(3)), 2 * 6 * 4 * 3 * (4 + 3)),
    "both states": (
        lambda: L.Bidirectional(L.GRU(3, return_state=True), merge_mode=None),
        2 * 6 * 3 * 3 * (4 + 3),
    ),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_is_counted_once_a_step(name):
    make, expected = RECURRENT[name]
    x = keras.Input((6, 4))
    found = cost(keras.Model(x, make()(x)))
    assert found.macs == expected
    assert not found.uncounted
    assert receptive_field(keras.Model(x, make()(x))).to_csv().count("unknown") == 4


def test_an_open_number_of_steps_is_refused_or_said():
    for layer in (L.LSTM(3), L.TimeDistributed(L.Dense(3)), L.Bidirectional(L.GRU(2))):
        model = of((None, 4), lambda x, layer=layer: layer(x))
        with pytest.raises(ValueError, match=r"leaves sizes open.*input_shape=\(4, steps\)"):
            cost(model)
        with pytest.raises(ValueError, match="leaves sizes open"):
            compare([model])
        assert block_graph(model).price.macs is None
        assert cost(model, (4, 5)).macs > 0


def test_sizes_that_only_the_data_decide_are_refused_with_the_layer():
    class Some(L.Layer):
        def call(self, x):
            return keras.ops.reshape(x, (-1, 4))[:, None]

        def compute_output_shape(self, shape):
            return (shape[0], None, 4)

    model = of((8, 4), lambda x: Some(name="some")(x))
    with pytest.raises(ValueError, match=r"model: layer 'some' \(Some\) has sizes that only"):
        cost(model)
    inner = of((8, 4), lambda x: L.Dense(2)(Some()(x)))
    with pytest.raises(ValueError, match="has sizes that only"):
        cost(of((3, 8, 4), lambda x: L.TimeDistributed(inner)(x)))


def test_spectral_normalisation_counts_as_its_inner_layer():
    make = lambda: L.Conv2D(4, 3, strides=2, padding="same", name="conv")  # noqa: E731
    plain = of((17, 16, 3), lambda x: make()(x))
    model = of((17, 16, 3), lambda x: L.SpectralNormalization(make(), name="conv")(x))
    assert cost(model).macs == cost(plain).macs == 9 * 8 * 27 * 4
    assert receptive_field(model, "conv") == receptive_field(plain, "conv")
    assert features(model, [1]).levels == features(plain, [1]).levels
    plot_model(model, "m.dot", detail="layer")
    with open("m.dot", encoding="utf-8") as file:
        assert "3×3, 4, /2, spectral norm" in file.read()


def test_a_figure_says_what_every_step_computes():
    model = of((16, 12, 12, 3), lambda x: L.TimeDistributed(L.Conv2D(5, 3))(x))
    plot_model(model, "m.dot")
    with open("m.dot", encoding="utf-8") as file:
        text = file.read()
    assert "3×3, 5, each step" in text
    assert "216 k MACs" in text


class Odd(L.Layer):
    """A class whose attributes have the names of Keras' own, but not their meaning."""

    def __init__(self):
        super().__init__()
        self.kernel_size, self.strides, self.pool_size = 3, 2, 2
        self.layers, self.data_format, self.axis, self.cell = 4, "odd", "x", None

    def call(self, x):
        return x * 2


def test_attributes_of_a_class_of_ones_own_are_not_read_as_keras_own():
    model = of((8, 8, 3), lambda x: keras.ops.max_pool(Odd()(L.Conv2D(2, 1)(x)), 2))
    inner = of((8, 8, 3), lambda x: model(x))
    for one in (model, inner):
        assert [level.name for level in features(one, [0]).levels] == ["C0"]
        assert cost(one).macs == 8 * 8 * 3 * 2
        plot_model(one, "m.dot", detail="layer")


def field_of(apply, shape=(9, 8, 4), **options):
    return [*receptive_field(of(shape, apply, **options)).values()][-1]


def reads(field):
    """Return the size, stride and padding of a field; ``None`` if it is unknown."""
    return None if field.unknown else (field.size, field.stride, field.padding)


SLICES = {
    "channels": (lambda x: x[..., :3], ((1, 1), (1, 1), (0, 0))),
    "one channel": (lambda x: x[:, :, :, -1:], ((1, 1), (1, 1), (0, 0))),
    "rows": (lambda x: x[:, 2:-1], ((1, 1), (1, 1), (-2, 0))),
    "from the end": (lambda x: x[:, -3:, 1:], ((1, 1), (1, 1), (-6, -1))),
    "every second": (lambda x: x[:, ::2, 1::3], ((1, 1), (2, 3), (0, -1))),
    "padding": (
        lambda x: keras.ops.pad(x, ((0, 0), (2, 1), (0, 3), (1, 1))),
        ((1, 1), (1, 1), (2, 0)),
    ),
    "reflected channels": (
        lambda x: keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)), mode="reflect"),
        ((1, 1), (1, 1), (0, 0)),
    ),
    "part of the channels": (
        lambda x: keras.ops.split(x, [1], axis=-1)[1],
        ((1, 1), (1, 1), (0, 0)),
    ),
    "backwards": (lambda x: x[:, ::-1], None),
    "one row": (lambda x: x[:, 2], None),
    "a new axis": (lambda x: x[:, None], None),
    "nothing": (lambda x: x[:, 9:], None),
    "of the batch": (lambda x: x[:1, :, :], None),
    "reflected": (lambda x: keras.ops.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)), "reflect"), None),
    "part of the rows": (lambda x: keras.ops.split(x, 3, axis=1)[0], None),
    "other axes": (L.Permute((2, 1, 3)), None),
    "other sizes": (L.Resizing(4, 4), None),
}


@pytest.mark.parametrize("name", SLICES)
def test_slices_padding_and_parts_of_a_tensor(name):
    apply, expected = SLICES[name]
    assert reads(field_of(apply)) == expected


def test_a_slice_of_a_saved_model_in_channels_first():
    inputs = keras.Input((4, 9, 8))
    x = L.Conv2D(2, 3, strides=2, data_format="channels_first")(inputs[:, :3, 1:])
    keras.Model(inputs, x[..., ::2]).save("m.keras")
    model = keras.saving.load_model("m.keras")
    assert reads([*receptive_field(model).values()][-1]) == ((3, 3), (2, 4), (-1, 0))


def test_a_stride_of_open_sizes_is_not_guessed():
    def halved(x):
        return L.Conv2D(4, 3, padding="same", strides=2, name="conv")(x)

    known = of((None, None, 3), lambda x: halved(x[:, ::2, ::2]))
    assert [(level.layer, level.stride) for level in features(known).levels] == [("conv", 4)]
    repeated = of((None, None, 3), lambda x: halved(keras.ops.repeat(x, 2, axis=1)))
    with pytest.raises(ValueError, match="levels that .* has: none"):
        features(repeated)


def test_channels_that_are_not_on_the_axis_of_the_channels():
    inputs = keras.Input((3, 8, 8))
    x = L.Conv2D(4, 3, data_format="channels_first")(inputs)
    model = keras.Model(inputs, TakeChannels((1, 0), axis=-1, name="taken")(x))
    assert receptive_field(model, "taken").unknown == "taken (TakeChannels along rows or columns)"


def test_other_sizes_that_make_another_number_of_tensors_are_refused():
    model = of((3, 4), lambda x: keras.ops.unstack(x, axis=1)[0])
    with pytest.raises(ValueError, match=r"'unstack\w*' cannot take .*5 tensors in place of 3"):
        cost(model, (4, 5))
    number = of((), lambda x: keras.ops.sin(x))
    assert cost(number, ()).macs == 0


def test_a_block_that_has_the_name_of_its_only_layer_s_description():
    model = of((4,), L.Dense(2, name="dense 2"))
    for rankdir in ("TB", "LR"):
        plot_model(model, "m.dot", rankdir=rankdir)
        with open("m.dot", encoding="utf-8") as file:
            assert "10 params" in file.read()
