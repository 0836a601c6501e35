"""LiteRT files with weights of float16, and in 8-bit integers.

In 8 bits all operations are LiteRT's own of integers, a scale for each channel of the weights; the
input and the outputs stay float32, and so do softmax and sigmoid, whose 8 bits would round
probabilities to 1/256, and the preprocessing of images where it is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_convnets.shipping.image_graph.image_graph import SCOPE

_PROBABILITIES = ["SOFTMAX", "LOGISTIC"]


def converted(converter: Any, precision: str, batches: Sequence[np.ndarray] = ()) -> bytes:
    """Return what a converter makes of its model in one of the precisions of LiteRT.

    Args:
        converter: a ``tf.lite.TFLiteConverter`` that nothing was set of.
        precision: ``"float32"``, ``"float16"`` or ``"int8"``.
        batches: for int8, images to see which values occur, as the model's input takes them.
    """
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision == "float32":
        return bytes(converter.convert())
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())
    takes_bytes = any(batch.dtype == np.uint8 for batch in batches)
    inside = _preprocessing(bytes(converter.convert())) if takes_bytes else []
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([batch] for batch in batches)
    # TensorFlow's only way to leave operations in float32.
    debug = tf.lite.experimental
    options = debug.QuantizationDebugOptions(denylisted_ops=_PROBABILITIES, denylisted_nodes=inside)
    debugger = debug.QuantizationDebugger(
        converter=converter,
        debug_dataset=converter.representative_dataset,
        debug_options=options,
    )
    return bytes(debugger.get_nondebug_quantized_model())


def _preprocessing(content: bytes) -> list[str]:
    """Return the names of the operations that prepare images: places of pixels need 32 bits."""
    details = Interpreter(model_content=content).get_tensor_details()
    return [one["name"] for one in details if SCOPE in one["name"]]
