"""The files of each kind, as their own runtimes run them, beside the model."""

import copy
import errno
import os
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from helpers import FORMATS, blank_kernels, filled, images, lively, random_state
from keras_convnets import LocalResponseNormalization, create_model, fold
from keras_convnets.shipping.engines.kinds import (
    KINDS,
    LITERT,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    is_installed,
)
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.graph import graph_of
from keras_convnets.shipping.export.writers import write

if keras.backend.backend() != "tensorflow":
    pytest.skip("export needs TensorFlow", allow_module_level=True)

TOLERANCE = 1e-4  # of float32, relative to the largest output
L = keras.layers


def needs(kind):
    """Return the mark that skips a kind that is not installed."""
    return pytest.mark.skipif(not is_installed(kind), reason=f"{kind.runtime} is not installed")


ALL_KINDS = [pytest.param(kind, id=kind.name, marks=needs(kind)) for kind in KINDS]


def written(kind, model, folder):
    return written_graph(kind, graph_of(model), folder)


def written_graph(kind, graph, folder):
    path = folder / f"model{kind.suffix}"
    write(kind, graph, path, "float32")
    return path


def difference(found, expected):
    """Return the largest difference, relative to the largest output."""
    assert found.shape == expected.shape
    assert np.ptp(expected, axis=0).max() > 1e-3 * np.abs(expected).max()  # the images differ
    return np.abs(found - expected).max() / np.abs(expected).max()


def registered(name, shape, until=None):
    """Return what builds a registered network, or its part until a layer, in a data format."""

    def build(data_format):
        model = create_model(name, shape, 10, classifier_activation=None, data_format=data_format)
        if until is None:
            return model
        flat = L.Flatten(data_format=data_format)(model.get_layer(until).output)
        return keras.Model(model.input, flat)

    return shape, build


def of_other_layers(data_format):
    """Return a model of what those networks lack, with its own paddings and an odd size."""
    is_first = data_format == "channels_first"
    axis, form = (1 if is_first else -1), {"data_format": data_format}
    x = inputs = keras.Input((4, 15, 19) if is_first else (15, 19, 4))
    x = L.ZeroPadding2D(((1, 2), (0, 1)), **form)(x)
    x = L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, **form)(x)
    x = L.BatchNormalization(axis=axis)(x)
    x = L.SeparableConv2D(6, 3, dilation_rate=2, padding="same", activation="swish", **form)(x)
    x = L.Conv2D(6, 3, groups=3, padding="same", **form)(x)
    squeezed = L.GlobalAveragePooling2D(keepdims=True, **form)(x)
    x = L.Multiply()([x, L.Conv2D(6, 1, activation="sigmoid", **form)(squeezed)])
    x = L.Concatenate(axis=axis)([x, L.Conv2D(3, 1, activation="relu", **form)(x)])
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same", **form)(x)
    x = L.PReLU(shared_axes=[2, 3] if is_first else [1, 2])(x)
    x = L.UpSampling2D(2, **form)(x)
    x = L.Cropping2D(((1, 0), (2, 1)), **form)(x)
    x = L.AveragePooling2D(3, strides=2, padding="same", **form)(x)
    x = L.Add()([x, L.SpatialDropout2D(0.5, **form)(x)])
    x = L.MaxPooling2D(3, strides=2, **form)(LocalResponseNormalization(axis=axis)(x))
    return keras.Model(inputs, L.Dense(7)(L.Flatten(**form)(x)))


# What the formats differ in: flattening, pooling and its edges, channels that are taken or padded,
# groups, normalisation across channels, scaled additions. Of AlexNet, its convolutions.
NETWORKS = {
    "lenet_5_original": registered("lenet_5_original", (1, 32, 32)),
    "cifar_resnet_20": registered("cifar_resnet_20", (3, 32, 32)),
    "alexnet_original": registered("alexnet_original", (3, 67, 67), "conv5_pool"),
    "of_other_layers": ((4, 15, 19), of_other_layers),
}


def beside_channels_last(build, shape, data_format):
    """Return a model in a data format, images for it, and what the one in channels_last says."""
    with warnings.catch_warnings(), blank_kernels():
        warnings.simplefilter("ignore")  # such convolutions do not run on this processor
        last, model = build("channels_last"), build(data_format)
    filled(last, random_state(last, kernels=1))
    for ours, theirs in zip(model.variables, last.variables, strict=True):
        ours.assign(np.reshape(theirs, ours.shape))
    expected = last(images(shape, "channels_last"), training=False).numpy()
    return model, images(shape, data_format), expected


@pytest.fixture(scope="module", params=NETWORKS)
def channels_first(request):
    """Return the graph of a channels_first network, images for it, and what channels_last says."""
    shape, build = NETWORKS[request.param]
    model, batch, expected = beside_channels_last(build, shape, "channels_first")
    return graph_of(fold(model)), batch, expected


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_channels_first_models_say_the_same_as_channels_last(kind, channels_first, tmp_path):
    graph, batch, expected = channels_first
    found = open_engine(written_graph(kind, graph, tmp_path)).run(batch)
    assert difference(found, expected) < TOLERANCE


