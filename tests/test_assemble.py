from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import FORMATS
from keras_convnets import ResnetBuilder, cost, plot_model, scope, units
from keras_convnets.assemble import assemble
from keras_convnets.keras_private import without_values
from keras_convnets.training import freeze_until, stage_factors

PARTS = [("conv1", units.conv_bn_relu(8, 3)), ("conv2_block1", units.conv_bn_relu(16, 3, 2))]


def trainable_names(model):
    return [layer.name for layer in model.layers if layer.weights]


def test_parts_become_a_plain_functional_model():
    model = assemble((3, 16, 16), 10, PARTS, "tiny")
    assert type(model).__name__ == "Functional"
    assert model.name == "tiny"
    assert model.output_shape == (None, 10)
    assert trainable_names(model) == [
        "conv1_conv",
        "conv1_bn",
        "conv2_block1_conv1",
        "conv2_block1_bn1",
        "head_dense",
    ]


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_the_format_is_keras_own_at_build_time(data_format):
    model = assemble((3, 16, 24), 10, PARTS, "tiny", include_top=False)
    expected = (None, 16, 8, 12) if data_format == "channels_first" else (None, 8, 12, 16)
    assert model.output_shape == expected
    assert {getattr(layer, "data_format", data_format) for layer in model.layers} == {data_format}


@pytest.mark.parametrize(("pooling", "shape"), [("avg", (None, 16)), ("max", (None, 16))])
def test_without_top_the_features_can_be_pooled(pooling, shape):
    model = assemble((3, 16, 16), None, PARTS, "tiny", include_top=False, pooling=pooling)
    assert model.output_shape == shape
    assert model.layers[-1].name == "head_pool"


def test_outputs_of_every_kind():
    logits = assemble((3, 16, 16), 1, PARTS, "tiny", classifier_activation=None)
    assert logits.layers[-1].activation is keras.activations.linear
    sigmoid = assemble((3, 16, 16), 1, PARTS, "tiny", classifier_activation="sigmoid")
    assert sigmoid.layers[-1].activation is keras.activations.sigmoid


