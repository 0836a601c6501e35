"""Caffe's networks from ONNX files as in the model zoo: they compute what Caffe's definitions do.

The files have the names, the shapes and the order of axes of those in the zoo, which came there by
way of Caffe2. On Caffe's side, the networks are written down in PyTorch and take their weights in
the order of Caffe's layers; images are blue, green, red there, and red, green, blue here.
"""

import keras
import numpy as np
import pytest

import caffe_in_torch
import trust
from caffe_in_torch import torch
from helpers import blank_kernels, images
from keras_convnets import create_model, load_weights

onnx = pytest.importorskip("onnx", reason="reads ONNX files")

OUTPUTS = 10
# Caffe's layers with their outputs, inputs and kernel, in the order in which they compute below.
ALEXNET = {
    "conv1": (96, 3, 11, 11),
    "conv2": (256, 48, 5, 5),
    "conv3": (384, 256, 3, 3),
    "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3),
    "fc6": (4096, 9216),
    "fc7": (4096, 4096),
    "fc8": (OUTPUTS, 4096),
}
# With which the graphs begin.
OPERATIONS = {
    "alexnet_caffe": "Conv Relu LRN MaxPool Conv Relu LRN MaxPool Conv Relu Conv Relu",
    "googlenet": "Conv Relu MaxPool LRN Conv Relu Conv Relu LRN MaxPool Conv Relu Conv Relu",
}
# The columns of the paper's table: inputs, 1x1, 3x3 with its reduction, 5x5 likewise, pooling.
INCEPTIONS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def googlenet_shapes():
    shapes = {
        "conv1/7x7_s2": (64, 3, 7, 7),
        "conv2/3x3_reduce": (64, 64, 1, 1),
        "conv2/3x3": (192, 64, 3, 3),
    }
    for block, (ins, one, three_in, three, five_in, five, pool) in INCEPTIONS.items():
        shapes |= {
            f"inception_{block}/3x3_reduce": (three_in, ins, 1, 1),
            f"inception_{block}/5x5_reduce": (five_in, ins, 1, 1),
            f"inception_{block}/1x1": (one, ins, 1, 1),
            f"inception_{block}/3x3": (three, three_in, 3, 3),
            f"inception_{block}/5x5": (five, five_in, 5, 5),
            f"inception_{block}/pool_proj": (pool, ins, 1, 1),
        }
    return shapes | {"loss3/classifier": (OUTPUTS, 1024)}


def random_arrays(shapes):
    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in shapes.items():
        kernel = rng.standard_normal(shape, "float32")
        kernel *= np.float32(np.sqrt(2 / np.prod(shape[1:])))
        bias = 0.1 * rng.standard_normal(shape[0], "float32")
        arrays |= {f"{name}_w_0": kernel, f"{name}_b_0": bias}
    return arrays


def onnx_file(path, arrays, operations, flattened):
    """Write a file as those of the zoo: weights are inputs too, and the shape of a reshape."""
    arrays = {**arrays, "OC2_DUMMY_1": np.array([1, flattened], np.int64)}
    types = {np.dtype("float32"): onnx.TensorProto.FLOAT, np.dtype("int64"): onnx.TensorProto.INT64}
    helper = onnx.helper
    initialisers = [
        helper.make_tensor(name, types[a.dtype], a.shape, a.tobytes(), raw=True)
        for name, a in arrays.items()
    ]
    inputs = [helper.make_tensor_value_info("data_0", onnx.TensorProto.FLOAT, (1, 3, 224, 224))]
    inputs += [
        helper.make_tensor_value_info(name, types[a.dtype], a.shape) for name, a in arrays.items()
    ]
    outputs = [helper.make_tensor_value_info("prob_1", onnx.TensorProto.FLOAT, (1, OUTPUTS))]
    kinds = [*operations.split(), "Reshape", "Gemm", "Softmax"]
    nodes = [helper.make_node(kind, ["data_0"], ["prob_1"]) for kind in kinds]
    graph = helper.make_graph(nodes, "caffe", inputs, outputs, initialisers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)]), path)


class CaffeLayers:
    """The weights of a file, handed out in the order in which Caffe's layers compute."""

    def __init__(self, arrays, names):
        self.arrays, self.names = arrays, iter(names)

    def weights(self):
        name = next(self.names)
        return [torch.from_numpy(self.arrays[f"{name}_{kind}_0"]) for kind in "wb"]

    def conv(self, layer, x, stride=1, pad=0, groups=1):
        return caffe_in_torch.F.conv2d(x, *self.weights(), stride, pad, groups=groups).relu()

    def dense(self, layer, x):
        return caffe_in_torch.F.linear(x, *self.weights())

    def hidden(self, layer, x):
        return self.dense(layer, x).relu()

    def flat(self, x):
        return x.flatten(1)


def googlenet(layers, x):
    return caffe_in_torch.googlenet(layers, x, auxiliary_heads=False)


@pytest.mark.parametrize(
    ("network", "definition", "shapes", "options", "sizes"),
    [
        ("alexnet_caffe", caffe_in_torch.alexnet_caffe, ALEXNET, {}, ((227, 224), (219, 227))),
        (
            "googlenet",
            googlenet,
            googlenet_shapes(),
            {"include_auxiliary": False},
            ((193, 97), (125, 157)),
        ),
    ],
)
def test_logits(network, definition, shapes, options, sizes, tmp_path):
    arrays = random_arrays(shapes)
    flattened = shapes.get("fc6", (0, 1024))[1]
    onnx_file(tmp_path / "model.onnx", arrays, OPERATIONS[network], flattened)
    for size, data_format in zip(sizes, ("channels_last", "channels_first"), strict=True):
        # Images from 0 to 255 minus Caffe's mean.
        x = 60 * images((3, *size), "channels_first") * np.float32([[[[1]]], [[[0.5]]]])
        layers = CaffeLayers(arrays, shapes)
        with torch.no_grad():
            (expected,) = definition(layers, torch.from_numpy(x[:, ::-1].copy()))
        assert next(layers.names, None) is None
        with blank_kernels():
            model = create_model(
                network,
                (3, *size),
                OUTPUTS,
                classifier_activation=None,
                data_format=data_format,
                **options,
            )
        report = load_weights(model, tmp_path / "model.onnx")
        assert report.source == "caffe"
        x = x if data_format == "channels_first" else np.moveaxis(x, 1, -1)
        found = keras.ops.convert_to_numpy(model(x, training=False))
        expected = expected.numpy()
        spread = np.ptp(expected, axis=-1).max()
        assert spread > 0.1 * np.abs(expected).max()
        difference = np.abs(found - expected).max() / spread
        trust.show(f"{network} {data_format}", "caffe", size, difference)
