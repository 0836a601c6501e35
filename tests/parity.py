"""Networks beside those of PyTorch's libraries: files of theirs, read by us, and written by us."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import torchvision_models
import trust
from helpers import blank_kernels, images
from keras_convnets import create_model, load_weights, save_weights
from keras_convnets.weights.formats.formats import read
from keras_convnets.weights.placing.placing import place
from keras_convnets.weights.rules import LAYOUTS

ANY = (97, 65), (131, 99)  # of which the deeper feature maps have odd sizes
OUTPUTS = 10
LARGE = 50_000_000  # parameters: compared in float32
HUGE = 60_000_000  # parameters: files of 240 MB and more are written in one format
KINDS = ("legacy", "zip", "safetensors")


def libraries():
    """Return ``torch``, ``torchvision.models`` and ``timm``; skip what calls this without them."""
    torch, models = torchvision_models.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what timm has renamed
        timm = pytest.importorskip("timm", reason="networks are compared with timm's")
    return torch, models, timm


def twin(source, name, **options):
    """Return a network of a library without values, on the device ``meta``."""
    torch, models, timm = libraries()
    options = {"num_classes": OUTPUTS} | options
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of initial values that it will not use
        if source == "torchvision":
            return getattr(models, name)(weights=None, **options)
        return timm.create_model(name, pretrained=False, **options)


def randomised(net):
    """Give a network of a library random values of float32, as published files have."""
    return torchvision_models.randomised(net, libraries()[0], "float32")


def arrays_of(net):
    """Return the state dict of a network of a library as arrays."""
    return {key: tensor.numpy() for key, tensor in net.state_dict().items()}


def files(net, folder, kinds):
    """Save the weights of a network of a library in each format; return the paths by format."""
    torch, _, _ = libraries()
    paths = {}
    for kind in kinds:
        suffix = "safetensors" if kind == "safetensors" else "pth"
        paths[kind] = folder / f"{kind}.{suffix}"
        if kind == "safetensors":
            from safetensors.torch import save_file

            save_file(net.state_dict(), paths[kind])
        else:
            zipped = kind == "zip"
            torch.save(net.state_dict(), paths[kind], _use_new_zipfile_serialization=zipped)
    return paths


def precision_of(net):
    """Return the precision in which a network is compared, and let it compute in that."""
    count = sum(parameter.numel() for parameter in net.parameters())
    if count > LARGE:
        return "float32"
    net.double()
    return "float64"


def set_precision(dtype, policy=None):
    """Let layers compute, and arrays become tensors, in this precision."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(policy or dtype)


def layout_of(network, source):
    """Return the rules of a source for a network."""
    (layout,) = [one for one in LAYOUTS if one.source == source and network in one.networks]
    return layout


def built(network, precision, **options):
    """Return a network of ours for images of any size, whose weights are to be loaded."""
    set_precision(precision)
    options = {"input_shape": (3, None, None), "num_outputs": OUTPUTS} | options
    options = {"classifier_activation": None, "data_format": "channels_last"} | options
    with blank_kernels():
        return create_model(network, **options)


def load(model, path, source):
    """Load a file of a library: each of its arrays and each weight of the model is used."""
    report = load_weights(model, path)
    assert report.source == source
    assert len(report.loaded) == len(model.get_weights())
    rest = (report.adapted, report.anew, report.left_out, report.unexplained, report.missing)
    assert not any(rest)
    return model


def placed(layers, arrays, network, source):
    """Place the arrays of another source: each of them and each weight of the model is used."""
    placement = place(layers, arrays, layout_of(network, source))
    assert not placement.missing
    assert not placement.unexplained
    assert not placement.left_out
    assert placement.source == source
    return placement


def check_back(model, net, source, folder, before):
    """Check that a file of ours has these arrays for a network of a library, which accepts all."""
    from safetensors.torch import load_file

    save_weights(model, folder / "back.safetensors", layout=source)
    state = load_file(folder / "back.safetensors")
    same({key: tensor.numpy() for key, tensor in state.items()}, before)
    net.load_state_dict(state, strict=True)


def pictures(size, precision):
    """Return two random images of a size, unlike enough, with the channels first."""
    return (images((3, *size), "channels_first") * [[[[1]]], [[[3]]]]).astype(precision)


def outputs_of(net, x):
    """Return what a network of a library computes."""
    torch, _, _ = libraries()
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()


def outputs_of_ours(model, x):
    """Return what a network of ours computes for images whose channels come first."""
    is_first = model.inputs[0].shape[1] == 3
    x = x if is_first else np.moveaxis(x, 1, -1)
    return keras.ops.convert_to_numpy(model(x, training=False))


@contextlib.contextmanager
def uncompiled():
    """Let TensorFlow compute grouped convolutions as others: Keras compiles each anew at each call.

    That takes longer than all else of a network. What it compiles is compared with channels first.
    """
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def compare(title, source, size, found, expected, precision=None, written=False):
    """Check that outputs are the same to rounding, and show the largest relative difference."""
    assert found.shape == expected.shape
    range_of_outputs = np.ptp(expected, axis=-1).max()  # of what differs between classes
    assert range_of_outputs > 0.1 * np.abs(expected).max()
    assert np.ptp(expected, axis=0).max() > 1e-2 * np.abs(expected).max()  # and between images
    difference = np.abs(found - expected).max() / range_of_outputs
    trust.show(title, source, size, difference, precision, written)


def check(network, source, net, folder, both_formats=True, precise=True, in_timm=None):
    """Compare a network with that of a library, with weights that went through files of each.

    The outputs are those of the library at each size, and in ``both_formats``, for which the file
    comes in each format too; and the library accepts the same weights from us. So does the network
    ``in_timm``, whose files are the same.
    """
    before = arrays_of(net)
    count = sum(parameter.numel() for parameter in net.parameters())
    paths = files(net, folder, KINDS if both_formats and count < HUGE else ("zip",))
    precision = precision_of(net) if precise else "float32"
    model = load(built(network, precision), paths["zip"], source)
    for kind in paths.keys() - {"zip"}:
        same(read(paths[kind]).arrays, before)
    for size in ANY:
        x = pictures(size, precision)
        with uncompiled():
            found = outputs_of_ours(model, x)
        compare(network, source, size, found, outputs_of(net, x), precision)
    check_back(model, net, source, folder, before)
    trust.show(f"{network} written", source, ANY[0], 0.0, precision, written=True)  # the same bits
    if in_timm:
        other = twin("timm", in_timm)
        assert list(other.state_dict()) == list(before)
        other.load_state_dict(net.state_dict(), strict=True, assign=True)
        expected = outputs_of(other.eval(), x)
        compare(network, "timm", ANY[1], found, expected, precision)
    if both_formats:
        _check_channels_first(model, network, source, net, paths.get("legacy", paths["zip"]))
    return model


def _check_channels_first(model, network, source, net, path):
    """Compare in float32: TensorFlow has no other convolutions with channels first on CPUs."""
    first = built(network, "float32", data_format="channels_first")
    load(first, path, source)
    assert all(map(np.array_equal, first.get_weights(), model.get_weights()))
    x = pictures(ANY[0], model.dtype)
    found, expected = outputs_of_ours(first, x.astype("float32")), outputs_of(net, x)
    compare(f"{network} channels first", source, ANY[0], found, expected, "float32")


def same(arrays, others):
    """Check that two files have the same arrays."""
    assert arrays.keys() == others.keys()
    for key, array in arrays.items():
        assert np.array_equal(array, others[key]), key
