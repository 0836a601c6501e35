"""Weights of a file in a model: all of them or none, whatever the model is made for."""

import json

import keras
import numpy as np
import pytest

from keras_convnets import (
    ResnetV1Builder,
    create_model,
    known,
    load_weights,
    save_weights,
    scope,
    weights_report_of,
)
from keras_convnets.keras_private import without_values
from keras_convnets.known import KEY, Known, remember
from keras_convnets.weights.transfer.told import told
from tiny_resnet import saved, state_dict, tiny


@pytest.fixture(scope="module")
def state():
    return state_dict()


@pytest.fixture
def file(state, tmp_path):
    return saved(tmp_path / "resnet.safetensors", state)


def value(model, name):
    layer, variable = name.split("/")
    return next(
        np.asarray(weight) for weight in model.get_layer(layer).weights if weight.name == variable
    )


def refused(model, file, words, **options):
    """Loading is refused in one line, and the weights are as they were."""
    before = model.get_weights()
    with pytest.raises(ValueError) as caught:
        load_weights(model, file, **options)
    said = str(caught.value)
    assert "\n" not in said
    for word in words:
        assert word in said
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert weights_report_of(model) is None
    return said


def test_every_weight_is_that_of_the_file(state, file):
    model = tiny()
    report = load_weights(model, file)
    assert report.source == "torchvision"
    assert report.format == "safetensors"
    assert report.network is None
    assert report.file == str(file)
    assert set(report.loaded.values()) == {k for k in state if not k.endswith("tracked")}
    assert len(report.loaded) == len(model.weights)
    assert {**report.adapted, **report.anew, **report.left_out} == {}
    kernel = value(model, "conv3_block1_shortcut_conv/kernel")
    np.testing.assert_array_equal(
        kernel, state["layer2.0.downsample.0.weight"].transpose(2, 3, 1, 0)
    )
    np.testing.assert_array_equal(value(model, "head_dense/kernel"), state["fc.weight"].T)
    mean = value(model, "conv2_block1_bn2/moving_mean")
    np.testing.assert_array_equal(mean, state["layer1.0.bn2.running_mean"])
    assert weights_report_of(model) is report


@pytest.mark.filterwarnings("ignore:channels_first convolutions in")  # which are not computed here
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_formats_types_and_scopes(state, file, data_format):
    policy = keras.config.dtype_policy()
    for name in ("float64", "mixed_float16", "bfloat16"):
        keras.config.set_dtype_policy(name)
        try:
            with scope("left"):
                model = tiny(data_format=data_format, name="other")
        finally:
            keras.config.set_dtype_policy(policy)
        load_weights(model, file)
        kernel = value(model, "left_conv1_conv/kernel")
        wanted = state["conv1.weight"].transpose(2, 3, 1, 0)
        assert str(kernel.dtype) == {"mixed_float16": "float32"}.get(name, name)
        np.testing.assert_array_equal(kernel, wanted.astype(kernel.dtype))


def test_float16_files_and_float32_models(state, tmp_path):
    half = {k: a.astype("float16") if a.dtype.kind == "f" else a for k, a in state.items()}
    model = tiny()
    load_weights(model, saved(tmp_path / "half.safetensors", half))
    wanted = half["conv1.weight"].transpose(2, 3, 1, 0).astype("float32")
    np.testing.assert_array_equal(value(model, "conv1_conv/kernel"), wanted)


def test_a_model_that_is_compiled_and_trained_goes_on(file):
    model = tiny(classes=10)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    images = np.zeros((2, *model.input_shape[1:]), "float32")
    model.train_on_batch(images, np.zeros(2))
    steps, before = (
        int(model.optimizer.iterations),
        [np.array(v) for v in model.optimizer.variables],
    )
    load_weights(model, file)
    assert int(model.optimizer.iterations) == steps
    for old, new in zip(before, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))


