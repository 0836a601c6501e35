"""Auxiliary heads that only the file has, or only the model, are no error."""

import numpy as np
import pytest

from helpers import blank_kernels
from keras_convnets import create_model, load_weights, save_weights


@pytest.fixture(scope="module")
def models():
    """Return GoogLeNet with auxiliary heads and without."""
    with blank_kernels():
        return [
            create_model("googlenet_bn", (3, 65, 65), 10, include_auxiliary=auxiliary)
            for auxiliary in (True, False)
        ]


@pytest.mark.parametrize("layout", [None, "torchvision"])
def test_heads_of_the_file_are_left_out(models, layout, tmp_path):
    full, without = models
    save_weights(full, tmp_path / "full.safetensors", layout=layout)
    report = load_weights(without, tmp_path / "full.safetensors")
    assert all(name.startswith("aux") for name in report.left_out)
    assert len(report.left_out) == 2 * 9  # two heads of a convolution and two dense layers
    assert len(report.loaded) == len(without.weights)


@pytest.mark.parametrize("layout", [None, "torchvision"])
def test_heads_of_the_model_start_anew(models, layout, tmp_path):
    full, without = models
    save_weights(without, tmp_path / "without.safetensors", layout=layout)
    before = np.array(full.get_layer("aux1_dense").kernel)
    report = load_weights(full, tmp_path / "without.safetensors")
    assert report.left_out == {}
    assert len(report.anew) == 2 * 4
    assert set(report.anew.values()) == {"the file has no auxiliary head"}
    np.testing.assert_array_equal(full.get_layer("aux1_dense").kernel, before)
