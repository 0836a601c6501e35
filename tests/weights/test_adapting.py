"""Weights for another number of channels or classes than their file has."""

import keras
import numpy as np
import pytest

from keras_convnets import create_model, load_weights, save_weights
from keras_convnets.weights.placing.placement import Placement, Value
from keras_convnets.weights.transfer.adapting import adapt
from tiny_resnet import saved, state_dict, tiny


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("weights") / "resnet.safetensors", state_dict())


KERNEL = state_dict()["conv1.weight"].transpose(2, 3, 1, 0)
SHAPE = KERNEL.shape


def stem(channels, how):
    """Return the kernel of the stem for so many channels, and the words for what was done."""
    value = Value(KERNEL, "conv1.weight")
    shapes = {"conv1_conv/kernel": (*SHAPE[:2], channels, SHAPE[3])}
    adapted = adapt(shapes, Placement("torchvision", {"conv1_conv/kernel": value}), how)
    return adapted.values["conv1_conv/kernel"].array, adapted.adapted.get("conv1_conv/kernel")


@pytest.mark.parametrize("how", ["sum", "mean"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7])
def test_a_grey_image_gives_the_same_whatever_its_channels(channels, how):
    kernel, _ = stem(channels, how)
    assert kernel.dtype == np.float32
    if channels % 3 == 0 or channels == 1 or how == "mean":
        np.testing.assert_allclose(kernel.sum(2), KERNEL.sum(2), rtol=1e-4, atol=1e-6)


def test_channels_are_repeated_as_in_timm():
    kernel, words = stem(5, "sum")
    wanted = KERNEL[:, :, [0, 1, 2, 0, 1]] * np.float32(3 / 5)
    np.testing.assert_allclose(kernel, wanted, rtol=1e-6)
    assert words == "3 channels to 5: repeated, times 3/5"
    assert stem(1, "sum")[1] == "3 channels to 1: their sum"
    assert stem(3, "sum")[1] is None


def test_the_mean_and_zeros():
    kernel, words = stem(4, "mean")
    np.testing.assert_allclose(kernel[:, :, 3], KERNEL.mean(2) * 0.75, rtol=1e-5, atol=1e-7)
    assert words == "3 channels to 4: their mean, times 3/4"
    kernel, words = stem(5, "zero")
    np.testing.assert_array_equal(kernel[:, :, :3], KERNEL)
    assert not kernel[:, :, 3:].any()
    assert words == "3 channels to 5: the others are zero"
    with pytest.raises(ValueError, match="'zero' for 1 channels.* Pass channels='sum' or 'mean'"):
        stem(1, "zero")


def test_a_head_for_other_classes_starts_anew(file):
    keras.utils.set_random_seed(1)
    model = tiny(classes=5)
    before = model.get_layer("head_dense").get_weights()
    report = load_weights(model, file)
    assert report.anew == {"head_dense": "5 outputs, 10 in the file"}
    assert "made anew: head_dense: 5 outputs, 10 in the file" in str(report)
    assert not [name for name in report.loaded if name.startswith("head")]
    np.testing.assert_array_equal(before[0], model.get_layer("head_dense").get_weights()[0])


def test_a_background_before_the_classes_is_left_out(tmp_path):
    state = state_dict(classes=1001)
    model = tiny(classes=1000)
    report = load_weights(model, saved(tmp_path / "tf.safetensors", state))
    assert report.adapted.keys() == {"head_dense/kernel", "head_dense/bias"}
    assert set(report.adapted.values()) == {
        "1,001 classes to 1,000: without the first, the background"
    }
    kernel, bias = model.get_layer("head_dense").get_weights()
    np.testing.assert_array_equal(kernel, state["fc.weight"][1:].T)
    np.testing.assert_array_equal(bias, state["fc.bias"][1:])
    path = saved(tmp_path / "in1k.safetensors", state_dict(classes=1000))
    assert load_weights(tiny(classes=1001), path).anew.keys() == {"head_dense"}


def test_a_file_without_a_head(tmp_path):
    state = {key: array for key, array in state_dict().items() if not key.startswith("fc")}
    report = load_weights(tiny(), saved(tmp_path / "notop.safetensors", state))
    assert report.anew == {"head_dense": "the file has no head"}
    assert report.missing == ()


def test_dense_layers_after_a_flatten_are_for_one_size(tmp_path):
    path = tmp_path / "lenet.npz"
    save_weights(create_model("lenet_5"), path)
    model = create_model("lenet_5", (1, 48, 48))
    with pytest.raises(ValueError) as caught:
        load_weights(model, path)
    for words in ("another size", "include_top=False", "head_dense/kernel"):
        assert words in str(caught.value)
    features = create_model("lenet_5", (3, 64, 64), include_top=False)
    report = load_weights(features, path)
    assert set(report.left_out.values()) == {"the model is without its top"}
    assert report.adapted == {"conv1_conv/kernel": "1 channel to 3: repeated, times 1/3"}
