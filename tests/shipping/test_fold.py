"""Folded models compute the same, with the layers that they should have."""

import keras
import numpy as np
import pytest
from foldable import FIRST, NORM, check, lively, network, relative_difference, shape_of

from helpers import FORMATS
from keras_convnets import fast_batch_norm, fold, fold_report_of, load_model, memory_efficient
from keras_convnets.keras_private import without_values
from keras_convnets.known import Known, known, remember

L = keras.layers
TENSORFLOW = keras.backend.backend() == "tensorflow"

CONVS = {
    "plain": lambda rank, **o: getattr(L, f"Conv{rank}D")(6, 3, **o),
    "grouped": lambda rank, **o: getattr(L, f"Conv{rank}D")(6, 3, groups=2, **o),
    "transposed": lambda rank, **o: getattr(L, f"Conv{rank}DTranspose")(6, 3, strides=2, **o),
    "depthwise": lambda rank, **o: getattr(L, f"DepthwiseConv{rank}D")(3, depth_multiplier=2, **o),
    "separable": lambda rank, **o: getattr(L, f"SeparableConv{rank}D")(
        6, 3, depth_multiplier=2, **o
    ),
}
KINDS = [
    (name, rank)
    for name in CONVS
    for rank in (1, 2, 3)
    if rank < 3 or name in ("plain", "transposed")
]


# None of them is the number of filters, along which Keras may add a bias of channels_first.
LONG = (7, 9, 10)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("kind", "rank"), KINDS)
def test_after_every_convolution(kind, rank, data_format):
    axis = 1 if data_format == FIRST else -1
    shape = shape_of(rank, data_format=data_format, size=LONG)
    settings = ({}, {"center": False}, {"scale": False}, {"center": False, "scale": False})
    for options, use_bias in zip(settings, (False, True, True, False), strict=True):
        form = {"use_bias": use_bias, "data_format": data_format}
        conv = CONVS[kind](rank, padding="same", name="conv", **form)
        folded = check(network(shape, conv, NORM(axis, **options), L.ReLU()), (1, 1))
        assert isinstance(folded.get_layer("conv"), type(conv))
        assert folded.get_layer("conv").use_bias


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("kind", "rank"), KINDS)
def test_before_every_convolution_that_does_not_pad(kind, rank, data_format):
    axis = 1 if data_format == FIRST else -1
    shape = shape_of(rank, data_format=data_format, size=LONG)
    for padding, count in (("valid", 1), ("same", 0)):
        conv = CONVS[kind](rank, padding=padding, name="conv", data_format=data_format)
        model = network(shape, L.ReLU(), NORM(axis), conv)
        count = 0 if kind == "transposed" else count
        folded = check(model, (count, 1))
        reason = fold_report_of(folded).rows[0].reason
        assert count or reason.startswith("it comes after ReLU; the ")
        assert count or reason.endswith("after it sees zeros beyond the edges")


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("kind", CONVS)
def test_before_a_convolution_that_pads_where_it_moves_no_zeros(kind, data_format):
    """A shift of 0: zeros beyond the edges are then what they would be if normalised."""
    axis = 1 if data_format == FIRST else -1
    conv = CONVS[kind](2, padding="same", name="conv", data_format=data_format)
    norm = NORM(axis, center=False)
    shape = shape_of(2, data_format=data_format, size=LONG)
    model = network(shape, L.ReLU(), norm, conv)
    check(model, (0, 1))
    norm.moving_mean.assign(keras.ops.zeros(4))
    check(model, (1, 1))


