"""Published weights by their name: their file, and what the model then knows."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_convnets import (
    class_names_of,
    create_model,
    load_weights,
    preprocessing_of,
    save_weights,
    weights_report_of,
)

NAME = "timm/resnet18.tv_in1k"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CONVNETS_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def trained():
    return create_model("resnet_v1_18")


def test_a_published_name(folder, trained):
    save_weights(trained, folder / "resnet18.tv_in1k.safetensors", layout="timm")
    model = create_model("resnet_v1_18", (3, 64, 64), weights=NAME)
    report = weights_report_of(model)
    assert report.weights == NAME
    assert f", published as {NAME}" in str(report)
    assert report.network == "resnet_v1_18"
    for one, two in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert class_names_of(model)[281] == "tabby"
    images = preprocessing_of(model)
    assert (images.channels, images.rows, images.cols) == (3, 64, 64)
    assert images.mean == (0.485, 0.456, 0.406)
    other = create_model("resnet_v1_18", (1, 64, 64), 5, weights=NAME)
    assert class_names_of(other) is None
    assert preprocessing_of(other).channels == 1


def test_a_name_that_is_not_published(folder):
    for name, network, words in (
        ("torchvision", "resnet_v1_50", "no weights of resnet_v1_50 are published"),
        ("timm/vgg16.tv_in1k", "resnet_v1_18", "weights of vgg_16"),
        ("torchvison", "resnet_v1_18", "torchvison"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            create_model(network, (3, 32, 32), 3, weights=name)
        assert "\n" not in str(caught.value)


def test_a_file_that_has_the_name_of_a_published_one(folder, trained):
    path = folder / "resnet18-f37072fd.pth"
    save_file({"conv1_conv/kernel": np.zeros((7, 7, 3, 64), "float32")}, path)
    for weights in ("torchvision", path):
        with pytest.raises(ValueError, match="sha256 .*f37072fd"):
            load_weights(trained, weights)
