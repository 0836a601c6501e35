import json
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import paper
from helpers import FORMATS, images, lively
from keras_convnets import ResnetBuilder, basic_block, bottleneck, conv, scope, shortcut
from keras_convnets.keras_private import without_values

WEIGHT_ORDER = json.loads((Path(__file__).parents[1] / "keras2_weight_order.json").read_text())


def small(
    input_shape=(3, 32, 32), num_outputs=4, block="basic_block", repetitions=(1, 1), **options
):
    return ResnetBuilder.build(input_shape, num_outputs, block, repetitions, **options)


def build(name, *args, **options):
    # Shapes are asked for, not values, so the weights need not be made.
    with without_values():
        return getattr(ResnetBuilder, f"build_{name}")(*args, **options)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", paper.CLASSIC_PARAMETERS)
def test_parameters_as_published(name, data_format):
    model = build(name, (3, 224, 224), 100, data_format=data_format)
    assert model.count_params() == paper.CLASSIC_PARAMETERS[name]
    assert model.name == name


@pytest.mark.parametrize("name", WEIGHT_ORDER)
def test_weights_are_in_the_order_of_the_keras_2_builder(name):
    kinds = {"Conv2D": "conv", "BatchNormalization": "bn", "Dense": "dense"}
    model = build(name, (3, 224, 224), 100, data_format="channels_last")
    weighted = [layer for layer in model.layers if layer.weights]
    order = [
        f"{kinds[type(layer).__name__]} {'x'.join(map(str, layer.weights[0].shape))}"
        for layer in weighted
    ]
    assert order == WEIGHT_ORDER[name]
    per_layer = [tuple(weight.shape) for layer in weighted for weight in layer.weights]
    assert [tuple(weight.shape) for weight in model.weights] == per_layer


def test_a_projection_comes_before_the_last_convolution_of_its_branch():
    # In conv2 of the bottleneck networks both have one shape, so that shapes do not tell.
    names = [layer.name for layer in build("resnet_50", (3, 224, 224), 100).layers]
    for stage in (2, 3, 4, 5):
        projection = names.index(f"conv{stage}_block1_shortcut_conv")
        assert projection < names.index(f"conv{stage}_block1_conv3")


def test_names_tell_the_story():
    names = [layer.name for layer in build("resnet_18", (3, 224, 224), 100).layers]
    assert names[:5] == ["input_image", "conv1_conv", "conv1_bn", "conv1_relu", "conv1_pool"]
    assert names[5:10] == [
        f"conv2_block1_{layer}" for layer in ("conv1", "bn1", "relu1", "conv2", "add")
    ]
    assert names[-4:] == ["final_bn", "final_relu", "head_pool", "head_dense"]
    projections = [name for name in names if "shortcut" in name]
    assert projections == [f"conv{stage}_block1_shortcut_conv" for stage in (3, 4, 5)]


@pytest.mark.parametrize("block", ["basic_block", "bottleneck"])
def test_kernels_start_as_in_the_keras_2_builder(block):
    layers = [layer for layer in small(block=block).layers if hasattr(layer, "kernel")]
    assert len(layers) > 6
    for layer in layers:
        assert layer.use_bias
        assert isinstance(layer.kernel_initializer, keras.initializers.HeNormal)


def test_blocks_are_made_in_the_format_of_the_network():
    made = []

    def block(filters, init_strides, is_first_block_of_first_layer):
        made.append(convolution := keras.layers.Conv2D(filters, 3, init_strides, padding="same"))
        return convolution

    first = small(block=block, data_format="channels_first")
    assert {layer.data_format for layer in made} == {"channels_first"}
    assert first.output_shape == (None, 4)


def test_stage_shapes_of_the_paper():
    model = build("resnet_50", (3, 224, 224), 1000, data_format="channels_last")
    shapes = {
        "conv1_relu": (112, 112, 64),
        "conv1_pool": (56, 56, 64),
        "conv2_block3_add": (56, 56, 256),
        "conv3_block4_add": (28, 28, 512),
        "conv4_block6_add": (14, 14, 1024),
        "conv5_block3_add": (7, 7, 2048),
    }
    for name, shape in shapes.items():
        assert model.get_layer(name).output.shape == (None, *shape)


