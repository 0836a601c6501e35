"""Weights of the Inception family and of Caffe's networks: loaded and saved, they compute the same.

Every comparison prints a line of the table of differences.
"""

import contextlib
import gc
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import torchvision_models
import trust
from helpers import blank_kernels, computed, images, outline
from keras_convnets import create_model, load_weights, save_weights
from keras_convnets.weights.formats import formats
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.placing.placing import place
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.transfer.folding import fold_input, renormalising, stem_of

torch, models = torchvision_models.load()
timm = pytest.importorskip("timm", reason="networks are compared with timm's")
safetensors = pytest.importorskip("safetensors.torch")

OUTPUTS = 10
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5,) * 3, (0.5,) * 3


class Case(NamedTuple):
    """A network, whose it is, what it is called there, its options, and sizes of images."""

    network: str
    source: str
    twin: str
    options: dict[str, Any]
    sizes: tuple[tuple[int, int], ...]
    auxiliary: bool = False  # whether the file has auxiliary heads
    precise: bool = True  # whether it can be compared in double precision


GOOGLENET_SIZES = (193, 97), (125, 157)
SIZES = (107, 141), (139, 99)
AUXILIARY_SIZES = (299, 313), (309, 301)
AUXILIARY = {"include_auxiliary": True}
CASES = [
    Case("googlenet_bn", "torchvision", "googlenet", AUXILIARY, GOOGLENET_SIZES, True),
    Case("googlenet_bn", "torchvision", "googlenet", {}, GOOGLENET_SIZES, True),
    Case("inception_v3", "torchvision", "inception_v3", AUXILIARY, AUXILIARY_SIZES, True),
    Case("inception_v3", "torchvision", "inception_v3", {}, SIZES, True),
    Case("inception_v3", "timm", "inception_v3", {}, SIZES),
    # Scales of float32 are folded in float32, and Keras rounds factors of residuals to that.
    Case("inception_v4", "timm", "inception_v4", {}, SIZES, precise=False),
    Case("inception_resnet_v2", "timm", "inception_resnet_v2", {}, SIZES, precise=False),
]


@contextlib.contextmanager
def precision(dtype):
    """Let layers compute, and arrays become tensors, in this precision."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def twin(case, auxiliary=None, **options):
    """Return the network of the source without values."""
    has_auxiliary = case.auxiliary if auxiliary is None else auxiliary
    with torch.device("meta"):
        if case.source == "timm":
            return timm.create_model(case.twin, num_classes=OUTPUTS, **options).eval()
        build = getattr(models, case.twin)
        options |= {"aux_logits": has_auxiliary, "init_weights": False}
        return build(weights=None, num_classes=OUTPUTS, **options).eval()


def given(case, state, **options):
    """Return the network of the source with these values, which must be all and no others."""
    net = twin(case, case.options.get("include_auxiliary", False), **options)
    net.load_state_dict(state, strict=True, assign=True)
    return net.eval()


def built(network, size=(None, None), data_format="channels_last", **options):
    with blank_kernels():
        return create_model(
            network,
            (3, *size),
            OUTPUTS,
            classifier_activation=None,
            data_format=data_format,
            **options,
        )


def images_of(size, dtype="float32"):
    """Return two images of unequal strength, channels first."""
    return (images((3, *size), "channels_first") * [[[[1]]], [[[3]]]]).astype(dtype)


def outputs_there(net, x):
    """Return all outputs of a network of the source: the main one, then the auxiliary ones."""
    net.training = getattr(net, "aux_logits", False)
    with torch.no_grad():
        found = net(torch.from_numpy(x))
    net.eval()
    if not isinstance(found, tuple):
        return [found.numpy()]
    main, *auxiliary = [output.numpy() for output in found if output is not None]
    return [main, *reversed(auxiliary)]


def outputs_here(model, x):
    x = x if model.inputs[0].shape[1] == 3 else np.moveaxis(x, 1, -1)
    found = model(x, training=False)
    return [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(found)]


def difference(found, expected):
    """Return the largest difference of logits, relative to how they differ between classes."""
    differences = []
    for one, other in zip(found, expected, strict=True):
        spread = np.ptp(other, axis=-1).max()
        assert spread > 0.1 * np.abs(other).max()
        assert np.ptp(other, axis=0).max() > 1e-2 * np.abs(other).max()  # and between images
        differences.append(np.abs(one - other).max() / spread)
    return max(differences)


def files_of(state, folder):
    """Write a state dict in PyTorch's formats, old and new, and as safetensors."""
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": state, "epoch": 3}, folder / "zip.pth")
    safetensors.save_file(state, folder / "model.safetensors")
    return [folder / name for name in ("legacy.pth", "zip.pth", "model.safetensors")]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.network}-{c.source}-{len(c.options)}")
