"""Networks compute what torchvision's and timm's compute with the same weights, from their files.

Each is compared in both directions, most at two sizes; shallow ones with files in all formats.
"""

import re
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest

import parity
import trust
from helpers import outline
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.model_layers import layers_of, variables_of
from keras_convnets.weights.placing.placing import written
from parity import ANY, built, compare, load, outputs_of, outputs_of_ours, pictures, placed

torch, models, timm = parity.libraries()


def slow(*case):
    return pytest.param(*case, marks=pytest.mark.slow)


TORCHVISION = [
    ("resnet_v1_18", "resnet18"),
    slow("resnet_v1_34", "resnet34"),
    slow("resnet_v1_5_50", "resnet50"),
    slow("resnet_v1_5_101", "resnet101"),
    slow("resnet_v1_5_152", "resnet152"),
    slow("resnext_50_32x4d", "resnext50_32x4d"),
    slow("resnext_101_32x8d", "resnext101_32x8d"),
    slow("resnext_101_64x4d", "resnext101_64x4d"),
    slow("wide_resnet_50_2", "wide_resnet50_2"),
    slow("wide_resnet_101_2", "wide_resnet101_2"),
    *(slow(f"densenet_{n}", f"densenet{n}") for n in (121, 161, 169, 201)),
    slow("alexnet", "alexnet"),
    *(slow(f"vgg_{n}_bn", f"vgg{n}_bn") for n in (11, 13, 16, 19)),
]
TIMM = [
    slow("resnext_101_32x4d", "resnext101_32x4d"),
    *(slow(f"se_resnet_{n}", f"legacy_seresnet{n}") for n in (50, 101, 152)),
    *(slow(f"se_resnet_v1_5_{n}", f"seresnet{n}") for n in (50, 101, 152)),
    *(slow(f"se_resnext_{n}_32x4d", f"seresnext{n}_32x4d") for n in (50, 101)),
    *(slow(f"resnet_v2_{n}_timm", f"resnetv2_{n}") for n in (50, 101, 152)),
    *(slow(f"resnet_v2_{n}", f"resnetv2_{n}") for n in (50, 101, 152)),
]
# Deep networks of blocks that a shallower one has are compared in one data format.
SHALLOW = ("18", "50", "50_32x4d", "50_timm", "121", "11_bn", "alexnet")


# PyTorch takes long for convolutions of groups in float64, and copies for deep networks.
FLOAT32 = ("32x4d", "resnet_101", "v1_5_101", "_101_timm")
SEVEN = (231, 239)  # of which the last feature maps of VGG have 7 rows and columns


@pytest.fixture(autouse=True)
def _precision_is_left_alone():
    before = keras.config.floatx(), keras.config.dtype_policy()
    yield
    parity.set_precision(*before)


