"""Padding goes into the node after it where that computes the same, and stays elsewhere."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx: pip install '.[onnx]'")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime: pip install '.[onnx]'")

PADS = (0, 0, 1, 2, 0, 0, 2, 1)
IMAGES = np.random.default_rng(0).standard_normal((2, 3, 9, 9)).astype("float32")


def model(operation, before="Relu", pads=PADS, value=None, mode="constant", outputs=("y",)):
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    kernel = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype("float32")
    given = ["b", "pads", *(() if value is None else ("value",))]
    window = {"kernel_shape": [3, 3], "strides": [2, 2]}
    after = ["p", "kernel"] if operation == "Conv" else ["p"]
    nodes = [
        helper.make_node(before, ["x"], ["b"]),
        helper.make_node("Pad", given, ["p"], mode=mode),
        helper.make_node(operation, after, ["y"], **window),
    ]
    constants = [numpy_helper.from_array(np.int64(pads), "pads")]
    constants += [numpy_helper.from_array(kernel, "kernel")] if operation == "Conv" else []
    constants += [] if value is None else [numpy_helper.from_array(np.float32(value), "value")]
    kind = onnx.TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, kind, [None] * 4) for name in ("x", *outputs)]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )  # fmt: skip


def outputs(given):
    session = ort.InferenceSession(
        given.SerializeToString(), providers=["CPUExecutionProvider"]
    )  # fmt: skip
    return session.run(None, {"x": IMAGES})


def merged(given):
    from keras_convnets.shipping.export.writers.onnx_pads import merge_pads

    before = outputs(given)
    merge_pads(given)
    onnx.checker.check_model(given, full_check=True)
    for found, expected in zip(outputs(given), before, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    return "Pad" not in [node.op_type for node in given.graph.node]


@pytest.mark.parametrize(
    "given",
    [{"operation": "Conv", "before": "Neg"}, {"operation": "Conv", "value": 0},
     {"operation": "MaxPool"}],
)  # fmt: skip
def test_it_goes_into_what_follows(given):
    assert merged(model(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"operation": "MaxPool", "before": "Neg"},  # what is outside would be smaller than zero
        {"operation": "MaxPool", "pads": (0, 0, 3, 0, 0, 0, 0, 0)},  # a window of padding alone
        {"operation": "AveragePool"},
        {"operation": "Conv", "value": 1},
        {"operation": "Conv", "mode": "reflect"},
        {"operation": "Conv", "pads": (0, 0, -1, 0, 0, 0, 0, 0)},
        {"operation": "Conv", "outputs": ("y", "p")},
    ],
)
def test_it_stays(given):
    assert not merged(model(**given))