def test_a_network_within_a_model(state, file):
    with scope("left"):
        backbone = tiny(include_top=False, pooling="avg")
    x = keras.Input(backbone.input_shape[1:])
    y = keras.layers.Rescaling(1 / 255)(x)
    model = keras.Model(x, keras.layers.Dense(3, name="mine")(backbone(y)))
    said = refused(model, file, ["lacks 2 weights", "'mine/kernel'", "strict=False"])
    assert "fc.weight" not in said.split("nearest")[0]
    before = model.get_layer("mine").get_weights()
    report = load_weights(model, file, strict=False)
    assert report.missing == ("mine/kernel", "mine/bias")
    assert report.left_out.keys() == {"fc.weight", "fc.bias"}
    np.testing.assert_array_equal(before[0], model.get_layer("mine").get_weights()[0])
    wanted = state["conv1.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(value(backbone, "left_conv1_conv/kernel"), wanted)


def test_two_networks_within_a_model(file):
    both = []
    for side in ("left", "right"):
        with scope(side):
            both.append(tiny(include_top=False, pooling="avg"))
    x = keras.Input(both[0].input_shape[1:])
    model = keras.Model(x, keras.layers.Add()([network(x) for network in both]))
    refused(model, file, ["two layers are called 'conv1_conv'", "get_layer"])
    load_weights(both[1], file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"layer1.0.conv1.weigth": "layer1.0.conv1.weight"},
            ["lacks 1", "'layer1.0.conv1.weight', are 'layer1.0.conv1.weigth' (64, 64, 3, 3)"],
        ),
        ({"layer3.0.conv1.weight": None}, ["1 names that no rule explains", "'layer3.0.conv1.we"]),
        ({"layer1.0.bn1.bias": (63,)}, ["'layer1.0.bn1.bias' of shape 63", "expected 64"]),
        ({"layer1.0.conv1.weight": (64, 32, 3, 3)}, ["3 x 3 x 32 x 64", "3 x 3 x 64 x 64"]),
        ({"layer1.0.bn1.bias": float("nan")}, ["'layer1.0.bn1.bias'", "1 values", "NaN"]),
        ({"layer1.0.bn1.bias": "int8"}, ["of type int8", "floating-point"]),
        (
            {"layer1.0.bn1.running_var": -0.5},
            ["conv2_block1_bn1/moving_variance", "variances", "at least 0"],
        ),
    ],
)
def test_what_does_not_fit_is_refused(state, tmp_path, change, words):
    state = dict(state)
    for key, what in change.items():
        if what is None:
            state[key] = state["conv1.weight"]
        elif isinstance(what, tuple):
            state[key] = np.ones(what, "float32")
        elif isinstance(what, float):
            state[key] = state[key].copy()
            state[key].flat[3] = what
        elif what in state:
            state[key] = state.pop(what)
        else:
            state[key] = state[key].astype(what)
    refused(tiny(), saved(tmp_path / "other.safetensors", state), words)


def test_what_is_too_large_for_the_type(state, tmp_path):
    state = state | {"bn1.running_var": np.full(64, 1e6, "float32")}
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float16")
    try:
        model = tiny()
    finally:
        keras.config.set_dtype_policy(policy)
    path = saved(tmp_path / "large.safetensors", state)
    refused(model, path, ["1e+06", "too large for the type float16", "float32"])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_an_error_while_assigning_takes_all_back(file, monkeypatch, stop):
    model = tiny()
    before, left = model.get_weights(), [9]
    stock = type(model.weights[0]).assign

    def assign(variable, value):
        left[0] -= 1
        if left[0] == 0:
            raise stop
        return stock(variable, value)

    monkeypatch.setattr(type(model.weights[0]), "assign", assign)
    with pytest.raises(stop):
        load_weights(model, file)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_strict_false_says_what_it_left(state, tmp_path):
    state = {**state, "extra.weight": state["bn1.bias"]}
    del state["layer1.0.bn2.bias"]
    model = tiny()
    report = load_weights(model, saved(tmp_path / "x.safetensors", state), strict=False)
    assert report.unexplained == ("extra.weight",)
    assert report.missing == ("conv2_block1_bn2/beta",)
    assert "missing from the file: conv2_block1_bn2/beta" in str(report)
    json.dumps(report.to_dict())


