"""Caffe's networks as the ONNX model zoo has them: the names, and what is not a weight."""

import keras
import numpy as np
import pytest

from helpers import blank_kernels, outline
from keras_convnets import create_model, load_weights
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.placing.placing import place, written
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.rules.layout import Layout, Row, is_weight, module_in, module_of

# The layers of Caffe's definitions that have weights, by their names there.
BRANCHES = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")
BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
GOOGLENET = ("conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3", "loss3/classifier")
GOOGLENET += tuple(f"inception_{block}/{branch}" for block in BLOCKS for branch in BRANCHES)
AUXILIARY = tuple(f"loss{n}/{layer}" for n in (1, 2) for layer in ("conv", "fc", "classifier"))
NAMES = {
    "alexnet_caffe": ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"),
    "googlenet": (*GOOGLENET, *AUXILIARY),
}


@pytest.mark.parametrize("network", NAMES)
def test_every_layer_has_its_name_in_caffe(network):
    (layout,) = [one for one in LAYOUTS if one.source == "caffe" and network in one.networks]
    found = [module_of(name, layout).name for name in layers_of(outline(network))]
    assert sorted(found) == sorted(NAMES[network])
    assert [module_in(f"{name}_w_0", layout) for name in found] == found
    assert layout.bgr


def test_shapes_of_reshapes_are_not_weights():
    image = keras.Input((3,))
    found = layers_of(keras.Model(image, keras.layers.Dense(2, name="head_dense")(image)))
    layout = Layout("caffe", (), (Row("head_dense", "fc6"),), tensors="caffe")
    arrays = {"fc6_w_0": np.ones((2, 3)), "fc6_b_0": np.ones(2), "OC2_DUMMY_1": np.array([1, 3])}
    placement = place(found, NamedArrays(arrays, "onnx"), layout)
    assert (placement.unexplained, placement.missing, placement.left_out) == ((), (), {})
    assert is_weight("fc6_w_0", layout)
    assert not is_weight("OC2_DUMMY_1", layout)
    assert not is_weight("bn1.num_batches_tracked", layout._replace(tensors="torch"))


def test_the_papers_alexnet_refuses_the_weights_of_caffes(tmp_path):
    """All names and shapes agree; the constants of the normalisation and the pooling do not."""
    with blank_kernels():
        caffes, papers = (
            create_model(f"alexnet_{name}", include_top=False) for name in ("caffe", "original")
        )
    (layout,) = [one for one in LAYOUTS if "alexnet_caffe" in one.networks]
    arrays = written(layers_of(caffes), layout)
    arrays |= {"fc6_w_0": np.zeros((2, 9216), np.float32), "fc6_b_0": np.zeros(2, np.float32)}
    np.savez(tmp_path / "caffe.npz", **arrays)
    assert load_weights(caffes, tmp_path / "caffe.npz").source == "caffe"
    with pytest.raises(ValueError, match="the weights of alexnet_caffe, for alexnet_original; exp"):
        load_weights(papers, tmp_path / "caffe.npz")


def test_caffenet_is_refused_as_alexnet():
    """All names and shapes agree; it pools before it normalises, as the graph in the file says."""
    (layout,) = [one for one in LAYOUTS if "alexnet_caffe" in one.networks]
    found = layers_of(outline("alexnet_caffe", include_top=False))
    arrays = {"conv1_b_0": np.zeros(96, np.float32)}
    alexnet, caffenet = ("Conv Relu LRN MaxPool", "Conv Relu MaxPool LRN")
    for begins, rest in ((alexnet, alexnet), (caffenet, caffenet), (alexnet, caffenet)):
        operations = (*begins.split(), *rest.split(), *["Conv", "Relu"] * 3, "MaxPool", "Gemm")
        file = NamedArrays(arrays, "onnx", operations=operations)
        if caffenet not in (begins, rest):
            assert place(found, file, layout).values.keys() == {"conv1_conv/bias"}
            continue
        with pytest.raises(
            ValueError, match=r"received a graph .*MaxPool, LRN.*; expected Conv, LR"
        ):
            place(found, file, layout)
