"""A small network of a registered builder, and a file of its weights in torchvision's names."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_convnets import ResnetV1Builder, register_builder, registry


class SmallBuilder:
    """One network that takes a moment, with layers named as those of ResNet."""

    @staticmethod
    def build_small_resnet(input_shape, num_outputs, **options):
        """Build it."""
        options = {"name": "small_resnet"} | options
        return ResnetV1Builder.build(input_shape, num_outputs, "basic_block_v1", (1,), **options)


@pytest.fixture(scope="module", autouse=True)
def small_resnet():
    """Register the network for the module that imports this; others list the package's alone."""
    register_builder(SmallBuilder)
    yield
    del registry.networks["small_resnet"]


def state_dict(classes=7, seed=0):
    """Return random weights of it under torchvision's names, with axes in PyTorch's order."""
    random = np.random.default_rng(seed)
    arrays = {"conv1.weight": random.normal(0, 0.1, (64, 3, 7, 7))}
    for n in (1, 2):
        arrays[f"layer1.0.conv{n}.weight"] = random.normal(0, 0.05, (64, 64, 3, 3))
    for name in ("bn1", "layer1.0.bn1", "layer1.0.bn2"):
        arrays[f"{name}.weight"] = random.uniform(0.5, 1.5, 64)
        arrays[f"{name}.bias"] = random.normal(0, 0.1, 64)
        arrays[f"{name}.running_mean"] = random.normal(0, 0.1, 64)
        arrays[f"{name}.running_var"] = random.uniform(0.5, 1.5, 64)
    arrays["fc.weight"] = random.normal(0, 0.1, (classes, 64))
    arrays["fc.bias"] = random.normal(0, 0.1, classes)
    return {name: array.astype("float32") for name, array in arrays.items()}


def write(path="small.safetensors", classes=7):
    """Write the file, and return its arrays."""
    arrays = state_dict(classes)
    save_file(arrays, path)
    return arrays