def test_the_l2_penalty_is_on_the_kernels_of_convolutions():
    model = assemble((3, 16, 16), 10, PARTS, "tiny", l2_penalty=0.5)
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    expected = sum(0.5 * keras.ops.sum(keras.ops.square(kernel)) for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(float(expected), rel=1e-5)
    assert assemble((3, 16, 16), 10, PARTS, "tiny", l2_penalty=0).losses == []


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_outputs_are_float32_under_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = assemble((3, 16, 16), 10, PARTS, "tiny")
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("conv1_conv").compute_dtype == policy.removeprefix("mixed_")
    assert model(keras.ops.ones((1, *model.input_shape[1:]))).dtype == "float32"


def test_layers_that_a_part_makes_itself_are_in_its_group():
    shared = keras.layers.Dense(8, name="mine")

    def part(x):
        x = keras.layers.SeparableConv2D(8, 3, padding="same")(x)
        x = keras.ops.relu(x)
        x = keras.layers.Conv2D(8, 1, name="conv2_block1_conv1")(x)
        x = keras.layers.Conv2D(8, 1)(keras.layers.Conv2D(8, 1)(x))
        return units.conv(8, 1)(shared(x))

    parts = [("conv2_block1", part), ("conv2_block2", lambda x: shared(x))]
    for _ in range(2):  # the same names on every build
        model = assemble((8, 16, 16), 10, parts, "own")
        assert [operation.name for operation in model.operations] == [
            "input_image",
            "conv2_block1_separable_conv2d",
            "conv2_block1_relu1",
            "conv2_block1_conv1",
            "conv2_block1_conv2d",
            "conv2_block1_conv2d2",
            "mine",
            "conv2_block1_conv2",
            "head_pool",
            "head_dense",
        ]


def test_layers_are_numbered_as_the_block_makes_them():
    def part(x):
        residual = keras.layers.Conv2D(8, 3, padding="same")(x)
        projection = keras.layers.Conv2D(8, 1)(x)
        return keras.layers.Add()([projection, residual])

    model = assemble((3, 16, 16), 10, [("conv2_block1", part)], "t", data_format="channels_last")
    assert model.get_layer("conv2_block1_conv2d").kernel_size == (3, 3)
    assert model.get_layer("conv2_block1_conv2d2").kernel_size == (1, 1)


def test_a_layer_of_another_model_keeps_its_name():
    inputs = keras.Input((8, 8, 3))
    named, unnamed = keras.layers.Conv2D(3, 1, name="named"), keras.layers.Conv2D(3, 1)
    before = unnamed.name
    other = keras.Model(inputs, unnamed(named(inputs)))
    model = build(lambda x: unnamed(named(x)))
    assert [layer.name for layer in other.layers[1:]] == ["named", before]
    assert model.get_layer(before) is unnamed


def test_a_network_within_a_block_has_the_names_that_it_has_alone():
    def inner():
        parts = [("conv1", units.conv(3, 1)), ("conv2_block1", keras.ops.relu)]
        return assemble((3, 8, 8), None, parts, "inner", include_top=False)

    def names(model):
        return [operation.name for operation in model.operations]

    inside = []

    def part(x):
        inside.append(inner())
        return keras.ops.relu(units.conv(3, 1)(inside[-1](x)))

    outer = build(part)
    assert names(inside[0]) == names(inner())
    assert names(outer)[1:] == ["inner", "conv2_block1_conv1", "conv2_block1_relu1"]


def test_names_that_a_block_gives_are_kept_and_must_differ():
    def part(x):
        return keras.layers.Conv2D(4, 1, name="query")(x)

    assert build(part).get_layer("query").kernel.path == "query/kernel"
    with pytest.raises(ValueError) as caught:
        build(part, part)
    message = str(caught.value)
    assert message.startswith("conv2_block2: received a layer named 'query'")
    assert "in conv2_block1; expected each name once" in message
    assert "layer_name('gate')" in message


def test_a_block_cannot_take_a_name_that_a_unit_has():
    def part(x):
        return keras.layers.Conv2D(4, 1, name="conv2_block1_conv1")(units.conv(4, 1)(x))

    with pytest.raises(ValueError, match="in conv2_block1; expected each name once"):
        build(part)


def block_of_every_kind():
    """Return a block that makes its layers in every way there is."""
    before = keras.layers.Dense(4)

    class Gate(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.early = keras.layers.Dense(4)

        def build(self, shape):
            self.late = keras.layers.Dense(4)
            self.early.build(shape)
            self.late.build(shape)

        def call(self, x):
            return self.late(self.early(x))

    def part(x):
        x = keras.ops.relu(before(x)) + 1
        x = keras.layers.Dense(4)(keras.layers.Dense(4)(x))  # the outer one is made first
        built = keras.layers.Dense(4)
        built.build(x.shape)
        x = Gate()(built(x))
        x = keras.layers.MultiHeadAttention(1, 2)(x, x)
        x = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(4)])(x)
        x = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Dense(4), keras.layers.ReLU()])(
            x
        )
        inputs = keras.Input((8, 8, 4))
        return keras.Model(inputs, keras.layers.Dense(4)(inputs))(x)

    return part


KINDS = ["dense", "relu1", "add", "dense2", "dense3", "dense4", "gate", "multi_head_attention"]
KINDS += ["sequential", "sequential2", "functional"]


def test_layers_are_the_groups_however_a_block_makes_them():
    for _ in range(2):  # the same names on every build
        model = build(block_of_every_kind(), block_of_every_kind())
        groups = ("conv2_block1", "conv2_block2")
        expected = ["input_image", *(f"{group}_{kind}" for group in groups for kind in KINDS)]
        assert [operation.name for operation in model.operations] == expected
        paths = [weight.path for weight in model.weights]
        assert len(set(paths)) == len(paths)
        for layer in model.layers:
            # The layers of a functional model have been built before it, under their own names.
            inside = layer.layers[1] if layer.name.endswith("functional") else layer
            assert all(weight.path.startswith(f"{inside.name}/") for weight in layer.weights)
            assert inside.name.startswith(groups) or not inside.weights


