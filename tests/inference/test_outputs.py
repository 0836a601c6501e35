"""What a model's outputs are, asked of its graph."""

import functools

import keras
import pytest
from keras import layers, ops

from helpers import FORMATS, outline
from keras_convnets.inference.outputs import LINEAR, SIGMOID, SOFTMAX, outputs_of

CLASSES = 10


def dense(activation=None, units=CLASSES, **options):
    return layers.Dense(units, activation=activation, name="head", **options)


def model_of(*steps, shape=(6,)):
    """A functional model: each step is a layer or a function of a tensor."""
    x = inputs = keras.Input(shape)
    for step in steps:
        x = step(x)
    return keras.Model(inputs, x, name="tried")


def nested(*steps, shape=(6,)):
    return keras.Model(inputs := keras.Input(shape), chained(inputs, steps), name="inside")


def chained(x, steps):
    for step in steps:
        x = step(x)
    return x


MAPS = (4, 4, 6)
CONV = functools.partial(layers.Conv2D, CLASSES, 1)


def branches(join, *activations):
    """Heads side by side, joined."""
    return lambda x: join([layers.Dense(CLASSES, activation=a)(x) for a in activations])


SOFTMAXES = {
    "activation": [dense("softmax")],
    "activation's function": [dense(keras.activations.softmax)],
    "activation layer": [dense(), layers.Activation("softmax")],
    "softmax layer": [dense(), layers.Softmax()],
    "softmax layer as an activation": [dense(layers.Softmax())],
    "operation": [dense(), ops.softmax],
    "function": [dense(), keras.activations.softmax],
    "reshaped": [dense("softmax"), layers.Reshape((CLASSES,))],
    "reshaped there and back": [
        dense(),
        layers.Softmax(),
        layers.Reshape((1, 1, CLASSES)),
        layers.Permute((3, 1, 2)),
        layers.Flatten(),
    ],
    "dropped out": [dense("softmax"), layers.Dropout(0.5), layers.GaussianNoise(0.1)],
    "linear activation": [dense("softmax"), layers.Activation("linear"), layers.Identity()],
    "cast": [dense("softmax", dtype="float16"), lambda x: ops.cast(x, "float32")],
    "nested": [nested(dense("softmax")), layers.Dropout(0.5)],
    "nested twice": [lambda x: nested(nested(dense("softmax")), layers.Identity())(x)],
    "nested body": [nested(dense("softmax", 7)), dense(), layers.Softmax()],
    "sequential": [keras.Sequential([keras.Input((6,)), dense("softmax")])],
    "ensemble": [branches(layers.average, "softmax", "softmax")],
}
SOFTMAXES_OF_MAPS = {
    "after pooling": [CONV(), layers.GlobalAveragePooling2D(), layers.Activation("softmax")],
    "before pooling": [CONV(activation="softmax"), layers.GlobalAveragePooling2D()],
    "before pooling, kept": [
        CONV(activation="softmax"),
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Flatten(),
    ],
    "before average pooling": [
        CONV(activation="softmax"),
        layers.AveragePooling2D(4),
        layers.Flatten(),
    ],
    "mean": [CONV(activation="softmax"), lambda x: ops.mean(x, axis=(1, 2))],
    "places in a row": [
        CONV(activation="softmax"),
        layers.Reshape((16, CLASSES)),
        layers.GlobalAveragePooling1D(),
    ],
    "one place": [CONV(activation="softmax"), lambda x: x[:, 0, 0, :]],
    "channels first": [
        layers.Conv2D(CLASSES, 1, data_format="channels_first"),
        layers.Softmax(axis=1),
        layers.GlobalAveragePooling2D(data_format="channels_first"),
    ],
}
SIGMOIDS = {
    "activation": [dense("sigmoid")],
    "operation": [dense(), ops.sigmoid],
    "one output": [dense("sigmoid", 1)],
    "reshaped": [dense("sigmoid"), layers.Reshape((5, 2)), layers.Flatten()],
    "joined": [branches(layers.concatenate, "sigmoid", "sigmoid")],
    "ensemble": [branches(layers.average, "sigmoid", "sigmoid")],
    "activation layer": [dense(), layers.Activation(keras.activations.sigmoid)],
}
LINEARS = {
    "dense": [dense()],
    "named": [dense("linear"), layers.Dropout(0.2)],
    "one output": [dense(None, 1)],
    "normalised": [dense(), layers.BatchNormalization()],
    "tempered": [dense(), lambda x: x / 2.0, layers.Rescaling(0.5)],
    "after a softmax": [dense("softmax"), layers.Dense(CLASSES)],
    "sum": [branches(layers.add, None, None)],
    "nested": [nested(dense())],
    "towers": [branches(layers.concatenate, None, None)],
    "after relu": [layers.Dense(7, activation="relu"), dense()],
}


# A network of each kind of head; that softmax is what all end in is part of their contract.
HEADS = (
    "cifar_nin", "resnet_18", "alexnet", "lenet_5_original",
    "notes_alexnet", "notes_googlenet", "vgg_11", "notes_densenet",
)  # fmt: skip


def cases(kind, found, shape=(6,)):
    return [pytest.param(kind, steps, shape, id=f"{kind}: {name}") for name, steps in found.items()]


@pytest.mark.parametrize(
    ("kind", "steps", "shape"),
    [
        *cases(SOFTMAX, SOFTMAXES),
        *cases(SOFTMAX, SOFTMAXES_OF_MAPS, MAPS),
        *cases(SIGMOID, SIGMOIDS),
        *cases(LINEAR, LINEARS),
    ],
)
def test_what_they_are(kind, steps, shape):
    model = model_of(*steps, shape=shape)
    found = outputs_of(model)
    assert found.kind == kind
    assert found.count == model.output_shape[-1]


