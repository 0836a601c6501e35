import re

import pytest

from keras_convnets import list_models
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.weights.published.imagenet import imagenet_classes
from keras_convnets.weights.published.listing import chosen
from keras_convnets.weights.published.published import find, images_of, is_name, rows
from keras_convnets.weights.rules import LAYOUTS

HASH = re.compile(r"|sha256:[0-9a-f]{8}|md5:[0-9a-f]{32}")
KERAS = re.compile(r"vgg_1[69]|(resnet|densenet|inception)_.+_keras|inception_resnet_v2")


def test_the_table_has_a_row_for_each_name_and_network():
    assert len(rows()) > 100
    assert len({(row.name, row.network) for row in rows()}) == len(rows())
    networks_of = {}
    for row in rows():
        networks_of.setdefault((row.file, row.address, row.hash), set()).add(row.name)
    assert all(len(names) == 1 for names in networks_of.values())
    assert len({row.file for row in rows()}) == len(networks_of)


@pytest.mark.parametrize("network", sorted({row.network for row in rows()}))
def test_rows_are_well_formed(network):
    assert network in list_models()
    for row in rows(network):
        assert HASH.fullmatch(row.hash)
        assert row.hash or row.name.startswith(("timm/", "caffe"))
        assert row.address.startswith("https://")
        assert re.fullmatch(r"[\w.-]+\.(pth|safetensors|h5|onnx)", row.file)
        if row.hash.startswith("sha256"):
            assert row.file.endswith(f"-{row.hash[7:]}.pth")
        assert row.classes in (0, 1000, 1001)
        assert bool(row.top1) == bool(row.top1_source)
        prepare = Preprocessing.from_config(images_of(row))
        assert images_of(row) | {"pixels": None, "order": "RGB"} == prepare.to_config()
        assert 0.8 < prepare.crop_share <= 1


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.name} {row.network}")
def test_the_source_has_a_layout_of_the_network(row):
    source = row.name.partition("/")[0].removesuffix("_v2").removesuffix("_notop")
    if source == "keras":  # whose files are read by the order of their layers
        assert KERAS.fullmatch(row.network)
    else:
        assert any(row.network in layout.networks for layout in LAYOUTS if layout.source == source)


def test_facts_of_the_sources():
    first, second = rows("resnet_v1_5_50")[:2]
    assert (first.name, first.top1, first.shorter_side) == ("torchvision", 76.13, 256)
    assert (second.name, second.top1, second.shorter_side) == ("torchvision_v2", 80.858, 232)
    timm = find("timm/resnet50.a1_in1k", "resnet_v1_5_50")
    assert (timm.interpolation, timm.shorter_side, timm.top1) == ("bicubic", 235, 80.38)
    assert find("keras", "vgg_16").mean == (123.68, 116.779, 103.939)
    assert find("torchvision", "googlenet_bn").mean == (0.5, 0.5, 0.5)
    assert find("caffe", "googlenet").scale == 1


def test_a_network_may_be_called_as_its_source_calls_it():
    assert {row.network for row in chosen("resnet50")} == {"resnet_v1_5_50", "resnet_v1_50_keras"}
    assert {row.network for row in chosen("DenseNet121")} == {"densenet_121", "densenet_121_keras"}


def test_names():
    assert find("timm", "vgg_16").name == "timm/vgg16.tv_in1k"
    assert find("timm/resnet50").name == "timm/resnet50.a1_in1k"
    assert find("timm/resnetv2_50").network == "resnet_v2_50_timm"
    assert is_name("timm/anything")
    assert is_name("keras_notop")
    assert not is_name("resnet50.pth")


@pytest.mark.parametrize(
    ("name", "network", "words"),
    [
        (
            "torchvison",
            "vgg_11",
            (
                "weights: received 'torchvison'; expected a file, or a name of weights that are "
                "published for vgg_11: 'torchvision', 'timm/vgg11.tv_in1k'. Did you mean "
                "'torchvision'?"
            ),
        ),
        (
            "torchvision",
            "resnet_18",
            (
                "weights: received 'torchvision'; expected a file, for no weights of resnet_18 are "
                "published. Name one, or a network in the list that keras-convnets weights prints."
            ),
        ),
        (
            "timm/resnet50.a1_in1k",
            "resnet_50",
            (
                "weights: received 'timm/resnet50.a1_in1k', which are weights of resnet_v1_5_50; "
                "expected those of resnet_50. Build the network that they are of."
            ),
        ),
        (
            "torchvision",
            None,
            (
                "weights: received 'torchvision'; expected a file, or a name of published weights "
                "that tells their network, such as 'timm/resnet50'. Name the network with --model "
                "(network)."
            ),
        ),
    ],
)
def test_an_unknown_name_is_refused_with_those_near(name, network, words):
    with pytest.raises(ValueError) as refused:
        find(name, network)
    assert str(refused.value).startswith(words)
    assert "\n" not in str(refused.value)


def test_images_of_other_sizes_and_channels():
    row = find("torchvision_v2", "resnet_v1_5_50")
    small = Preprocessing.from_config(images_of(row, (3, 160, 128)))
    assert (small.rows, small.cols, small.shorter_side) == (160, 128, 165)
    assert images_of(row, (3, None, None)) == images_of(row)
    grey = Preprocessing.from_config(images_of(row, (1, 224, 224)))
    assert grey.mean == (0.449,)
    assert grey.std == (0.226,)
    assert images_of(row, (4, 224, 224)) is None
    whole = images_of(find("timm/resnet50.a1h_in1k"), (3, 320, 320))
    assert Preprocessing.from_config(whole).shorter_side == 320


def test_class_names():
    names = imagenet_classes(1000)
    assert names[0] == "tench"
    assert names[-1] == "toilet tissue"
    assert len(names) == 1000
    assert all(name == name.strip() and name for name in names)
    assert imagenet_classes(1001) == ("background", *names)
    assert imagenet_classes(999) is None