def odd_model(size=None):
    """Return a model of what the registered networks lack, for images of any size or of one."""
    keras.utils.set_random_seed(0)  # with some weights, all images are nearly the same to it
    x = inputs = keras.Input((size, size, 4))
    x = L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1, 2, 3, 4])(x)
    x = L.Rescaling(1 / 3, 0.1)(x)
    x = L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)(x)
    x = L.SeparableConv2D(6, 3, dilation_rate=2, padding="same", activation="swish")(x)
    x = L.Conv2D(6, 3, groups=3, padding="same", activation="relu")(x)
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same")(x)
    x = L.LeakyReLU(negative_slope=0.1)(x)
    if size is not None:  # LiteRT does not see that Keras' code for any size keeps the channels
        x = L.UpSampling2D(2)(x)
    inner = keras.Input((None, None, 5))
    nested = keras.Model(inner, L.PReLU(shared_axes=[1, 2])(L.Conv2D(5, 1)(inner)), name="nested")
    x = L.Lambda(lambda x: keras.ops.maximum(x, -0.5))(nested(nested(x)))
    return lively(keras.Model(inputs, L.Dense(7)(L.GlobalAveragePooling2D()(x))), kernels=1)


@pytest.fixture(scope="module", params=[None, 16])
def odd(request):
    model = odd_model(request.param)
    return request.param, model, graph_of(model)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_layers_that_no_registered_network_has(kind, odd, tmp_path):
    size, model, graph = odd
    run = open_engine(written_graph(kind, graph, tmp_path)).run
    for count, rows, cols in ((2, 16, 16), (3, 16, 16)) if size else ((2, 16, 20), (3, 24, 12)):
        batch = images((4, rows, cols), "channels_last", count)
        assert difference(run(batch), model(batch, training=False).numpy()) < TOLERANCE


@needs(ONNX)
def test_the_axes_and_the_opset_of_an_onnx_file(tmp_path, capfd):
    import onnx

    found = onnx.load(written(ONNX, create_model("lenet_5"), tmp_path))
    [given], [made] = found.graph.input, found.graph.output
    assert (given.name, made.name) == ("images", "probabilities")
    assert [axis.dim_param or axis.dim_value for axis in given.type.tensor_type.shape.dim] == [
        *("batch", 32, 32, 1)
    ]
    assert {one.domain: one.version for one in found.opset_import}[""] == 17
    assert capfd.readouterr() == ("", "")


@needs(ONNX)
def test_the_weights_are_not_copied_for_each_of_the_converters_optimizers(tmp_path, monkeypatch):
    import tf2onnx.optimizer

    copied, deepcopy = [], copy.deepcopy
    monkeypatch.setattr(copy, "deepcopy", lambda one: copied.append(type(one)) or deepcopy(one))
    written(ONNX, create_model("lenet_5"), tmp_path)
    assert tf2onnx.graph.Graph not in copied


@needs(ONNX)
def test_without_an_optimizer_that_fails_the_converter_goes_on(tmp_path, monkeypatch):
    import tf2onnx.optimizer

    def fails():
        raise KeyError("an optimizer")

    monkeypatch.setitem(tf2onnx.optimizer._optimizers, "reshape_optimizer", fails)
    model = create_model("lenet_5")
    batch = images((1, 32, 32), "channels_last")
    found = open_engine(written(ONNX, model, tmp_path)).run(batch)
    np.testing.assert_allclose(found, model(batch, training=False), atol=1e-5)


@needs(OPENVINO)
def test_the_names_and_the_axes_of_an_openvino_file(tmp_path):
    import openvino

    found = openvino.Core().read_model(written(OPENVINO, create_model("lenet_5"), tmp_path))
    [given], [made] = found.inputs, found.outputs
    assert (given.get_names(), made.get_names()) == ({"images"}, {"probabilities"})
    assert str(given.partial_shape) == "[?,32,32,1]"


def test_biases_are_added_apart_from_grouped_convolutions(tmp_path):
    # Whether TensorFlow fuses the two, and then cannot compute them, depends on the processor.
    import tensorflow as tf

    x = inputs = keras.Input((8, 8, 4))
    for groups in (2, 1):
        x = L.Conv2D(4, 3, groups=groups, activation="relu")(x)
    path = written(SAVED_MODEL, keras.Model(inputs, L.Dense(3)(L.Flatten()(x))), tmp_path)
    graph = tf.saved_model.load(path).signatures["serving_default"].graph.as_graph_def()
    nodes = [node for function in graph.library.function for node in function.node_def]
    adding = [node.op for node in nodes if node.name.endswith("/BiasAdd")]
    assert adding == ["AddV2", "BiasAdd", "BiasAdd"]  # two groups, one, and the dense layer


