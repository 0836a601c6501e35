"""Rules place each array of a file in one weight of a model, and write the same file again."""

import keras
import numpy as np
import pytest

from keras_convnets import create_model
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.placing.placing import place, written
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.rules.layout import Layout, Row

CONV_BN = Layout(
    "torchvision",
    (),
    (Row("a_conv", "conv"), Row("a_bn", "bn"), Row("head_(dense|conv)", "fc")),
    auxiliary="aux",
    aliases=((r"old\.", "conv."),),
)


def layers(*, scale=True, bias=False, size=(4, 3), data_format="channels_last", top=True):
    """Return the layers of a network of a convolution, its normalisation, and a dense layer."""
    shape = (*size, 2) if data_format == "channels_last" else (2, *size)
    axis = 3 if data_format == "channels_last" else 1
    convolution = keras.layers.Conv2D(
        5, 1, use_bias=bias, data_format=data_format, name="sar_a_conv"
    )
    x = image = keras.Input(shape, name="sar_input_image")
    x = keras.layers.BatchNormalization(axis=axis, scale=scale, name="sar_a_bn")(convolution(x))
    if top:
        x = keras.layers.Dropout(0.5)(keras.layers.Flatten(data_format=data_format)(x))
        x = keras.layers.Dense(6, name="sar_head_dense")(x)
    return layers_of(keras.Model(image, x))


def state(size=(4, 3), seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"conv.weight": (5, 2, 1, 1), "fc.weight": (6, 5 * size[0] * size[1])}
    shapes |= {"fc.bias": (6,)}
    shapes |= {f"bn.{name}": (5,) for name in ("weight", "bias", "running_mean", "running_var")}
    values = {name: rng.random(shape, np.float32) for name, shape in shapes.items()}
    return values | {"bn.num_batches_tracked": np.zeros((), np.int64)}


def placed(found, values, layout=CONV_BN):
    return place(found, NamedArrays(values, "npz"), layout)


def is_exact(placement):
    return not (placement.missing or placement.unexplained or placement.left_out)


def assign(found, placement):
    for full, value in placement.values.items():
        name, variable = full.split("/")
        (weight,) = [w for w in found[name].weights if w.path.endswith(f"/{variable}")]
        weight.assign(value.array)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_what_is_placed_is_written_again(data_format):
    found, values = layers(data_format=data_format), state()
    placement = placed(found, values)
    assert is_exact(placement)
    assert list(found) == ["a_conv", "a_bn", "head_dense"]  # without the scope
    assign(found, placement)
    back = written(found, CONV_BN)
    assert back.keys() == values.keys()
    assert all(np.array_equal(back[key], values[key]) for key in values)
    assert all(back[key].dtype == values[key].dtype for key in values)
    of_flattened = values["fc.weight"].reshape(6, 5, 4, 3).transpose(2, 3, 1, 0).reshape(-1, 6)
    assert np.array_equal(placement.values["head_dense/kernel"].array, of_flattened)
    assert placement.values["head_dense/kernel"].key == "fc.weight"


def test_dense_layers_of_another_image_size_have_the_size_of_the_file():
    placement = placed(layers(size=(4, 3)), state(size=(2, 2)))
    expected = state(size=(2, 2))["fc.weight"].reshape(6, 5, 2, 2).transpose(2, 3, 1, 0)
    assert np.array_equal(placement.values["head_dense/kernel"].array, expected.reshape(-1, 6))


def test_a_kernel_of_a_convolution_is_that_of_a_dense_layer_after_a_flatten():
    values = state()
    as_convolution = values | {"fc.weight": values["fc.weight"].reshape(6, 5, 4, 3)}
    one, other = (placed(layers(), one).values for one in (values, as_convolution))
    assert np.array_equal(one["head_dense/kernel"].array, other["head_dense/kernel"].array)


def test_what_is_not_used_is_said():
    values = state() | {"aux.weight": np.ones(3), "who.weight": np.ones(3), "bn.scale": np.ones(5)}
    values["conv.bias"] = np.ones(5)
    del values["bn.bias"]
    placement = placed(layers(top=False), values)
    no_top = "the model is without its top"
    assert placement.left_out == {
        "fc.weight": no_top,
        "fc.bias": no_top,
        "aux.weight": "the model has no auxiliary heads",
    }
    assert set(placement.unexplained) == {"who.weight", "bn.scale", "conv.bias"}
    assert placement.missing == ("a_bn/beta",)


def test_an_older_name_is_understood_and_told_as_it_is():
    values = state()
    values["old.weight"] = values.pop("conv.weight")
    placement = placed(layers(), values)
    assert is_exact(placement)
    assert placement.values["a_conv/kernel"].key == "old.weight"