def test_logits_from_files_and_back(case, tmp_path):
    net = torchvision_models.randomised(twin(case), torch, "float32")
    state = net.state_dict()
    paths = files_of(state, tmp_path)
    for path in paths:
        arrays = formats.read(path).arrays
        assert all(np.array_equal(arrays[key], value.numpy()) for key, value in state.items())
        assert len(arrays) == len(state)
    title = f"{case.network}{' with auxiliary heads' if case.options else ''}"
    net = given(case, {key: state[key] for key in twin_keys(case)})
    model = compare_read(case, f"{title} channels_first", paths[0], net, "float32", case.sizes[:1])
    compare_written(case, f"{title} written", model, net, tmp_path / "ours.safetensors")
    dtype = "float64" if case.precise else "float32"
    net = net.to(getattr(torch, dtype))
    compare_read(case, f"{title} channels_last", paths[2], net, dtype, case.sizes)
    gc.collect()


def compare_read(case, title, path, net, dtype, sizes):
    """Compare ours, with a file of the source, with the source's network; return ours."""
    with precision(dtype):
        model = loaded(case, path, title.split()[-1])
        for size in sizes:
            x = images_of(size, dtype)
            found = difference(outputs_here(model, x), outputs_there(net, x))
            trust.show(title, case.source, size, found, dtype)
    return model


def compare_written(case, title, model, net, target):
    """Compare the source's network, with a file of ours, with itself before."""
    save_weights(model, target, layout=case.source)
    written, size = given(case, safetensors.load_file(target)), case.sizes[0]
    x = images_of(size)
    found = difference(outputs_there(written, x), outputs_there(net, x))
    trust.show(title, case.source, size, found, "float32", written=True)


def loaded(case, path, data_format):
    model = built(case.network, data_format=data_format, **case.options)
    report = load_weights(model, path)
    assert (report.adapted, report.anew) == ({}, {})
    return model


def twin_keys(case):
    """Return the names of the source's network with the heads that ours has."""
    return twin(case, case.options.get("include_auxiliary", False)).state_dict()


# --- Images of another mean and deviation, in double precision.


@pytest.fixture
def _double_precision():
    with precision("float64"):
        yield


def outlined(network, arrays, fold=lambda placement, layers: placement):
    """Return an outline of a network and the values of its variables."""
    (layout,) = [one for one in LAYOUTS if one.source == "torchvision" and network in one.networks]
    model = outline(
        network,
        (3, None, None),
        OUTPUTS,
        classifier_activation=None,
        data_format="channels_last",
    )
    layers = layers_of(model)
    values = fold(place(layers, arrays, layout), layers).values
    kinds = model.trainable_variables, model.non_trainable_variables

    def value(variable):
        found = values.get(variable.path)  # dropout's seeds are not in files
        return np.zeros(variable.shape, variable.dtype) if found is None else found.array

    return model, [[value(variable) for variable in kind] for kind in kinds]


@pytest.mark.usefixtures("_double_precision")
def test_torchvisions_rescaling_is_folded_into_inception_v3():
    """Its ``transform_input`` takes images of ImageNet's mean and deviation to -1 to 1."""
    case, size = CASES[3], SIZES[0]
    net = twin(case, auxiliary=False, transform_input=True)
    net = torchvision_models.randomised(net, torch, "float64")
    arrays = NamedArrays({key: value.numpy() for key, value in net.state_dict().items()}, "npz")
    change = renormalising(IMAGENET, HALVES)
    fold = lambda placement, layers: fold_input(placement, stem_of(layers), *change)  # noqa: E731
    model, state = outlined(case.network, arrays, fold)
    x = images_of(size, "float64")
    found = difference(computed(model, state, np.moveaxis(x, 1, -1)), outputs_there(net, x))
    trust.show("inception_v3, transform_input folded", "torchvision", size, found, "float64")


@pytest.mark.usefixtures("_double_precision")
def test_torchvisions_rescaling_is_the_preprocessing_of_googlenet():
    """Its first convolution is padded, so that the change of the images stays outside of it."""
    case, size = CASES[1], GOOGLENET_SIZES[0]
    net = twin(case, auxiliary=False, transform_input=True)
    net = torchvision_models.randomised(net, torch, "float64")
    arrays = NamedArrays({key: value.numpy() for key, value in net.state_dict().items()}, "npz")
    model, state = outlined(case.network, arrays)
    x = images_of(size, "float64")
    pixels = np.moveaxis(x, 1, -1) * IMAGENET[1] + IMAGENET[0]
    found = difference(computed(model, state, (pixels - 0.5) / 0.5), outputs_there(net, x))
    trust.show("googlenet_bn, mean 0.5", "torchvision", size, found, "float64")
