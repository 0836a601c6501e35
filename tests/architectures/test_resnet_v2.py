import keras
import numpy as np
import pytest

from helpers import FORMATS, channels_first, images
from keras_convnets import ResnetV2Builder, basic_block_v2, bottleneck_v2, create_model
from keras_convnets.axes import keras_shape
from keras_convnets.keras_private import without_values


@pytest.fixture(scope="module")
def resnet_50():
    with without_values():
        return create_model("resnet_v2_50")


def inputs_of(model, name):
    tensors = model.get_layer(name)._inbound_nodes[0].input_tensors
    return [tensor._keras_history.operation.name for tensor in tensors]


def test_the_first_block_begins_with_its_convolution(resnet_50):
    assert inputs_of(resnet_50, "conv2_block1_conv1") == ["conv1_pool"]
    assert inputs_of(resnet_50, "conv2_block1_shortcut_conv") == ["conv1_pool"]
    assert inputs_of(resnet_50, "conv2_block2_conv1") == ["conv2_block2_relu1"]


def test_projections_start_from_the_pre_activated_input(resnet_50):
    for stage in (3, 4, 5):
        projection = f"conv{stage}_block1_shortcut_conv"
        assert inputs_of(resnet_50, projection) == [f"conv{stage}_block1_relu1"]
        assert resnet_50.get_layer(projection).strides == (2, 2)
        assert resnet_50.get_layer(f"conv{stage}_block1_conv2").strides == (2, 2)


def test_identities_are_untouched(resnet_50):
    added = inputs_of(resnet_50, "conv4_block3_add")
    assert added == ["conv4_block2_add", "conv4_block3_conv3"]
    assert inputs_of(resnet_50, "conv5_block1_bn1") == ["conv4_block6_add"]
    assert inputs_of(resnet_50, "final_bn") == ["conv5_block3_add"]


def test_the_first_block_of_timm_begins_with_its_own_activation():
    with without_values():
        model = create_model("resnet_v2_50_timm", data_format="channels_last")
    names = [layer.name for layer in model.layers]
    first = names.index("conv2_block1_bn1")
    assert names[:first] == [
        "input_image",
        "conv1_zeros",
        "conv1_conv",
        "conv1_pool",
        "conv1_pool2",
    ]
    assert inputs_of(model, "conv2_block1_bn1") == ["conv1_pool2"]
    assert inputs_of(model, "conv2_block1_conv1") == ["conv2_block1_relu1"]
    assert inputs_of(model, "conv2_block1_shortcut_conv") == ["conv2_block1_relu1"]
    assert model.get_layer("conv1_pool2").output.shape == (None, 56, 56, 64)
    assert names[-4:] == ["final_bn", "final_relu", "head_pool", "head_dense"]


def test_the_graph_of_keras_strides_at_the_end_of_a_stage():
    with without_values():
        model = create_model("resnet_v2_50_keras")
    strided = [layer.name for layer in model.layers if getattr(layer, "strides", None) == (2, 2)]
    ends = [("conv2", 3), ("conv3", 4), ("conv4", 6)]
    places = [f"{stage}_block{last}_{layer}" for stage, last in ends
              for layer in ("conv2", "shortcut_pool")]  # fmt: skip
    assert sorted(strided) == sorted(["conv1_conv", "conv1_pool", *places])


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
@pytest.mark.parametrize("block", [basic_block_v2, bottleneck_v2])
def test_option_a_starts_from_the_pre_activated_input_too(block, data_format):
    inputs = keras.Input(keras_shape((3, 8, 8)))
    model = keras.Model(inputs, block(4, (2, 2), shortcut="A")(inputs))
    for layer in model.layers:
        if "conv" in layer.name:  # nothing comes through the residual branch
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    x = images((3, 8, 8), data_format)
    found = channels_first(model(x), data_format)
    active = np.maximum(channels_first(x, data_format)[:, :, ::2, ::2], 0) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(found[:, :3], active, rtol=1e-5)
    assert not found[:, 3:].any()


def test_errors():
    with pytest.raises(ValueError, match="shortcut: received 'C'; expected one of 'A', 'B'"):
        basic_block_v2(16, shortcut="C")
    with pytest.raises(ValueError, match="block_fn: received 'basic'; expected one of"):
        ResnetV2Builder.build((3, 32, 32), 4, "basic", (1, 1))