@pytest.fixture
def folder():
    """Make a folder for files of hundreds of MB: pytest would keep those of its own."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.mark.parametrize(("network", "theirs"), TORCHVISION)
def test_as_torchvision(network, theirs, folder):
    net = parity.randomised(parity.twin("torchvision", theirs))
    in_timm = None if theirs.startswith(("alexnet", "vgg")) else theirs
    both_formats = network.endswith(SHALLOW)
    model = parity.check(network, "torchvision", net, folder, both_formats, in_timm=in_timm)
    if theirs.startswith("vgg"):
        in_timm_too(model, network)


@pytest.mark.parametrize(("network", "theirs"), TIMM)
def test_as_timm(network, theirs, folder):
    net = parity.randomised(parity.twin("timm", theirs))
    if network.endswith("_timm"):  # a scale with which pooling before and after differ
        net.stages[0].blocks[0].norm1.weight.data[::2] *= -1
    both_formats, precise = network.endswith(SHALLOW), not network.endswith(FLOAT32)
    parity.check(network, "timm", net, folder, both_formats, precise)


@pytest.mark.parametrize("depth", [11, slow(13), slow(16), slow(19)])
def test_feature_maps_of_the_papers_vgg(depth, folder):
    """As in the paper, its dense layers take maps of one size; torchvision pools them to 7 x 7."""
    net = parity.twin("torchvision", f"vgg{depth}")
    net.classifier = torch.nn.Identity()
    net = parity.randomised(net)
    path = parity.files(net, folder, ["legacy"])["legacy"]
    network, precision = f"vgg_{depth}", parity.precision_of(net)
    model = built(network, precision, include_top=False, num_outputs=None)
    load(model, path, "torchvision")
    for size in ANY:
        x = pictures(size, precision)
        expected = outputs_of(net.features, x)
        found = np.moveaxis(outputs_of_ours(model, x), -1, 1)
        compare(f"{network} feature maps", "torchvision", size, found, expected, precision)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_logits_of_the_papers_vgg(depth, folder):
    network = f"vgg_{depth}"
    net = parity.randomised(parity.twin("torchvision", f"vgg{depth}"))
    before = parity.arrays_of(net)
    path = parity.files(net, folder, ["zip"])["zip"]
    model = load(built(network, "float32", input_shape=(3, *SEVEN)), path, "torchvision")
    x = pictures(SEVEN, "float32")
    found, expected = outputs_of_ours(model, x), outputs_of(net, x)
    compare(network, "torchvision", SEVEN, found, expected, "float32")
    parity.check_back(model, net, "torchvision", folder, before)
    trust.show(f"{network} written", "torchvision", SEVEN, 0.0, "float32", written=True)
    in_timm_too(model, network)


def in_timm_too(model, network):
    """Compare a VGG of ours with timm's, which has weights written by us and gives them back."""
    layers, layout = layers_of(model), parity.layout_of(network, "timm")
    arrays = written(layers, layout)
    net = parity.twin("timm", network.replace("_", "", 1))
    assert list(net.state_dict()) == list(arrays)
    state = {key: torch.from_numpy(array) for key, array in arrays.items()}
    net.load_state_dict(state, strict=True, assign=True)
    x = pictures(SEVEN, "float32")
    found, expected = outputs_of(net.eval(), x), outputs_of_ours(model, x)
    compare(f"{network} written", "timm", SEVEN, found, expected, "float32", written=True)
    placement = placed(layers, NamedArrays(arrays, "safetensors"), network, "timm")
    for full, value in placement.values.items():
        layer, variable = full.split("/")
        assert np.array_equal(value.array, variables_of(layers[layer])[variable])
    compare(network, "timm", SEVEN, expected, found, "float32")  # with the same weights


@pytest.mark.slow
def test_logits_of_a_fully_convolutional_vgg(folder):
    """Its head is that of timm, which has the same weights as torchvision's."""
    for source, sizes in {"timm": [(257, 289)], "torchvision": [(224, 224), SEVEN]}.items():
        net = parity.randomised(parity.twin(source, "vgg11"))
        before = parity.arrays_of(net)
        path = parity.files(net, folder, ["safetensors"])["safetensors"]
        model = load(built("vgg_11", "float32", fully_convolutional=True), path, source)
        parity.check_back(model, net, source, folder, before)
        for size in sizes:
            x = pictures(size, "float32")
            found, expected = outputs_of_ours(model, x), outputs_of(net, x)
            compare("vgg_11 fully convolutional", source, size, found, expected, "float32")


@pytest.mark.slow
def test_older_names_of_densenet():
    net = parity.randomised(parity.twin("torchvision", "densenet121"))
    older = {
        re.sub(r"(norm|conv)([12])\.(?=\w+$)", r"\1.\2.", k): v
        for k, v in parity.arrays_of(net).items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    older = {key: array for key, array in older.items() if not key.endswith("tracked")}
    layers = layers_of(outline("densenet_121", num_outputs=parity.OUTPUTS))
    arrays = NamedArrays(older, "torch legacy")
    placement = placed(layers, arrays, "densenet_121", "torchvision")
    assert {value.key for value in placement.values.values()} == older.keys()
