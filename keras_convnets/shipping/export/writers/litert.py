"""LiteRT files (formerly TensorFlow Lite), of built-in operations only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_convnets.shipping.export.conversion import conversion
from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.precision.litert import converted


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a file with the signature ``serving_default``."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.function], tf.Module())
    with conversion(graph, "LiteRT"):
        content = converted(converter, precision, calibration)
    path.write_bytes(content)
