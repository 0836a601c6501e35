import keras
import numpy as np
import pytest

from helpers import FORMATS, channels_first, images, in_both_formats, lively
from keras_convnets import cost, receptive_field, scope
from keras_convnets.architectures.lenet import LenetBuilder, partial_conv, subsampling
from keras_convnets.keras_private import without_values
from keras_convnets.layers import TakeChannels, scaled_tanh

MNIST = (1, 32, 32)

# LeCun et al. 1998, table I, as it is printed: a row for each map of S2, a column for each of C3.
TABLE = """
    X . . . X X X . . X X X X . X X
    X X . . . X X X . . X X X X . X
    X X X . . . X X X . . X . X X X
    . X X X . . X X X X . . X . X X
    . . X X X . . X X X X . X X . X
    . . . X X X . . X X X X . X X X
"""


def outline(name, input_shape=MNIST, num_outputs=10, **options):
    with without_values():
        return getattr(LenetBuilder, f"build_{name}")(input_shape, num_outputs, **options)


def by_group(model):
    """Return parameters and multiply-adds of each stage, and in the head of each dense layer."""
    stages = {row.name: (row.params, row.macs) for row in cost(model).rolled_up(by="stage")}
    dense = {row.name: (row.params, row.macs) for row in cost(model).rows if "dense" in row.name}
    return {name: found for name, found in stages.items() if name != "head" and any(found)} | dense


def test_todays_form_layer_by_layer():
    model = outline("lenet_5")
    assert by_group(model) == {
        "conv1": (6 * (25 + 1), 28 * 28 * 6 * 25),
        "conv2": (16 * (6 * 25 + 1), 10 * 10 * 16 * 6 * 25),
        "head_dense": (120 * (16 * 5 * 5 + 1), 120 * 16 * 5 * 5),
        "head_dense2": (84 * (120 + 1), 84 * 120),
        "head_dense3": (10 * (84 + 1), 10 * 84),
    }
    found = cost(model)
    assert (found.trainable_params, found.macs, found.uncounted) == (61_706, 416_520, ())
    names = [layer.name for layer in model.layers]
    assert names[1:7] == [f"conv{n}_{layer}" for n in (1, 2) for layer in ("conv", "tanh", "pool")]
    assert names[7:] == [
        *("head_flatten", "head_dense", "head_tanh", "head_dense2", "head_tanh2", "head_dense3")
    ]


def test_the_original_layer_by_layer():
    model = outline("lenet_5_original")
    found = by_group(model)
    # Section II.B: trainable parameters.
    parameters = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "head_dense": 10_164}
    assert {name: params for name, (params, _) in found.items()} == {
        **parameters,
        "head_dense2": 850,
    }
    assert sum(parameters.values()) == 60_000
    assert cost(model).trainable_params == 60_850
    # Section II.B: connections, those to biases counted too; a sub-sampling unit has four inputs
    # and a bias.
    macs = {name: macs for name, (_, macs) in found.items()}
    assert macs["c1"] + 28 * 28 * 6 == 122_304
    assert (macs["s2"], 5 * macs["s2"]) == (14 * 14 * 6, 5_880)
    assert macs["c3"] + 10 * 10 * 16 == 151_600
    assert (macs["s4"], 5 * macs["s4"]) == (5 * 5 * 16, 2_000)
    assert macs["c5"] + 120 == 48_120
    assert macs["head_dense"] + 84 == 10_164
    connections = 122_304 + 5_880 + 151_600 + 2_000 + 48_120 + 10_164 + macs["head_dense2"]
    assert connections == 340_908
    assert cost(model).uncounted == ()


def test_what_follows_what_in_the_original():
    names = [layer.name for layer in outline("lenet_5_original").layers]
    assert names[1:6] == ["c1_conv", "c1_scaled_tanh", "s2_pool", "s2_scale", "s2_scaled_tanh"]
    assert set(names[6:13]) == {
        *("c3_from3_take", "c3_from3_conv", "c3_from4_take", "c3_from4_conv"),
        *("c3_from6_take", "c3_from6_conv", "c3_concat"),
    }
    assert names[13:19] == [
        *("c3_scaled_tanh", "s4_pool", "s4_scale", "s4_scaled_tanh", "c5_conv", "c5_scaled_tanh")
    ]
    assert names[19:] == ["head_flatten", "head_dense", "head_scaled_tanh", "head_dense2"]


def test_receptive_fields_are_known():
    fields = receptive_field(outline("lenet_5_original", include_top=False))
    sizes = [fields[f"{layer}_scaled_tanh"].size[0] for layer in ("c1", "s2", "c3", "s4", "c5")]
    assert sizes == [5, 6, 14, 16, 32]
    assert not any(field.unknown for field in fields.values())