def test_quantized_models_are_refused(file):
    model = tiny()
    model.get_layer("head_dense").quantize("int8")
    with pytest.raises(ValueError, match="type int8; .* Load the weights first"):
        load_weights(model, file)


def test_a_file_of_which_nothing_can_be_loaded(state, tmp_path):
    head = {key: array for key, array in state.items() if key.startswith("fc")}
    path = saved(tmp_path / "head.safetensors", head)
    refused(tiny(classes=5), path, ["has no weight of the model but"], strict=False)


def test_models_without_values(file):
    with without_values():
        outline = tiny(weights=file)  # the training launcher counts parameters by one
    with pytest.raises(ValueError, match="have no values"):
        load_weights(outline, file)
    with pytest.raises(ValueError, match="has no weights"):
        load_weights(keras.Sequential([keras.layers.Flatten()]), file)


def test_files_of_something_else(tmp_path, state):
    path = saved(tmp_path / "bert.safetensors", {"bert.layer.0.query": state["fc.weight"]})
    refused(tiny(), path, ["'bert.layer.0.query'", "none of which fits", "'conv1_conv/kernel'"])
    refused(tiny(), tmp_path / "none.pth", ["there is no file", "none.pth"])
    refused(tiny(), tmp_path, [str(tmp_path)])
    refused(tiny(), path, ["channels: received 'red'", "'sum', 'mean', 'zero'"], channels="red")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"class_names": 3}', '{"preprocessing": [1]}', "[" * 900]
)
def test_metadata_that_says_nothing_of_a_model(state, tmp_path, text):
    path = saved(tmp_path / "own.safetensors", state, {"format": "pt", KEY: text})
    refused(tiny(), path, ["cannot read", "own.safetensors"])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's strategies")
def test_replicas_have_the_weights(state, file):
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model, other = tiny(weights=file), tiny()
    load_weights(other, file)
    for one in (model, other):
        kernel = value(one, "conv1_conv/kernel")
        np.testing.assert_array_equal(kernel, state["conv1.weight"].transpose(2, 3, 1, 0))


# --- The option of builders.


def test_weights_is_an_option_of_builders(state, file):
    model = tiny(channels=1, classes=5, weights=str(file), name="mine")
    report = weights_report_of(model)
    assert report.adapted.keys() == {"conv1_conv/kernel"}
    assert report.anew.keys() == {"head_dense"}
    assert model.name == "mine"
    features = tiny(include_top=False, weights=file)
    assert weights_report_of(features).left_out.keys() == {"fc.weight", "fc.bias"}
    with pytest.raises(ValueError, match="there is no file"):
        create_model("lenet_5", weights=file.with_name("none.pth"))


# --- Saving.


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_what_is_saved_is_loaded_again(tmp_path, suffix):
    model, other = tiny(), tiny()
    path = tmp_path / f"saved{suffix}"
    save_weights(model, path)
    assert load_weights(other, path).source == "keras_convnets"
    same(model, other)


def test_what_is_saved_as_torchvision_names_it_is_loaded_again(tmp_path):
    model, other = create_model("resnet_v1_18"), create_model("resnet_v1_18")
    save_weights(model, tmp_path / "resnet18.safetensors", layout="torchvision")
    report = load_weights(other, tmp_path / "resnet18.safetensors")
    assert (report.source, report.network) == ("torchvision", "resnet_v1_18")
    same(model, other)