def test_an_older_and_a_newer_name_of_one_weight_are_refused():
    arrays = {name: np.ones((4, 3, 1, 1), "float32") for name in ("old.weight", "conv.weight")}
    with pytest.raises(ValueError, match=r"'old\.weight' and 'conv\.weight', an older and a newer"):
        place({}, NamedArrays(arrays, "npz"), CONV_BN)


@pytest.mark.parametrize("bias", [False, True])
def test_a_scale_without_a_place_goes_into_the_convolution(bias):
    rng = np.random.default_rng(1)
    x, values = rng.random((2, 4, 3, 2)), state()
    values["bn.weight"] -= np.float32(0.5)  # some are negative
    if bias:
        values["conv.bias"] = rng.random(5, np.float32)
    values = {name: array.astype("float64") for name, array in values.items()}
    scaled, bare = layers(bias=bias), layers(scale=False, bias=bias)
    outputs = []
    for found in (scaled, bare):
        placement = placed(found, values)
        assert is_exact(placement)
        assert ("scales of 1 normalisations" in str(placement.notes)) == (found is bare)
        outputs.append(normalised(x, {k: v.array for k, v in placement.values.items()}))
    assert np.allclose(*outputs, rtol=0, atol=1e-14)


def normalised(x, values):
    """Return a 1x1 convolution and a normalisation, computed from the values."""
    x = x @ values["a_conv/kernel"][0, 0] + values.get("a_conv/bias", 0)
    x = (x - values["a_bn/moving_mean"]) / np.sqrt(values["a_bn/moving_variance"] + 1e-3)
    return x * values.get("a_bn/gamma", 1) + values["a_bn/beta"]


def test_scales_of_ones_are_written_where_there_are_none():
    back = written(layers(scale=False), CONV_BN)
    assert np.array_equal(back["bn.weight"], np.ones(5))
    assert back["bn.num_batches_tracked"].dtype == np.int64


@pytest.mark.parametrize(
    ("key", "shape"),
    [("conv.weight", (5,)), ("bn.bias", (5, 1)), ("fc.weight", (3,)), ("fc.weight", (6, 61))],
)
def test_another_kind_of_layer_is_refused(key, shape):
    values = state() | {key: np.ones(shape, np.float32)}
    with pytest.raises(ValueError, match="expected the same kind of layer") as refusal:
        placed(layers(), values)
    assert f"{key} of shape {shape}" in str(refusal.value)


def test_a_model_of_others_cannot_be_written_in_a_layout():
    image = keras.Input((4,))
    found = layers_of(keras.Model(image, keras.layers.Dense(2, name="mine")(image)))
    with pytest.raises(ValueError, match="a layer 'mine'; expected a network that torchvision has"):
        written(found, CONV_BN)
    assert placed(found, {}).missing == ("mine/kernel", "mine/bias")


def test_groups_of_a_row_are_filled_in():
    row = Row(
        r"c(?P<stage>\d)_(?P<block>\d+)_(?P<kind>x|y)(?P<n>\d?)", "{kind}{n}.{stage-1}{block:a}"
    )
    image = keras.Input((4,))
    dense = keras.layers.Dense(2, name="c3_2_x")(image)
    back = written(layers_of(keras.Model(image, dense)), Layout("timm", (), (row,)))
    assert list(back) == ["x1.2b.weight", "x1.2b.bias"]


@pytest.mark.parametrize("where", ["resnet_v2_50", "resnet_v2_50_timm"])
def test_only_where_scales_commute_with_pooling(where):
    (layout,) = [one for one in LAYOUTS if where in one.networks]
    values = {"stages.0.blocks.0.norm1.weight": np.array([1, -0.25], np.float32)}
    if where == "resnet_v2_50_timm":
        assert placed({}, values, layout).unexplained
        return
    with pytest.raises(ValueError, match=r"received -0.25 .* Use resnet_v2_50_timm"):
        placed({}, values, layout)


def test_a_dense_head_and_a_convolutional_one_have_the_same_file():
    for source in ("torchvision", "timm"):
        (layout,) = [one for one in LAYOUTS if one.networks == ("vgg_11",) and one.source == source]
        rows = layout._replace(rows=layout.rows[-3:])
        assert [row.form for row in rows.rows[:2]] == [
            {"torchvision": "linear", "timm": "conv"}[source]
        ] * 2


def test_each_layer_of_each_network_has_a_name_of_its_own():
    small = [one for one in LAYOUTS if one.networks[0] in ("resnet_v1_18", "alexnet")]
    for layout in small:
        model = create_model(layout.networks[0], num_outputs=3)
        back = written(layers_of(model), layout)
        placement = placed(layers_of(model), back, layout)
        assert is_exact(placement)
        assert {value.key for value in placement.values.values()} | {
            key for key in back if key.endswith("tracked")
        } == back.keys()