def test_a_saved_model_has_the_names_of_all_weights():
    model = build(lambda x: keras.layers.MultiHeadAttention(1, 2)(keras.layers.Dense(3)(x), x))
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert [w.path for w in loaded.weights] == [w.path for w in model.weights]
    assert loaded.layers[-1].name == "conv2_block1_multi_head_attention"
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert (one == other).all()


def build(*parts):
    groups = [(f"conv2_block{number}", part) for number, part in enumerate(parts, 1)]
    return assemble((3, 8, 8), None, groups, "t", include_top=False, data_format="channels_last")


def test_a_block_that_calls_keras_layers_follows_the_format_asked_for():
    def part(x):
        return keras.layers.Conv2D(4, 3, strides=2, padding="same")(x)

    model = assemble(
        (3, 16, 24), 10, [("conv1", part)], "t", data_format="channels_first", include_top=False
    )
    assert model.output_shape == (None, 4, 8, 12)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("Conv 1", units.conv(8, 3))], "received the group name 'Conv 1'"),
        ([("conv1", None)], "conv1: received None; expected a function of a tensor"),
        ([("conv1", lambda x: None)], "conv1: the block's function returned None"),
    ],
)
def test_parts_that_are_none(parts, words):
    with pytest.raises(ValueError) as caught:
        assemble((3, 16, 16), 10, parts, "tiny")
    assert words in str(caught.value)


def test_an_error_in_a_block_says_where_it_happened():
    def part(x):
        return keras.layers.Add()([x, keras.layers.Conv2D(7, 1)(x)])

    with pytest.raises(ValueError) as caught:
        assemble((3, 16, 16), 10, [("conv1", units.conv(8, 3)), ("conv2_block1", part)], "tiny")
    assert "conv2_block1" in caught.value.__notes__[0]
    assert "16, 16" in caught.value.__notes__[0]


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_maps_too_small_name_the_shape_and_the_stage(padding):
    parts = [("conv1", units.max_pool(2, 2)), ("conv2", units.max_pool(3, 2, padding))]
    with pytest.raises(
        ValueError, match=r"\(3, 2, 9\), too small .* in conv2, .* maps of 1 x"
    ) as e:
        assemble((3, 2, 9), 10, parts, "tiny")
    assert "resize" in str(e.value)


def test_num_outputs_may_be_none_only_without_the_top():
    assert assemble((3, 16, 16), None, PARTS, "t", include_top=False).output_shape[0] is None
    with pytest.raises(ValueError, match="num_outputs: received None"):
        assemble((3, 16, 16), None, PARTS, "t")
    with pytest.raises(ValueError, match="num_outputs: received 0"):
        assemble((3, 16, 16), 0, PARTS, "t", include_top=False)


@pytest.mark.parametrize(
    "activation",
    ["softmax", keras.activations.softmax, keras.ops.softmax, keras.layers.Softmax()],
    ids=["name", "activation", "operation", "layer"],
)
def test_one_output_of_a_softmax_is_warned_of(activation):
    """Its only value is 1: nothing can be learned, and accuracy is that of one class."""
    words = "^num_outputs: received 1 with a softmax, which is 1 for every image.*'sigmoid', or "
    with pytest.warns(UserWarning, match=words) as found:
        assemble((3, 8, 8), 1, [], "tiny", classifier_activation=activation)
    assert [warning.filename for warning in found] == [__file__]  # once, where it was called
    for other in ("sigmoid", None):  # a warning is an error here
        assemble((3, 8, 8), 1, [], "tiny", classifier_activation=other)
    assemble((3, 8, 8), 1, [], "tiny", include_top=False)


def tiny_resnet(channels):
    shape, blocks = (channels, 16, 16), (1, 2)
    return ResnetBuilder.build(shape, None, "basic_block", blocks, include_top=False)