def same(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_a_model_knows_goes_with_its_weights(tmp_path):
    model = tiny(classes=2)
    images = {"channels": 3, "rows": 32, "cols": 32, "mean": [0.25, 0.5, 0.75], "shorter_side": 40}
    what = Known("own", images, ("cat", "dog"))
    remember(model, what)
    save_weights(model, tmp_path / "known.safetensors")
    other = tiny(classes=2, weights=tmp_path / "known.safetensors")
    assert known.known(other) == what
    model.save(tmp_path / "known.keras")
    assert known.known(tiny(classes=2, weights=tmp_path / "known.keras")) == what
    fewer = tiny(classes=3, weights=tmp_path / "known.safetensors")
    assert known.known(fewer) == Known("own", what.preprocessing, None)
    features = tiny(channels=1, include_top=False, weights=tmp_path / "known.safetensors")
    assert known.known(features) == Known("own", images | {"channels": 1, "mean": [0.5]}, None)
    larger = tiny(size=64, weights=tmp_path / "known.safetensors")
    assert known.known(larger).preprocessing == images | {
        "rows": 64,
        "cols": 64,
        "shorter_side": 80,
    }
    load_weights(other, saved(tmp_path / "other.safetensors", state_dict(classes=2)))
    assert known.known(other) == Known()


def test_a_file_says_more_than_its_name(tmp_path):
    what = Known("own", {"channels": 3, "rows": 32, "cols": 32, "mean": [0.1] * 3}, None)
    remember(model := create_model("resnet_v1_18", (3, 32, 32), 2), what)
    path = tmp_path / "resnet18.a1_in1k.safetensors"  # as a published one, whose hash is unknown
    save_weights(model, path, layout="timm")
    assert told(str(path)).images == what.preprocessing
    load_weights(model, path)
    assert known.known(model) == what


@pytest.mark.parametrize(
    ("images", "top", "kept"),
    [
        ("as they are", "its own", {"preprocessing", "class_names"}),
        ("flipped", "softmax", {"preprocessing", "class_names"}),
        ("rescaled", "its own", {"class_names"}),
        ("as they are", "another", {"preprocessing"}),
    ],
)
def test_what_a_larger_model_knows_holds_for_it(tmp_path, images, top, kept):
    what = Known(None, {"channels": 3, "rows": 32, "cols": 32, "scale": 1.0}, ("cat", "dog"))
    remember(network := tiny(classes=2), what)
    save_weights(network, tmp_path / "known.safetensors")
    x = y = keras.Input((32, 32, 3))
    if images != "as they are":
        layer = keras.layers.RandomFlip() if images == "flipped" else keras.layers.Rescaling(1 / 9)
        y = layer(y)
    with scope("inner"):
        y = tiny(classes=2)(y)
    if top != "its own":
        y = keras.layers.Softmax()(y) if top == "softmax" else keras.layers.Dense(2)(y)
    model = keras.Model(x, y)
    load_weights(model, tmp_path / "known.safetensors", strict=False)
    found = known.known(model)
    assert {name for name in ("preprocessing", "class_names") if getattr(found, name)} == kept


@pytest.mark.parametrize(
    ("layout", "name", "words"),
    [
        ("torchvision", "x.safetensors", ["none of the package's networks", "Pass None"]),
        ("caffe", "x.safetensors", ["'torchvision', 'timm', 'keras', None"]),
        (None, "x.pth", [".safetensors"]),
        (None, "no/folder.npz", ["cannot write"]),
        (None, "", ["path: received ''", "expected"]),
    ],
)
def test_what_cannot_be_saved(tmp_path, monkeypatch, layout, name, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as caught:
        save_weights(tiny(), name, layout=layout)
    assert all(word in str(caught.value) for word in words)
    assert list(tmp_path.iterdir()) == []
    with without_values():
        outline = ResnetV1Builder.build_resnet_v1_18((3, 32, 32), 10)
    with pytest.raises(ValueError, match="have no values"):
        save_weights(outline, "x.npz")