def test_one_output_is_for_two_classes():
    for activation, is_logits in (("sigmoid", False), (None, True)):
        found = outputs_of(model_of(dense(activation, 1)))
        assert (found.classes, found.is_binary, found.is_logits) == (2, True, is_logits)
        assert not found.are_independent
    found = outputs_of(model_of(dense("sigmoid")))
    assert (found.classes, found.is_binary, found.are_independent) == (CLASSES, False, True)


class OwnHead(layers.Layer):
    def call(self, x):
        return x * 2


class SaidHead(OwnHead):
    def __init__(self, activation):
        super().__init__()
        self.activation = keras.activations.get(activation)


def test_a_layer_of_ones_own_may_say_it():
    assert outputs_of(model_of(SaidHead("sigmoid"))).kind == SIGMOID


def wrong_axis(x):
    return layers.Flatten()(layers.Softmax(axis=1)(layers.Reshape((2, 5))(x)))


ANYTHING, AFTER_A_SOFTMAX = "may do anything", "comes after a softmax"
NO_SUM = "does not sum to 1 over the classes"
UNKNOWN = [
    ([dense(), layers.Lambda(lambda x: ops.softmax(x))], f"'lambda[_0-9]*' .Lambda. {ANYTHING}"),
    ([dense("log_softmax")], "'head' .Dense. has the activation log_softmax"),
    ([dense(), ops.log_softmax], f"'log_softmax[_0-9]*' .LogSoftmax. {ANYTHING}"),
    ([dense("hard_sigmoid")], "'head' .Dense. has the activation hard_sigmoid"),
    ([dense("relu")], "ends in a relu"),
    ([dense(), layers.ReLU(name="cut"), layers.Dropout(0.5)], "ends in a relu"),
    ([dense(lambda x: ops.softmax(x))], "'head' .Dense. has the activation <lambda>"),
    ([OwnHead(name="own")], f"'own' .OwnHead. {ANYTHING}.*attribute activation"),
    ([dense(), wrong_axis], f"'softmax[_0-9]*' .Softmax. {NO_SUM}"),
    ([dense("softmax"), layers.BatchNormalization(name="bn")], f"'bn' .* {AFTER_A_SOFTMAX}"),
    ([branches(layers.add, "softmax", "softmax")], f"'add[_0-9]*' .Add. {AFTER_A_SOFTMAX}"),
    ([branches(layers.average, "softmax", None)], "'average.* joins linear and softmax outputs"),
    ([branches(layers.concatenate, "softmax", "softmax")], f"'concatenate.* {AFTER_A_SOFTMAX}"),
    ([layers.Identity()], f"'input_layer[_0-9]*' .InputLayer. {ANYTHING}"),
]


@pytest.mark.parametrize(("steps", "words"), UNKNOWN)
def test_what_cannot_be_told_is_refused_in_a_line_that_names_the_layer(steps, words):
    with pytest.raises(ValueError, match=words) as caught:
        outputs_of(model_of(*steps))
    assert str(caught.value).startswith("model: ")
    assert "expected a softmax, a sigmoid, or logits" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "steps",
    [[dense("softmax", 1)], [dense(None, 1), layers.Softmax()], [nested(dense("softmax", 1))]],
)
def test_a_softmax_over_one_output_is_refused_in_a_line_that_names_sigmoid(steps):
    with pytest.raises(
        ValueError,
        match="^model: .* is 1 for every image; expected a sigmoid.*"
        r" classifier_activation='sigmoid' .keras.layers.Dense.1, activation='sigm",
    ):
        outputs_of(model_of(*steps))


def test_pooling_that_keeps_no_softmax():
    peaks = [CONV(activation="softmax"), layers.GlobalMaxPooling2D(name="peak")]
    with pytest.raises(ValueError, match="layer 'peak' .* comes after a softmax"):
        outputs_of(model_of(*peaks, shape=MAPS))
    flat = [layers.Conv2D(CLASSES, 1, activation="softmax", name="conv"), layers.Flatten()]
    with pytest.raises(
        ValueError, match="layer 'conv' .Conv2D. does not sum to 1 over the classes"
    ):
        outputs_of(model_of(*flat, shape=MAPS))


def test_more_than_one_output_or_axis():
    x = keras.Input((6,))
    with pytest.raises(ValueError, match="has 2 outputs; expected one"):
        outputs_of(keras.Model(x, [dense()(x), layers.Dense(2)(x)]))
    with pytest.raises(ValueError, match=r"expected one input, and one output of shape"):
        outputs_of(model_of(CONV(), shape=MAPS))


@pytest.mark.parametrize("model", [None, "lenet_5", keras.Sequential([dense()]), keras.Model()])
def test_what_has_no_graph_is_refused_in_a_line(model):
    with pytest.raises(ValueError, match=r"^model: received .*; expected a functional model"):
        outputs_of(model)


@pytest.mark.parametrize("activation", ["softmax", None, "sigmoid"])
@pytest.mark.parametrize(
    ("name", "data_format"), [*zip(HEADS, FORMATS * 4, strict=True)], ids=HEADS
)
def test_the_heads_of_the_networks(name, data_format, activation):
    model = outline(name, data_format=data_format, classifier_activation=activation)
    assert outputs_of(model).kind == (activation or LINEAR)