@pytest.mark.parametrize("data_format", FORMATS)
def test_maps_of_c3_see_the_maps_of_s2_that_the_table_says(data_format):
    model = lively(LenetBuilder.build_lenet_5_original(MNIST, 10, data_format=data_format))
    c3 = keras.Model(model.get_layer("c3_from3_take").input, model.get_layer("c3_concat").output)
    x = images((6, 14, 14), data_format)
    before = channels_first(c3(x), data_format)
    table = np.array([row.split() for row in TABLE.strip().splitlines()]) == "X"
    assert table.sum() == 60
    for number, seen_by in enumerate(table):
        other = channels_first(np.copy(x), data_format)
        other[:, number] += images((1, 14, 14), "channels_first", seed=1)[:, 0]
        other = other if data_format == "channels_first" else np.moveaxis(other, 1, -1)
        difference = np.abs(channels_first(c3(other), data_format) - before).max(axis=(0, 2, 3))
        assert ((difference > 1e-3) == seen_by).all()


def test_subsampling_is_a_coefficient_and_a_bias_of_each_map():
    inputs = keras.Input((6, 8, 2))
    model = keras.Model(inputs, subsampling()(inputs))
    x = images((2, 6, 8), "channels_last")
    means = x.reshape(2, 3, 2, 4, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(model(x), means, rtol=0, atol=1e-6)  # as it starts
    kernel, bias = model.weights
    kernel.assign(np.reshape([2.0, -3.0], kernel.shape))
    bias.assign([0.5, 7.0])
    expected = means * np.array([2.0, -3.0]) + np.array([0.5, 7.0])
    np.testing.assert_allclose(model(x), expected, rtol=0, atol=1e-5)


def test_the_activation_of_the_paper():
    x = np.array([-100, -1, 0, 0.5, 1, 100], "float32")
    expected = [-1.7159, -1, 0, 1.7159 * np.tanh(1 / 3), 1, 1.7159]
    np.testing.assert_allclose(scaled_tanh(x), expected, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lenet_5", "lenet_5_original"])
def test_both_formats_compute_the_same_forward_and_in_training(name):
    def build(data_format):
        return getattr(LenetBuilder, f"build_{name}")((2, 36, 32), 4, data_format=data_format)

    outputs, trained = in_both_formats(build, (2, 36, 32))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_original_is_saved_with_its_own_layer_and_activation(data_format):
    model = lively(LenetBuilder.build_lenet_5_original(MNIST, 10, data_format=data_format))
    x = images(MNIST, data_format)
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert np.abs(np.subtract(loaded(x), model(x))).max() == 0
    assert loaded.get_layer("c3_from3_take").indices == model.get_layer("c3_from3_take").indices


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels_at_the_smallest_size(channels):
    assert outline("lenet_5", (channels, 16, 17)).output_shape == (None, 10)
    assert outline("lenet_5_original", (channels, 32, 32)).output_shape == (None, 10)
    with pytest.raises(ValueError, match="too small .* in conv2, a pooling"):
        outline("lenet_5", (channels, 16, 15))
    with pytest.raises(ValueError, match="too small .* in c5, a convolution"):
        outline("lenet_5_original", (channels, 28, 32))


def test_unknown_sizes():
    for name, maps in (("lenet_5", 16), ("lenet_5_original", 120)):
        model = outline(name, (1, None, None), None, include_top=False, pooling="avg")
        assert model.output_shape == (None, maps)
        with pytest.raises(ValueError, match="received None for rows or columns"):
            outline(name, (1, None, 32))


def test_widths_and_activation_of_ones_own():
    with without_values():
        model = LenetBuilder.build((1, 28, 28), 10, (20, 50), (500,), "relu")
    names = [layer.name for layer in model.layers]
    assert names[-4:] == ["head_flatten", "head_dense", "head_relu", "head_dense2"]
    assert model.count_params() == 20 * 26 + 50 * 501 + 500 * (50 * 4 * 4 + 1) + 10 * 501


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"filters": ()}, "filters: received \\(\\); expected one or more integers"),
        ({"hidden": 84}, "hidden: received 84; expected one or more integers"),
        ({"activation": "tahn"}, "activation: received 'tahn'; .* Did you mean 'tanh'"),
    ],
)
def test_wrong_arguments(given, words):
    with pytest.raises(ValueError, match=words):
        LenetBuilder.build(MNIST, 10, **given)


@pytest.mark.parametrize("indices", [(), (0, 6), (-1, 2)])
def test_channels_that_there_are_not(indices):
    with pytest.raises(ValueError, match="indices: received .* the input's 6 channels"):
        TakeChannels(indices)(keras.Input((14, 14, 6)))


def test_a_table_in_which_equal_counts_are_apart_keeps_its_order():
    inputs = keras.Input((5, 5, 3))
    with scope("c3"):
        model = keras.Model(inputs, partial_conv([(0, 1), (0, 1, 2), (1, 2)], 5)(inputs))
    x = np.zeros((3, 5, 5, 3), "float32")
    x[np.arange(3), :, :, np.arange(3)] = 1
    seen = np.abs(np.reshape(model(x), (3, 3))) > 1e-6  # [map of the input, map of the output]
    np.testing.assert_array_equal(seen, [[1, 1, 0], [1, 1, 1], [0, 1, 1]])