@pytest.mark.parametrize(
    "conv",
    [
        L.Conv2D(6, 1, strides=2, padding="same", groups=2),
        L.Conv2DTranspose(6, 1),
        L.SeparableConv2D(6, 1, padding="same"),
        L.Dense(5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_before_a_layer_of_single_pixels(conv):
    check(network(shape_of(2), L.ReLU(), NORM(), L.Dropout(0.5), conv), (1, 1))


def test_before_and_after_one_layer():
    check(network(shape_of(2), L.ReLU(), NORM(), L.Conv2D(5, 3), NORM(), L.ReLU()), (2, 2))
    check(network((9,), L.ReLU(), NORM(), L.Dense(5), L.Dropout(0.2), NORM(), NORM()), (3, 3))


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_through_averages_and_flat_features(data_format):
    form = {"data_format": data_format}
    axis = 1 if data_format == FIRST else -1
    shape = shape_of(2, data_format=data_format)
    pool = L.AveragePooling2D(2, **form)
    for keepdims in (True, False):
        whole = L.GlobalAveragePooling2D(keepdims=keepdims, **form)
        check(
            network(shape, L.ReLU(), NORM(axis), pool, whole, L.Flatten(**form), L.Dense(3)), (1, 1)
        )
    check(
        network(shape, L.ReLU(), NORM(axis), L.Flatten(**form), L.Dropout(0.1), L.Dense(3)), (1, 1)
    )
    check(network(shape, L.Conv2D(4, 1, **form), pool, NORM(axis), L.ReLU()), (1, 1))
    check(network(shape, L.Conv2D(4, 1, **form), whole, NORM(), L.ReLU()), (1, 1))
    same = L.AveragePooling2D(2, padding="same", **form)
    check(network(shape, L.Conv2D(4, 1, **form), same, NORM(axis), L.ReLU()), (0, 1))


@pytest.mark.parametrize("kind", ["plain", "grouped", "depthwise"])
def test_channels_first(kind):
    """A bias of channels_first gets the class that adds it right, whatever the image's size."""
    conv = CONVS[kind](2, use_bias=False, data_format=FIRST)
    columns = 8 if kind == "depthwise" else 6  # as many as channels, beyond the edge
    shape = (4, 7, columns + 2)
    folded = check(network(shape, conv, NORM(1), L.ReLU()), (1, 1))
    assert type(folded.layers[1]).__module__ == "keras_convnets.layers.convolution"
    check(network(shape, L.ReLU(), NORM(1), conv.from_config(conv.get_config())), (1, 1))


@pytest.mark.skipif(not TENSORFLOW, reason="the error is in Keras for TensorFlow")
@pytest.mark.parametrize("kind", [L.Conv1D, L.Conv1DTranspose, L.SeparableConv1D])
def test_a_bias_that_keras_would_add_along_another_axis(kind):
    for length, count in ((6, 0), (5, 1)):
        conv = kind(6, 1, use_bias=False, data_format=FIRST)
        folded = check(network((4, length), conv, NORM(1), L.ReLU()), (count, 1))
        reason = fold_report_of(folded).rows[0].reason
        assert count or reason.startswith(
            f"Keras may add the bias of a channels_first {kind.__name__}"
        )


@keras.saving.register_keras_serializable("tests")
class Doubled(L.Conv2D):
    def call(self, x):
        return 2 * super().call(x)


@keras.saving.register_keras_serializable("tests")
class OwnNorm(NORM):
    def call(self, x, training=None, mask=None):
        return super().call(x) + 1


def replaced(layer):
    layer.call = lambda x: x
    return layer


SHARED = L.Conv2D(4, 1)
REFUSED = {
    "Doubled is a class of its own": [Doubled(4, 1), NORM()],
    "OwnNorm is a class of its own": [L.Conv2D(4, 1), OwnNorm()],
    "an activation inside the Conv2D": [L.Conv2D(4, 1, activation="tanh"), NORM()],
    "it comes after ReLU": [L.Conv2D(4, 1), L.ReLU(), NORM()],
    "it comes after MaxPooling2D": [L.Conv2D(4, 1), L.MaxPooling2D(), NORM()],
    "it comes after an input": [NORM(), L.ReLU()],
    "its axis is not the channel axis": [L.Conv2D(4, 1), NORM(axis=2)],
    "the Conv2D is shared: called 2 times": [SHARED, L.ReLU(), SHARED, NORM()],
    "training=True": [L.Conv2D(4, 1), lambda x: NORM()(x, training=True)],
    "it comes after Dropout": [L.Conv2D(4, 1), lambda x: L.Dropout(1e-9)(x, training=True), NORM()],
    "renormalisation": [L.Conv2D(4, 1), NORM(renorm=True)],
    "it computes in float32, the Conv2D in bfloat16": [
        L.Conv2D(4, 1, dtype="mixed_bfloat16"),
        NORM(dtype="float32"),
    ],
    "inside a layer that computes by code": [L.TimeDistributed(NORM())],
    "SpectralNormalization": [L.SpectralNormalization(L.Conv2D(4, 1)), NORM()],
    "adapted by LoRA": [L.Conv2D(4, 1), NORM()],
    "are not finite": [L.Conv2D(4, 1), NORM()],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason):
    model = network(shape_of(2), *REFUSED[reason])
    if "LoRA" in reason:
        model.layers[1].enable_lora(2)
        lively(model)
    folded = fold(model) if "finite" not in reason else None
    if folded is None:
        model.layers[2].moving_variance.assign(np.full(4, -5.0))
        folded = fold(model)
    else:
        tolerance = 1e-5 if "training" not in reason else 1e-4
        assert relative_difference(model, folded) < tolerance
    report = fold_report_of(folded)
    assert report.folded == 0
    (row,) = report.kept
    assert reason.strip() in row.reason
    assert reason.strip() in str(report)


def two_ends(through):
    x = keras.Input(shape_of(2))
    y = L.Conv2D(4, 3)(x)
    z = NORM()(y)
    return lively(keras.Model(x, through(x, y, z)))


def test_a_second_use_of_what_comes_before():
    for through, reason in (
        (lambda x, y, z: L.Add()([y, L.ReLU()(z)]), "the output of the Conv2D goes elsewhere too"),
        (lambda x, y, z: [y, z], "the output of the Conv2D is one of the model too"),
    ):
        folded = check(two_ends(through), (0, 1))
        assert fold_report_of(folded).rows[0].reason == reason
    check(two_ends(lambda x, y, z: {"a": z, "b": L.ReLU()(z), "c": z + 1}), (1, 1))


def test_shared_normalisations():
    norm = NORM()
    x = keras.Input(shape_of(2))
    y = L.Add()([norm(L.Conv2D(4, 1)(x)), norm(L.Conv2D(4, 1)(x))])
    folded = check(lively(keras.Model(x, y)), (0, 1))
    assert fold_report_of(folded).rows[0].reason == "it is shared: called 2 times"


def inner_model(name="backbone"):
    x = keras.Input(shape_of(2))
    return keras.Model(x, L.ReLU()(NORM(name="bn")(L.Conv2D(4, 1, name="conv")(x))), name=name)


def test_models_within_models():
    x = keras.Input(shape_of(2))
    inner = inner_model()
    y = keras.Sequential([inner, L.Conv2D(4, 1), NORM(name="last")], name="outer")(x)
    model = lively(keras.Model(x, [inner(y), inner(x)]))
    folded = check(model, (2, 2))
    assert [row.layer for row in fold_report_of(folded).rows] == ["outer/backbone/bn", "outer/last"]
    assert [layer.name for layer in folded.layers] == [layer.name for layer in model.layers]
    twins = {layer.name: layer for layer in folded.layers}
    assert twins["outer"].layers[1] is twins["backbone"]  # shared as before


def test_a_model_within_that_is_called_to_train():
    x = keras.Input(shape_of(2))
    folded = check(
        lively(keras.Model(x, inner_model()(x, training=True))), (0, 1), 1e-4, trains=True
    )
    assert "contains it is called with training=True" in fold_report_of(folded).rows[0].reason


def test_a_layer_that_two_models_share():
    """Each graph calls the convolution once, but it is one layer."""
    conv = L.Conv2D(4, 1)
    a = keras.Input(shape_of(2))
    inner = keras.Model(a, NORM()(conv(a)))
    x = keras.Input(shape_of(2))
    check(lively(keras.Model(x, inner(NORM()(conv(x))))), (0, 2))


@keras.saving.register_keras_serializable("tests")
class OwnCall(keras.Model):
    def call(self, x, training=None, mask=None):
        return super().call(x) * 2


def test_a_graph_that_is_not_what_is_computed():
    inner = inner_model()
    own = OwnCall(inner.inputs, inner.outputs)
    x = keras.Input(shape_of(2))
    folded = check(lively(keras.Model(x, own(x))), (0, 1))
    assert "computes by code of its own" in fold_report_of(folded).rows[0].reason
    with pytest.raises(ValueError, match="OwnCall with a call of its own; expected a model that"):
        fold(own)


def test_what_cannot_be_folded_at_all():
    with pytest.raises(
        ValueError, match="model: received .*, a Sequential that is not built; expected one"
    ):
        fold(keras.Sequential([L.Dense(2)]))
    with pytest.raises(ValueError, match="'replaced', a ReLU that cannot be copied .its call was"):
        fold(network(shape_of(2), replaced(L.ReLU(name="replaced"))))
    with without_values():
        model = inner_model()
    with pytest.raises(ValueError, match="'backbone', whose weights have no values; expected"):
        fold(model)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = L.Conv2D(4, 1), NORM()

    def call(self, x):
        return self.norm(self.conv(x))


def test_a_subclassed_model_is_refused_in_a_line():
    model = Subclassed()
    model(np.zeros((1, *shape_of(2))))
    with pytest.raises(ValueError, match="expected a functional model: the call.. of Subcl") as no:
        fold(model)
    assert "\n" not in str(no.value)
    x = keras.Input(shape_of(2))
    check(lively(keras.Model(x, model.call(x))), (1, 1))  # as the line says


def test_a_folded_model_folds_to_itself():
    model = network(shape_of(2), L.Conv2D(4, 3), NORM(), L.ReLU(), NORM(), L.ReLU(), L.Conv2D(3, 1))
    once = check(model, (1, 2))
    twice = check(once, (0, 1))
    assert fold_report_of(twice).rows == fold_report_of(once).kept
    assert [layer.name for layer in twice.layers] == [layer.name for layer in once.layers]
    assert all(map(np.array_equal, twice.get_weights(), once.get_weights()))


def test_a_compiled_model():
    model = network(shape_of(2), L.Conv2D(4, 3), NORM(), L.Flatten(), L.Dense(3, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).standard_normal((8, *shape_of(2)))
    model.fit(x, np.arange(8) % 3, verbose=0)
    folded = check(model, (1, 1))
    assert model.compiled
    assert not folded.compiled
    np.testing.assert_allclose(folded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)


def test_several_inputs_and_outputs_keep_their_order_and_names():
    a, b = keras.Input(shape_of(2), name="a"), keras.Input(shape_of(2), name="b")
    y = NORM()(L.Conv2D(4, 1)(a))
    z = NORM()(L.DepthwiseConv2D(1)(b))
    outputs = {"sum": L.Add()([y, z]), "first": y, "last": L.ReLU()(z)}
    model = lively(keras.Model([a, b], outputs))
    folded = check(model, (2, 2))
    assert [one.name for one in folded.inputs] == ["a", "b"]
    assert list(folded.output) == list(model.output)


def test_operations_lambdas_and_functions_of_the_user():
    factor = 3.0
    x = keras.Input(shape_of(2))
    y = NORM()(L.Conv2D(4, 1)(x))
    y = L.Lambda(lambda x: x * factor)(y[:, 1:] + keras.ops.relu(x[:, 1:]))
    y = L.Activation(lambda x: x - factor)(y)
    y = L.Normalization(mean=[1.0] * 4, variance=[2.0] * 4)(y)
    check(lively(keras.Model(x, y)), (1, 1))


def test_states_that_no_configuration_has():
    norm = L.Normalization()
    norm.adapt(np.random.default_rng(0).standard_normal((9, 4)) * 3)
    model = network(shape_of(2), L.Conv2D(4, 1), NORM())
    x = keras.Input((4,))
    model = keras.Model(x, NORM()(L.Dense(3)(norm(x))))
    check(model, (1, 1))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16", "float64"])
def test_types(policy):
    layers = [L.Conv2D(6, 3, dtype=policy), NORM(dtype=policy), L.ReLU(dtype=policy)]
    model = network(shape_of(2), *layers)
    folded = check(model, (1, 1), 1e-12 if policy == "float64" else 0.03)
    twin = folded.layers[1]
    assert twin.dtype_policy.name == policy
    assert {str(weight.dtype) for weight in twin.weights} == {layers[0].variable_dtype}


def test_values_too_large_for_the_type():
    model = network(
        shape_of(2), L.Conv2D(6, 3, dtype="float16"), NORM(dtype="float16", epsilon=1e-7)
    )
    model.layers[2].moving_variance.assign(np.zeros(6))
    model.layers[2].gamma.assign(np.full(6, 60000.0))
    (row,) = fold_report_of(fold(model)).rows
    assert row.reason == "the values would be too large for the Conv2D, or are not finite"


def test_penalties_constraints_and_what_is_trainable():
    penalised = {"kernel_regularizer": "l2", "kernel_constraint": "non_neg", "trainable": False}
    model = network(shape_of(2), L.Conv2D(6, 3, **penalised), NORM(), L.Conv2D(3, 1, **penalised))
    folded = check(model, (1, 1))
    first, other = folded.layers[1:]
    assert first.kernel_regularizer is first.kernel_constraint is None
    assert isinstance(other.kernel_regularizer, keras.regularizers.L2)
    assert not first.trainable
    assert first.kernel_initializer.get_config() == model.layers[1].kernel_initializer.get_config()


def test_a_fast_model_folds_as_any_other():
    x = keras.Input(shape_of(2))
    y = L.Conv2D(4, 3, padding="same", name="first")(x)
    for _ in range(2):
        z = L.Conv2D(4, 1)(L.ReLU()(NORM()(y)))
        y = L.Concatenate()([y, L.Conv2D(4, 3, padding="same")(L.ReLU()(NORM()(z)))])
    model = lively(keras.Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(y))))
    check(memory_efficient(fast_batch_norm(model)), (2, 4))


def test_files_copies_names_and_preprocessing(tmp_path):
    model = network(shape_of(2, 3), L.Conv2D(4, 3, name="conv"), NORM(), L.Flatten(), L.Dense(2))
    remember(model, Known("mine", {"image_size": [7, 6]}, ("cat", "dog")))
    folded = fold(model)
    assert known(folded) == known(model)
    folded.save(tmp_path / "folded.keras")
    loaded = load_model(tmp_path / "folded.keras")
    assert known(loaded) == known(model)
    assert relative_difference(model, loaded) < 1e-5
    plain = keras.models.load_model(tmp_path / "folded.keras")
    copy = keras.models.clone_model(folded)
    copy.set_weights(plain.get_weights())
    assert relative_difference(model, copy) < 1e-5
    assert fold_report_of(model) is None
    assert fold_report_of(fold(folded)).rows == ()
    assert {type(layer).__module__.split(".")[0] for layer in plain.layers} == {"keras"}


def test_the_report():
    model = network(
        shape_of(2), L.Conv2D(4, 1, name="conv"), NORM(name="a"), L.ReLU(), NORM(name="b")
    )
    report = fold_report_of(fold(model))
    assert str(report).splitlines() == [
        f"{model.name}: 1 of 2 batch normalisations folded",
        "",
        "layers   what became of them               which",
        "─" * 48,
        "     1   folded into the layer before it   a",
        "     1   kept: it comes after ReLU         b",
    ]
    assert report.to_dict()["rows"] == [
        {"layer": "a", "into": "conv", "side": "before", "reason": None},
        {"layer": "b", "into": None, "side": None, "reason": "it comes after ReLU"},
    ]


def test_a_sequential_model_that_is_not_built_is_refused():
    with pytest.raises(ValueError, match="a Sequential that is not built; expected one that knows"):
        fold(keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()]))


class Forgetful(keras.layers.Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def get_config(self):
        return super().get_config()

    def call(self, x):
        return x * self.factor


def test_a_layer_whose_configuration_forgets_is_refused():
    x = keras.Input((4, 4, 1))
    with pytest.raises(ValueError, match="cannot be copied .its configuration forgets 'factor'"):
        fold(keras.Model(x, Forgetful(3.0)(x)))
    fold(keras.Model(x, Forgetful()(x)))
