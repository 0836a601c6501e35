import re

import keras
import pytest

from keras_convnets import ResnetBuilder, create_model, list_models
from keras_convnets import zoo as registry


def test_the_registry_is_read_off_the_build_methods():
    methods = [name for name in vars(ResnetBuilder) if name.startswith("build_")]
    classic = [name for name in list_models() if registry.find(name).builder is ResnetBuilder]
    assert [f"build_{name}" for name in classic] == methods
    for name, network in registry.networks().items():
        assert network.build is getattr(network.builder, f"build_{name}")
        assert network.published.source


def test_patterns():
    assert list_models("resnet_1*") == ["resnet_18", "resnet_101", "resnet_152"]
    assert list_models("no_such*") == []


def test_create_model_passes_everything_on():
    model = create_model("resnet_18", (1, 32, 32), 7, classifier_activation=None, name="mine")
    assert (model.name, model.output_shape) == ("mine", (None, 7))


def test_create_model_builds_as_published_by_default():
    model = create_model("resnet_18", data_format="channels_first")
    assert (model.input_shape, model.output_shape) == ((None, 3, 224, 224), (None, 1000))


@pytest.mark.parametrize("name", ["resnet18", "Resnet_18", "resnet_19"])
def test_an_unknown_name_is_answered_with_the_closest(name):
    with pytest.raises(ValueError, match=f"'{name}', which is not .* Did you mean .*resnet_18"):
        create_model(name)


def test_a_name_unlike_any_is_told_where_the_names_are():
    with pytest.raises(ValueError, match=re.escape("All names: list_models()")):
        create_model("yolo")


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("vgg_11", {"batch_norm": True}),
        ("cifar_resnet_20", {"pre_activation": True}),
        ("densenet_121", {"stem": "cifar"}),
        ("resnet_v1_50", {"style": None}),
        ("lenet_5", {"filters": (20, 50)}),
    ],
)
def test_a_published_network_is_what_its_name_says(name, option):
    unknown = next(iter(option))
    with pytest.raises(TypeError, match=f"unknown option '{unknown}'; the options of build_{name}"):
        create_model(name, **option)


def test_options_of_single_networks():
    with keras.StatelessScope(initialize_variables=False):
        names = [layer.name for layer in create_model("wide_resnet_40_4", dropout=0).layers]
        assert not any("dropout" in name for name in names)
        assert (
            create_model("vgg_11", (3, None, None), 10, fully_convolutional=True).name == "vgg_11"
        )
