"""ONNX files in float16, and in 8-bit integers between pairs of QuantizeLinear, DequantizeLinear.

The activations are uint8 and the weights int8 of 7 bits, a scale for each channel. Without VNNI, a
CPU adds two products of 8 bits in 16 bits, which saturate: with 8-bit weights, ResNets lose what 7
bits keep (see docs/export.md). Signed activations do not saturate, but are slower than floats.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers import float16
from onnxruntime.transformers.onnx_model import OnnxModel

from keras_convnets.shipping.precision.out_of_range import OutOfRange

_PROBABILITIES = ("Softmax", "Sigmoid")
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_QUANTISED = [
    *_WEIGHTED,
    *("Add", "AveragePool", "Clip", "Concat", "Flatten", "GlobalAveragePool", "LeakyRelu"),
    *("MaxPool", "Mul", "Pad", "Relu", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"),
]


def to_float16(model: Any) -> Any:
    """Return an ONNX model with weights and activations of float16, but for its input and output.

    Softmax and sigmoid stay in float32, and so does what is before the first weights, such as the
    preprocessing of images.

    Args:
        model: the model in float32, which is changed.

    Raises:
        ValueError: a weight is too large for float16; the line names it.
    """
    # The places of pixels in a photograph have more digits than float16.
    before = _before_weights(model.graph)
    kept = [*float16.DEFAULT_OP_BLOCK_LIST, *_PROBABILITIES]
    _check_range(model.graph, kept, before)
    half = float16.convert_float_to_float16(
        model, keep_io_types=True, op_block_list=kept, node_block_list=before
    )
    _keep_precise(half.graph)
    OnnxModel(half).topological_sort()  # casts were added at the end
    return half


def _check_range(graph: Any, kept: list[str], before: list[str]) -> None:
    rounded = {
        name
        for node in graph.node
        if node.op_type not in kept and node.name not in before
        for name in node.input
    }
    for tensor in graph.initializer:
        if tensor.name not in rounded or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        largest = float(np.abs(onnx.numpy_helper.to_array(tensor)).max(initial=0))
        if largest > float(np.finfo(np.float16).max):
            raise OutOfRange(
                f"precision: received 'float16', whose largest number is 65,504, and "
                f"{tensor.name} has {largest:.4g}. Export in float32."
            )


def _keep_precise(graph: Any) -> None:
    """Take out the rounding to float16 and back between nodes in float32."""
    made_by = {name: node for node in graph.node for name in node.output}
    outputs = {output.name for output in graph.output}
    for back in [node for node in graph.node if node.op_type == "Cast"]:
        rounded = made_by.get(back.input[0])
        if rounded is None or rounded.op_type != "Cast" or not _is_rounding(rounded):
            continue
        precise, name = rounded.input[0], back.output[0]
        graph.node.remove(back)
        if name in outputs:
            made_by[precise].output[:] = [name]
            precise, name = name, precise
        for node in graph.node:
            node.input[:] = [precise if one == name else one for one in node.input]
    used = {name for node in graph.node for name in node.input} | outputs
    for node in [node for node in graph.node if node.op_type == "Cast"]:
        if node.output[0] not in used:
            graph.node.remove(node)


def _is_rounding(cast: Any) -> bool:
    return bool(cast.attribute[0].i == onnx.TensorProto.FLOAT16)


def to_int8(model: Any, batches: Iterable[np.ndarray]) -> Any:
    """Return an ONNX model in 8-bit integers.

    What is before the first weights, such as the preprocessing of images, and softmax and sigmoid
    stay in float32.

    Args:
        model: the model in float32.
        batches: images to see which values occur, as the model's input takes them.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, quantised = (str(Path(folder) / f"{name}.onnx") for name in "abc")
        onnx.save(model, source)
        # Shapes that depend on symbols need SymPy and help nobody here.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            prepared,
            quantised,
            _Reader(graph.input[0].name, batches),
            op_types_to_quantize=_QUANTISED,
            nodes_to_exclude=_before_weights(graph),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(quantised)


class _Reader(CalibrationDataReader):
    """Batches, one after another, as ONNX Runtime asks for them."""

    def __init__(self, name: str, batches: Iterable[np.ndarray]) -> None:
        self._feeds: Iterator[dict[str, np.ndarray]] = ({name: batch} for batch in batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _before_weights(graph: Any) -> list[str]:
    """Return the names of the nodes that no convolution or dense layer comes before."""
    constants = {tensor.name for tensor in graph.initializer}
    after: set[str] = set()
    before: list[str] = []
    for node in graph.node:  # sorted: a node comes after those that it needs
        is_weighted = node.op_type in _WEIGHTED and node.input[1] in constants
        if is_weighted or not after.isdisjoint(node.input):
            after.update(node.output)
        else:
            before.append(node.name)
    return before