def two_streams():
    """Return two networks of one kind, built in scopes, and a model of both."""
    models = []
    for name, channels in (("sar", 2), ("optical", 3)):
        with scope(name):
            models.append(tiny_resnet(channels))
    pooled = [keras.layers.GlobalAveragePooling2D()(model.output) for model in models]
    both = keras.layers.Concatenate()(pooled)
    outputs = keras.layers.Dense(4, "softmax", name="answer")(both)
    return [*models, keras.Model([model.input for model in models], outputs, name="fused")]


def test_a_scope_names_everything_in_a_network():
    with without_values():
        alone = tiny_resnet(2)
        sar, optical, fused = two_streams()
    assert (sar.name, optical.name) == ("sar_resnet", "optical_resnet")
    assert sar.input.name == "sar_input_image"
    names = [layer.name for layer in alone.layers]
    assert [layer.name for layer in sar.layers] == [f"sar_{name}" for name in names]
    assert {weight.path.partition("_")[0] for weight in optical.weights} == {"optical"}
    assert len(fused.layers) == 2 * len(names) + 4


def test_two_networks_in_one_graph_have_stages_and_train():
    sar, _, fused = two_streams()
    stages = ["conv1", "conv2", "conv3", "final"]
    rates = {
        f"{name}_{stage}": 0.5 ** (4 - n)
        for name in ("sar", "optical")
        for n, stage in enumerate(stages)
    }
    assert stage_factors(fused, 0.5) == rates | {"answer": 1.0}
    assert [row.name for row in cost(sar).rolled_up("stage")] == ["input", *rates][:5]
    frozen = freeze_until(fused, "sar_conv3_block2")
    assert {name.split("_")[1] for name in frozen.layers} == {"conv1", "conv2", "conv3"}
    assert {name.split("_")[0] for name in frozen.layers} == {"sar"}
    assert freeze_until(fused, "answer").trained_parameters == 256 * 4 + 4
    fused.compile("sgd", "sparse_categorical_crossentropy")
    images = [np.ones((2, *x.shape[1:]), "float32") for x in fused.inputs]
    fused.train_on_batch(images, np.arange(2))
    fused.save("fused.keras")
    loaded = keras.models.load_model("fused.keras")
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in fused.layers]
    assert np.array_equal(loaded.predict_on_batch(images), fused.predict_on_batch(images))
    plot_model(loaded, "fused.dot", detail="stage")
    assert all(stage in Path("fused.dot").read_text() for stage in rates)


def test_a_layer_without_a_name_is_shared_by_two_networks_in_one_graph():
    shared = keras.layers.Conv2D(4, 1)
    models = []
    for name in ("left", "right"):
        with scope(name):
            parts = [("conv1", lambda x: shared(keras.layers.Conv2D(4, 1)(x)))]
            models.append(assemble((3, 8, 8), None, parts, "tiny", include_top=False))
    both = keras.layers.Concatenate()([model.output for model in models])
    model = keras.Model([model.input for model in models], both)
    assert [layer.name for layer in model.layers if layer.weights] == [
        *("left_conv1_conv2d", "right_conv1_conv2d", "left_conv1_conv2d2"),
    ]


def test_a_network_within_a_block_is_in_no_scope():
    def inner(x):
        model = assemble((3, 8, 8), None, [("conv1", units.conv(3, 1))], "inner", include_top=False)
        return model(units.conv(3, 1)(x))

    with scope("left"):
        outer = build(inner)
    assert [layer.name for layer in outer.layers[1:3]] == ["left_conv2_block1_conv1", "inner"]
    assert outer.layers[2].layers[1].name == "conv1_conv"


@pytest.mark.parametrize("name", ["", "a/b", "1st", "two words", None])
def test_a_scope_that_is_no_name(name):
    with (
        pytest.raises(ValueError, match=r"^scope: received .*; expected a name of letters"),
        scope(name),
    ):
        pass
