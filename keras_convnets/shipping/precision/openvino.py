"""OpenVINO models with weights of half floats, which its CPU reads as it likes to compute.

A CPU without instructions for half floats computes in float32; one with those for bfloat16 computes
in bfloat16 by itself, whatever the weights are. 8-bit integers come from an ONNX file that has
them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from keras_convnets.shipping.engines import without_telemetry
from keras_convnets.shipping.image_graph.image_graph import SCOPE

openvino = without_telemetry.openvino()

_LEAST = 16
"""Constants with fewer values are shapes, scales and the like, and not worth their bytes."""


def save(model: Any, path: Path, precision: str) -> None:
    """Write an OpenVINO model, and its weights beside it.

    Args:
        model: the model, in float32 or with 8-bit integers; it is changed for bfloat16.
        path: where to write it.
        precision: that of the weights; of ``"int8"`` those that the model has.
    """
    if precision == "bfloat16":
        _compress(model)
    openvino.save_model(model, str(path), compress_to_fp16=precision == "float16")


def _compress(model: Any) -> None:
    """Store the weights of a model as bfloat16, which are converted when it is read."""
    for node in model.get_ops():
        is_constant = node.get_type_name() == "Constant"
        is_float = is_constant and node.get_element_type() == openvino.Type.f32
        if not is_float or np.prod(node.get_output_shape(0)) < _LEAST:
            continue
        users = node.output(0).get_target_inputs()
        # The place of a pixel, such as 128.5, has more digits.
        if any(SCOPE in user.get_node().get_friendly_name() for user in users):
            continue
        weights = openvino.opset13.constant(node.data, dtype=openvino.Type.bf16)
        read = openvino.opset13.convert(weights, "f32")
        read.get_rt_info()["decompression"] = ""  # so that it is not taken for an operation
        read.set_friendly_name(node.get_friendly_name())
        weights.set_friendly_name(f"{node.get_friendly_name()}_compressed")
        for user in users:
            user.replace_source_output(read.output(0))
    model.validate_nodes_and_infer_types()
