"""Files in lower precision: as small as they say, near the model, and float32 outside."""

import keras
import numpy as np
import pytest

from keras_convnets import ResnetV1Builder, export
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.shipping.engines.kinds import KINDS, check_installed, kind_of
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.precision.half_model import half_model

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)

# The share of a weight's four bytes; files also have a graph, and integers have scales.
SHARES = {"float16": 0.5, "bfloat16": 0.5, "int8": 0.25}
# Of a probability: float16 has 11 bits, bfloat16 has 8.
NEAR = {"float16": 2e-3, "bfloat16": 2e-2, "int8": 5e-2}
LOGIT = 6  # by how much a class is ahead of the others
LOWER = [(kind, precision) for kind in KINDS for precision in kind.precisions[1:]]


LABELS = np.arange(64) % 4


@pytest.fixture(scope="module")
def images():
    """Images of four colours and many contrasts, as the network takes them."""
    rng = np.random.default_rng(0)
    tints = rng.normal(size=(4, 1, 1, 3))[LABELS] + rng.normal(0, 0.1, (64, 1, 1, 3))
    contrasts = rng.uniform(0.1, 1, (64, 1, 1, 1))
    return (tints + contrasts * rng.normal(size=(64, 16, 16, 3))).astype("float32")


@pytest.fixture(scope="module")
def model(images):
    """A network that tells the colours apart, by weights that depend on nothing run before.

    It has a stem, a block with a projection and additions; its head is fitted to the images, so
    that no two classes are nearly tied.
    """
    network = ResnetV1Builder.build((3, 16, 16), 4, "basic_block_v1", (1, 1))
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if weight.path.endswith(("bias", "beta", "moving_mean")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
        elif weight.path.endswith(("gamma", "moving_variance")):
            weight.assign(rng.uniform(0.8, 1.2, weight.shape))
        else:
            weight.assign(rng.normal(0, np.sqrt(2 / np.prod(weight.shape[:-1])), weight.shape))
    head = network.get_layer("head_dense")
    features = keras.Model(network.input, head.input)(images).numpy().astype("float64")
    features = np.hstack([features, np.ones((64, 1))])
    ridge = features.T @ features + np.eye(features.shape[1])
    fitted = LOGIT * np.linalg.solve(ridge, features.T @ np.eye(4)[LABELS])
    head.set_weights([fitted[:-1], fitted[-1]])
    return network


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "precision"), LOWER, ids=lambda one: getattr(one, "name", one))
def test_a_file_is_smaller_and_says_nearly_the_same(
    model, images, tmp_path, capfd, kind, precision
):
    try:
        check_installed(kind, True, precision)
    except ValueError as error:
        pytest.skip(str(error))
    path = tmp_path / f"net{kind.suffix}"
    calibrate = images if precision == "int8" else None
    report = export(model, path, precision=precision, calibrate=calibrate, check=(images, LABELS))
    assert 0 < report.proof.difference < NEAR[precision]
    assert report.proof.agreeing >= 62
    assert report.proof.accuracy_before == 1
    same = [note for note in report.notes if "all 64 images compared on are also those" in note]
    assert len(same) == (precision == "int8")
    assert report.about.precision == precision
    weights = report.bytes_before * SHARES[precision]
    graph = path.stat().st_size if path.suffix == ".xml" else 0
    # Folded statistics are stored no more.
    assert 0.98 * weights < report.bytes_after - graph < 1.1 * weights + 120_000
    outputs = open_engine(path).run(images[:3])
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)  # 8 bits would not
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(("file", "precision"), [("net.tflite", "int8"), ("net.onnx", "float16")])
def test_the_preprocessing_inside_a_file_keeps_its_digits(model, images, tmp_path, file, precision):
    """In 8 bits or in float16, the places of pixels would be others."""
    try:
        check_installed(kind_of(file), True, precision)
    except ValueError as error:
        pytest.skip(str(error))
    larger = np.pad(images, ((0, 0), (2, 2), (7, 7), (0, 0)), "reflect")
    photos = np.clip(255 * (0.5 + 0.25 * larger), 0, 255).astype("u1")
    how = Preprocessing(3, 16, 16, mean=(0.5,) * 3, std=(0.25,) * 3, resize="crop")
    options = {"calibrate": photos} if precision == "int8" else {}
    report = export(
        model,
        tmp_path / file,
        preprocessing=how,
        with_preprocessing=True,
        precision=precision,
        check=photos,
        **options,
    )
    assert 0 < report.proof.difference < NEAR[precision]


def test_layers_of_a_model_within_are_half_floats_too():
    layers = keras.layers
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization()], name="inner"
    )
    end = keras.Sequential([keras.Input((6, 6, 4)), layers.Flatten(), layers.Dense(3)], name="end")
    x = keras.Input((8, 8, 3))
    half = half_model(keras.Model(x, end(inner(x))), "float16")
    of_inner, of_end = (half.get_layer(name).layers for name in ("inner", "end"))
    assert of_inner[0].kernel.dtype == "float16"
    assert (of_inner[1].gamma.dtype, of_end[1].kernel.dtype) == ("float32", "float32")