@pytest.mark.parametrize(
    ("kind", "runtime"),
    [
        pytest.param(kind, kind.runtime, id=kind.name, marks=needs(kind))
        for kind in KINDS
        if kind is not SAVED_MODEL  # which can do all
    ],
)
def test_what_a_runtime_cannot_do_is_one_line_that_names_the_layer(kind, runtime, tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(2, 1, name="fine")(inputs)
    model = keras.Model(inputs, L.Lambda(_digamma, name="the_culprit")(x))
    with pytest.raises(ValueError, match=f"{runtime} cannot do layer 'the_culprit'") as refused:
        written(kind, model, tmp_path)
    assert "\n" not in str(refused.value)
    assert "fine" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def _digamma(x):
    import tensorflow as tf

    return tf.math.digamma(x)


@needs(LITERT)
def test_of_layers_of_one_type_the_one_that_is_refused_is_named(tmp_path):
    inputs = keras.Input((None, None, 3))
    x = L.UpSampling2D()(L.Conv2D(2, 1, name="fine")(inputs))
    model = keras.Model(inputs, L.Conv2D(2, 1, name="the_culprit")(x))
    with pytest.raises(ValueError, match="LiteRT cannot do layer 'the_culprit'") as refused:
        written(LITERT, model, tmp_path)
    assert "fine" not in str(refused.value)


@needs(OPENVINO)
@pytest.mark.parametrize("is_full", [True, False])
def test_the_system_says_why_openvino_cannot_write(is_full, tmp_path, monkeypatch):
    from keras_convnets.shipping.export.writers import openvino

    def save(model, path, precision):
        monkeypatch.undo()
        if is_full:
            monkeypatch.setattr(type(path), "write_bytes", full)
        raise RuntimeError("basic_ios::clear: iostream error")

    def full(path, content):
        assert len(content) >= 4 * 3 * 2  # as large as the weights
        raise OSError(errno.ENOSPC, "full")

    inputs = keras.Input((3,))
    graph = graph_of(keras.Model(inputs, L.Dense(2)(inputs)))
    monkeypatch.setattr(openvino, "save", save)
    with pytest.raises(OSError, match="full" if is_full else "Input/output error"):
        written_graph(OPENVINO, graph, tmp_path)


def test_what_is_refused_before_anything_is_written():
    inputs = keras.Input((8, 8, 3))
    two = keras.Model(inputs, [L.Flatten()(inputs), L.GlobalMaxPooling2D()(inputs)])
    with pytest.raises(ValueError, match=r"which has 2 outputs; expected one.*outputs\[0\]"):
        graph_of(two)
    pair = [keras.Input((4,)), keras.Input((4,))]
    with pytest.raises(ValueError, match="which has 2 inputs; expected one"):
        graph_of(keras.Model(pair, L.Add()(pair)))


def test_weights_of_over_2_gb_are_refused():
    from keras_convnets.keras_private import without_values
    from keras_convnets.shipping.export import graph

    with without_values():
        inputs = keras.Input((30_000,))
        large = keras.Model(inputs, L.Dense(20_000)(inputs))
    with pytest.raises(ValueError, match=r"take 2.4 GB in float32; expected at most 2.1 GB"):
        graph.check_size(large)


def padded_twice(data_format):
    """Return a model of layers that pad by themselves, each after a layer of padding."""
    form = {"data_format": data_format}
    x = inputs = keras.Input((3, 11, 13) if data_format == "channels_first" else (11, 13, 3))
    for layer in (
        L.Conv2D(4, 3, padding="same", **form),
        L.Conv2D(4, 3, padding="same", dilation_rate=2, **form),
        L.DepthwiseConv2D(3, strides=2, padding="same", **form),
        L.AveragePooling2D(3, strides=1, padding="same", **form),
        L.Conv2D(4, 3, groups=2, padding="same", **form),
        L.MaxPooling2D(3, strides=2, padding="same", **form),
    ):
        x = layer(L.Dropout(0.5)(L.ZeroPadding2D(((1, 2), (0, 1)), **form)(x)))
    return keras.Model(inputs, L.Dense(7)(L.GlobalAveragePooling2D(**form)(x)))


@pytest.fixture(scope="module", params=FORMATS)
def padded(request):
    """Return such a model's graph, images for it, and what the one in channels_last says."""
    model, batch, expected = beside_channels_last(padded_twice, (3, 11, 13), request.param)
    return graph_of(model), batch, expected


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_padding_stays_apart_from_the_padding_of_the_layer_after_it(kind, padded, tmp_path):
    graph, batch, expected = padded
    found = open_engine(written_graph(kind, graph, tmp_path)).run(batch)
    assert difference(found, expected) < TOLERANCE


EXPORTING = """
import sys
from keras_convnets import create_model, export
export(create_model("lenet_5"), "net.xml")
print([name for name in sys.modules if "telemetry" in name and sys.modules[name] is not None])
"""


@pytest.mark.slow
@needs(OPENVINO)
def test_openvino_reports_nothing_to_anybody(tmp_path):
    """Its converter would, by a process of its own, and keep its consent in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": path}
    ended = subprocess.run(
        [sys.executable, "-c", EXPORTING],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "openvino_telemetry" not in ended.stdout
    assert not list(home.rglob("*telemetry*"))
    assert (tmp_path / "net.xml").is_file()