@pytest.mark.parametrize("size", [28, 33, 200, 300, 512, None])
@pytest.mark.parametrize("block", [basic_block, bottleneck])
def test_sizes(size, block):
    with without_values():
        model = small((3, size, size), block=block, repetitions=(2, 1, 1, 1), include_top=False)
    expected = size
    for _ in range(5):
        expected = expected and -(-expected // 2)
    rows, cols = model.output_shape[1:3]
    assert rows == cols == expected


def test_unknown_sizes_compute_as_known_ones():
    known, unknown = small((3, 40, 56)), small((3, None, None))
    unknown.set_weights(known.get_weights())
    x = images((3, 40, 56), "channels_last")
    np.testing.assert_allclose(
        known.predict(x, verbose=0), unknown.predict(x, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("channels", [1, 2, 4, 13])
def test_any_number_of_channels(channels):
    assert small((channels, 32, 32)).get_layer("conv1_conv").kernel.shape[2] == channels


@pytest.mark.parametrize("block", ["basic_block", "bottleneck"])
def test_both_formats_compute_the_same_forward_and_in_training(block):
    outputs, trained = [], []
    keras.utils.set_random_seed(0)  # how much rounding is magnified depends on the weights
    first = small(block=block, data_format="channels_first")
    lively(first)
    for data_format in FORMATS:
        model = small(block=block, data_format=data_format)
        model.set_weights(first.get_weights())
        x = images((3, 32, 32), data_format, count=4)
        outputs.append(keras.ops.convert_to_numpy(model(x)))
        model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        model.train_on_batch(x, np.arange(4))
        trained.append(model.get_weights())
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("data_format", FORMATS)
def test_a_model_keeps_its_format_under_another_setting(data_format):
    model = lively(small(data_format=data_format))
    x = images((3, 32, 32), data_format)
    expected = model.predict(x, verbose=0)
    model.save("model.keras")
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(next(fmt for fmt in FORMATS if fmt != data_format))
    try:
        loaded = keras.models.load_model("model.keras")
        assert np.abs(loaded.predict(x, verbose=0) - expected).max() == 0
    finally:
        keras.config.set_image_data_format(before)


def test_blocks_by_name_and_by_function_are_one():
    for name, function in (("basic_block", basic_block), ("bottleneck", bottleneck)):
        one, other = small(block=name), small(block=function)
        assert one.get_config() == other.get_config()


def test_a_block_of_ones_own_is_called_with_the_native_signature():
    calls = []

    def block(filters, init_strides, is_first_block_of_first_layer):
        calls.append((filters, init_strides, is_first_block_of_first_layer))

        def apply(x):
            residual = keras.layers.Conv2D(filters, 3, init_strides, padding="same")(x)
            return shortcut(x, conv(filters, 3)(residual), init_strides)

        return apply

    model = small(block=block, repetitions=(2, 1))
    assert calls == [(64, (1, 1), True), (64, (1, 1), False), (128, (2, 2), False)]
    assert model.get_layer("conv2_block1_conv2d")
    assert model.get_layer("conv3_block1_shortcut_conv")


def test_the_shortcut_projects_where_strides_or_channels_differ():
    def projects(x, residual, strides):
        with scope("conv9_block1"):
            y = shortcut(x, residual, strides)
        return "shortcut" in str(
            [
                parent.operation.name
                for parent in y._keras_history.operation._inbound_nodes[0].parent_nodes
            ]
        )

    x = keras.Input((8, 8, 16))
    assert not projects(x, keras.Input((8, 8, 16)), (1, 1))
    assert projects(x, keras.Input((8, 8, 32)), (1, 1))
    assert projects(x, keras.Input((4, 4, 16)), (2, 2))
    # One pixel: the strides differ though the shapes do not, which only the strides tell.
    assert projects(keras.Input((1, 8, 16)), keras.Input((1, 4, 16)), (1, 2))


@pytest.mark.parametrize(
    ("shape", "stage"),
    [
        ((3, 1, 32), "conv1"),
        ((3, 2, 2), "conv1"),
        ((3, 8, 8), "conv4_block1"),
        ((3, 224, 16), "conv5_block1"),
    ],
)
def test_an_input_too_small_says_in_which_stage_it_dies(shape, stage):
    with pytest.raises(ValueError, match=f"too small for the network's strides: in {stage},"):
        build("resnet_18", shape, 10)


def test_the_smallest_input_that_survives():
    assert build("resnet_18", (3, 17, 17), 10).output_shape == (None, 10)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("basicblock", "'basicblock'; expected one of 'basic_block', 'bottleneck'. Did you mean"),
        (None, "received None"),
        (3, "received 3"),
    ],
)
def test_unknown_blocks(block, words):
    with pytest.raises(ValueError, match="^block_fn: ") as caught:
        small(block=block)
    assert words in str(caught.value)


sizes = st.one_of(st.none(), st.integers(-1, 70))
shapes = st.one_of(
    st.tuples(st.integers(0, 5), sizes, sizes),
    st.lists(st.one_of(sizes, st.floats(0, 9)), max_size=4),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "data_format": st.sampled_from([None, *FORMATS, "NCHW"]),
        "include_top": st.booleans(),
        "pooling": st.sampled_from([None, "avg", "max", "sum"]),
        "classifier_activation": st.sampled_from([None, "softmax", "sigmoid", "step"]),
        "l2_penalty": st.sampled_from([0, 1e-4, -1, float("nan")]),
        "name": st.sampled_from([None, "mine", "a/b", ""]),
    },
)


@pytest.mark.filterwarnings("ignore:num_outputs. received 1 with a softmax")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    input_shape=shapes,
    num_outputs=st.one_of(st.none(), st.integers(-1, 5), st.floats(0, 3)),
    block=st.sampled_from(["basic_block", "bottleneck", basic_block, "block", 7]),
    repetitions=st.lists(st.integers(-1, 2), max_size=3),
    chosen=options,
)
def test_every_draw_builds_what_is_promised_or_says_what_is_wrong(
    input_shape, num_outputs, block, repetitions, chosen
):
    before = keras.config.image_data_format()
    try:
        with without_values():
            model = ResnetBuilder.build(input_shape, num_outputs, block, repetitions, **chosen)
    except ValueError as error:
        assert "received" in str(error)
        assert len(str(error).splitlines()) == 1
        return
    finally:
        assert keras.config.image_data_format() == before
    assert model.output_shape == promised(input_shape, num_outputs, block, repetitions, chosen)


def promised(input_shape, num_outputs, block, repetitions, chosen):
    if chosen.get("include_top", True):
        return (None, num_outputs)
    filters = 64 * 2 ** (len(repetitions) - 1) * (4 if block == "bottleneck" else 1)
    if chosen.get("pooling"):
        return (None, filters)
    rows, cols = input_shape[1:]
    for _ in range(1 + len(repetitions)):
        rows, cols = rows and -(-rows // 2), cols and -(-cols // 2)
    last = (chosen.get("data_format") or "channels_last") == "channels_last"
    return (None, rows, cols, filters) if last else (None, filters, rows, cols)
