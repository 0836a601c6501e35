"""SavedModel folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_convnets.shipping.export.graph import Graph
from keras_convnets.shipping.export.quiet import quiet

SIGNATURE = "serving_default"


def write(graph: Graph, path: Path, precision: str, calibration: Any = None) -> None:
    """Write a folder that TensorFlow and its servers read, whose weights are constants.

    They are of the type that the graph has: see `in_precision_of`.
    """
    with quiet():
        tf.saved_model.save(tf.Module(), str(path), {SIGNATURE: graph.function})
