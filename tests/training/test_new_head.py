import keras
import numpy as np
import pytest

from helpers import FORMATS
from keras_convnets import (
    LocalResponseNormalization,
    PadChannels,
    ResnetBuilder,
    axes,
    chain,
    conv_bn_relu,
    create_model,
    units,
)
from keras_convnets.assemble import assemble
from keras_convnets.graph.walk import walk
from keras_convnets.recursion import room_for
from keras_convnets.training.transfer.fine_tuning import freeze_until, new_head
from keras_convnets.units import heads

LAYERS = keras.layers


def dense(**options):
    return ResnetBuilder.build((1, 16, 16), 4, "basic_block", (1,), **options)


def convolutional(**options):
    """Return a network with layers of our own and a classifier that is a convolution."""

    def ours(x):
        axis = axes.channel_axis()
        return PadChannels(12, axis)(LocalResponseNormalization(axis=axis)(x))

    parts = [("conv1", chain(conv_bn_relu(8, 3, strides=2), ours))]
    head = heads.convolutional_classifier(units.dropout(0.5))
    return assemble((1, 16, 16), 4, parts, "tiny", head, **options)


def sequential(**_):
    parts = [LAYERS.Input((16, 16, 1)), LAYERS.Flatten(), LAYERS.Dense(4, name="answer")]
    return keras.Sequential([*parts, LAYERS.Dropout(0.5), LAYERS.Softmax()], name="plain")


def nested(**options):
    inputs = keras.Input((16, 16, 1))
    return keras.Model(inputs, dense()(LAYERS.Rescaling(2.0)(inputs)), name="nested")


def images(model):
    return np.random.default_rng(0).random((2, *model.input_shape[1:]), "float32")


def names(model):
    return [layer.name for layer in model.layers if not isinstance(layer, LAYERS.InputLayer)]


BUILDS = [dense, convolutional, sequential, nested]


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("build", BUILDS)
def test_only_the_classifier_is_new(build, data_format):
    model = build(data_format=data_format)
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights()
    other = new_head(model, 7)
    assert other.output_shape == (None, 7)
    assert not other.compiled
    assert names(other) == names(model)
    assert [tensor.name for tensor in other.inputs] == [call.name for call in walk(model)[:1]]
    *body, kernel, bias = zip(before, other.get_weights(), strict=True)
    assert all(np.array_equal(one, two) for one, two in body)
    assert kernel[1].shape == (*kernel[0].shape[:-1], 7)
    assert bias[1].shape == (7,)
    other.set_weights([weight + 1 for weight in other.get_weights()])
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("build", BUILDS)
def test_the_graph_is_the_same(build):
    model = build(classifier_activation=None, l2_penalty=0.01)
    same = new_head(model, 4)
    weights = same.get_weights()
    assert not np.array_equal(weights[-2], model.get_weights()[-2])
    same.set_weights(model.get_weights())
    x = images(model)
    assert np.array_equal(same(x), model(x))
    losses = [float(sum(one.losses)) for one in (model, same)]
    assert losses[0] == losses[1]
    assert (losses[0] > 0) == (build is not sequential)
    if build in (dense, convolutional):
        assert same.get_config() == model.get_config()


def test_it_can_be_repeated():
    model = dense()
    heads_made = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        heads_made.append(new_head(model, 4).get_weights()[-2])
    assert np.array_equal(heads_made[0], heads_made[1])
    assert not np.array_equal(heads_made[0], heads_made[2])


def test_all_heads_are_changed_where_there_are_several():
    model = create_model("googlenet", (1, 96, 96), 4)
    other = new_head(model, 3)
    assert [tuple(shape) for shape in other.output_shape] == [(None, 3)] * 3
    for layer, twin in zip(model.layers, other.layers, strict=True):
        assert layer.name == twin.name
        pairs = zip(layer.get_weights(), twin.get_weights(), strict=True)
        same = all(np.array_equal(one, two) for one, two in pairs)
        assert same == (layer.name not in ("head_dense", "aux1_dense2", "aux2_dense2"))


def test_networks_of_others():
    model = keras.applications.MobileNet((32, 32, 3), 0.25, weights=None, classes=4)
    assert isinstance(model.layers[-2], LAYERS.Reshape)
    other = new_head(model, 7)
    assert other.output_shape == (None, 7)
    assert other(images(other)).shape == (2, 7)


def test_what_is_frozen_stays_so_but_the_classifier_learns():
    model = dense()
    freeze_until(model, "conv2")
    model.get_layer("head_dense").trainable = False
    other = new_head(model, 3)
    assert not other.get_layer("conv1_conv").trainable
    assert other.get_layer("conv2_block1_conv1").trainable
    assert other.get_layer("head_dense").trainable


def test_the_precision_of_every_layer_stays():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = dense()
    finally:
        keras.config.set_dtype_policy(before)
    other = new_head(model, 3)
    assert other.get_layer("conv1_conv").compute_dtype == "bfloat16"
    assert other.output.dtype == "float32"


def test_deep_networks():
    inputs = x = keras.Input((2,))
    for _ in range(1200):
        x = LAYERS.Identity()(x)
    with room_for(1200):
        before = keras.Model(inputs, LAYERS.Dense(4)(x))
    assert new_head(before, 3).output_shape == (None, 3)


def merged():
    inputs = keras.Input((2,))
    one, other = LAYERS.Dense(3)(inputs), LAYERS.Dense(3)(inputs)
    return keras.Model(inputs, LAYERS.Average(name="mean")([one, other]))


def several():
    inputs = keras.Input((2,))
    outputs = [LAYERS.Dense(3, name="kind")(inputs), LAYERS.Dense(1, name="age")(inputs)]
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: dense(include_top=False), "the output of 'final_relu' comes from 'final_bn' (Bat"),
        (lambda: dense(include_top=False, pooling="avg"), "built with its head (include_top=True)"),
        (
            lambda: convolutional(include_top=False, pooling="avg"),
            "the output of 'head_pool' comes from 'conv1_pad_channels' (PadChannels)",
        ),
        (
            lambda: assemble(
                *((1, 8, 8), None, [("conv1", units.conv_relu(4, 3))], "features"),
                include_top=False,
                pooling="max",
            ),
            "the output of 'head_pool' holds the features of 'conv1_conv'",
        ),
        (
            lambda: keras.Sequential([LAYERS.Input((8, 8, 1)), LAYERS.Conv2D(4, 3, name="maps")]),
            "the output of 'maps' has the shape (6, 6, 4)",
        ),
        (merged, "the output of 'mean' comes from 'mean' (Average)"),
        (several, "outputs are of several widths, {'kind': 3, 'age': 1}"),
        (keras.Sequential, "expected a model that is built"),
    ],
)
def test_models_without_a_classifier_at_the_end(build, words):
    with pytest.raises(ValueError, match="^model: ") as caught:
        new_head(build(), 3)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [0, -1, 2.5, "3", None, True])
def test_a_number_of_classes_that_is_none(number):
    with pytest.raises(ValueError, match="^num_outputs: received "):
        new_head(dense(), number)


def test_one_output_of_a_softmax_is_warned_of():
    for model in (dense(), sequential()):
        with pytest.warns(UserWarning, match="^num_outputs: received 1 with a softmax, .*sigmoid"):
            new_head(model, 1)
    assert new_head(dense(classifier_activation="sigmoid"), 1).output_shape == (None, 1)
