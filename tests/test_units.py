import ast
from pathlib import Path

import keras
import pytest

from helpers import FORMATS
from keras_convnets import axes, parse, scope, units
from keras_convnets.padding import TooSmallError
from keras_convnets.units import heads


@pytest.fixture
def x(data_format):
    return keras.Input(axes.keras_shape((8, 15, 20)))


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
@pytest.mark.parametrize(
    ("unit", "shape"),
    [
        (units.conv(16, 3), (16, 15, 20)),
        (units.conv(16, 7, strides=2), (16, 8, 10)),
        (units.conv(16, (1, 3), strides=(1, 2), padding="valid"), (16, 15, 9)),
        (units.bn_relu(), (8, 15, 20)),
        (units.conv_bn_relu(4, 3, 2), (4, 8, 10)),
        (units.bn_relu_conv(4, 3, (2, 2)), (4, 8, 10)),
        (units.max_pool(3, 2), (8, 8, 10)),
        (units.max_pool(2, 2, padding="valid"), (8, 7, 10)),
        (lambda x: units.add(x, x), (8, 15, 20)),
    ],
)
def test_shapes(unit, shape, x, data_format):
    assert axes.in_papers_order(unit(x).shape, data_format) == shape


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_vectors(x):
    assert units.global_pool("avg")(x).shape == (None, 8)
    assert units.global_pool("max")(x).shape == (None, 8)
    assert heads.classifier(5, "softmax")(x).shape == (None, 5)


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_how_a_convolution_is_made(x):
    with units.penalized(1e-4):
        layer = units.conv(16, 3)(x)._keras_history.operation
    assert layer.use_bias
    initial = layer.kernel_initializer
    assert (initial.scale, initial.mode, initial.distribution) == (
        2,
        "fan_in",
        "untruncated_normal",
    )
    assert float(layer.kernel_regularizer.l2) == pytest.approx(1e-4)
    assert layer.bias_regularizer is None


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_normalisation_is_over_the_channels(x):
    layer = units.bn_relu()(x)._keras_history.operation._inbound_nodes[0].parent_nodes[0].operation
    assert layer.gamma.shape == (8,)
    assert (layer.momentum, layer.epsilon) == (0.99, 1e-3)


@pytest.mark.parametrize("initializer", ["zeros", keras.initializers.HeNormal(), None])
def test_kernels_start_as_the_style_says_and_each_by_itself(initializer):
    style = units.Style(kernel_initializer=initializer)
    both = units.chain(units.conv_bn(4, 3, style=style), units.conv_bn(4, 3, style=style))
    model = keras.Model(inputs := keras.Input((8, 8, 4)), both(inputs))
    one, other = (layer.get_weights()[0] for layer in model.layers if hasattr(layer, "kernel"))
    assert (one == other).all() == (initializer == "zeros")


@pytest.mark.parametrize("padding", ["SAME", "full", "causal"])
def test_unknown_padding(padding):
    with pytest.raises(ValueError, match=f"padding: received '{padding}'; expected one of 'same'"):
        units.conv(4, 3, padding=padding)(keras.Input((8, 8, 3)))


def test_activations_by_name_by_function_and_none():
    x = keras.Input((8, 8, 3))
    assert units.activation(None)(x) is x
    with scope("conv1"):
        for function in ("tanh", keras.activations.gelu, lambda x: x, keras.layers.LeakyReLU()):
            name = units.activation(function)(x)._keras_history.operation.name
            assert parse(name).group == "conv1"


def test_a_unit_stands_in_a_model_of_ones_own_twice():
    inputs = keras.Input((16, 16, 3))
    outputs = units.conv_bn_relu(4, 3)(units.conv_bn_relu(4, 3)(inputs))
    assert len(keras.Model(inputs, outputs).layers) == 7


@pytest.mark.parametrize(
    ("size", "unit"),
    [
        ((1, 8), units.conv(4, 3, strides=2)),
        ((8, 1), units.max_pool(3, 2)),
        ((4, 8), units.conv(4, 5, padding="valid")),
        ((8, 2), units.max_pool((2, 3), 1, padding="valid")),
    ],
)
def test_maps_too_small(size, unit):
    with pytest.raises(TooSmallError, match=f"gets maps of {size[0]} x {size[1]}"):
        unit(keras.Input((*size, 3)))


def test_one_pixel_is_enough_without_a_stride_and_sizes_may_be_unknown():
    assert units.conv(4, 3)(keras.Input((1, 1, 3))).shape == (None, 1, 1, 4)
    assert units.conv(4, 3, 2)(keras.Input((None, None, 3))).shape == (None, None, None, 4)


TOOLS = ("graph", "analysis", "images", "inference", "training")  # they take any model


def test_only_units_construct_layers():
    package = Path(units.__file__).parents[1]
    made = [
        f"{path.relative_to(package)}: {ast.unparse(node)}"
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in ("units", *TOOLS)
        for node in ast.walk(ast.parse(path.read_text()))
        if constructs_a_layer(node)
    ]
    assert made == []


def constructs_a_layer(node):
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("keras.layers")
    called = isinstance(node, ast.Call) and ast.unparse(node.func).split(".")
    return bool(called) and "layers" in called[:-1] and called[-1][:1].isupper()


@pytest.mark.parametrize(
    "source", ["keras.layers.ReLU()(x)", "layers.ReLU(name='a')", "from keras.layers import ReLU"]
)
def test_a_layer_is_seen_where_it_is_constructed(source):
    assert any(map(constructs_a_layer, ast.walk(ast.parse(source))))
