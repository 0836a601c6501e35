"""A network of two small blocks, and its weights as torchvision would name and store them."""

import numpy as np
from safetensors.numpy import save_file

from keras_convnets import ResnetV1Builder


def tiny(channels=3, classes=10, size=32, **options):
    return ResnetV1Builder.build(
        (channels, size, size), classes, "basic_block_v1", (1, 1), **options
    )


def state_dict(channels=3, classes=10, seed=0):
    rng = np.random.default_rng(seed)
    state = {}

    def conv(name, outputs, inputs, size):
        state[f"{name}.weight"] = rng.normal(size=(outputs, inputs, size, size)) / (size * 8)

    def bn(name, width):
        state[f"{name}.weight"] = 1 + 0.1 * rng.normal(size=width)
        state[f"{name}.bias"] = rng.normal(size=width)
        state[f"{name}.running_mean"] = rng.normal(size=width)
        state[f"{name}.running_var"] = 1 + rng.random(width)
        state[f"{name}.num_batches_tracked"] = np.full((), 7, np.int64)

    conv("conv1", 64, channels, 7)
    bn("bn1", 64)
    for stage, inputs, width in ((1, 64, 64), (2, 64, 128)):
        conv(f"layer{stage}.0.conv1", width, inputs, 3)
        bn(f"layer{stage}.0.bn1", width)
        conv(f"layer{stage}.0.conv2", width, width, 3)
        bn(f"layer{stage}.0.bn2", width)
    conv("layer2.0.downsample.0", 128, 64, 1)
    bn("layer2.0.downsample.1", 128)
    state["fc.weight"] = rng.normal(size=(classes, 128))
    state["fc.bias"] = rng.normal(size=classes)
    return {
        key: array.astype("float32") if array.dtype == "float64" else array
        for key, array in state.items()
    }


def saved(path, state, metadata=None):
    arrays = {key: np.asarray(array, order="C") for key, array in state.items()}
    save_file(arrays, path, metadata)
    return path
