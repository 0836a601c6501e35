"""Every use of TensorFlow's private API. No other module of the package accesses its internals.

Each use was tried with TensorFlow 2.20 and 2.21. Before supporting another version, run
``tests/shipping/test_writers.py``.
"""

from __future__ import annotations

from typing import Any

_CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
# Layouts first; then the transpositions of constants, and those that cancel each other.
_PASSES = ("layout", "constfold", "arithmetic", "layout", "constfold")


def frozen(function: Any) -> Any:
    """Return a concrete function whose variables and other captured tensors are constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    return convert_variables_to_constants_v2(function)


def with_channels_last(function: Any) -> Any:
    """Return the graph of a frozen function, with convolutions and pooling in channels last.

    The inputs and outputs stay as they are: the graph transposes them. It is TensorFlow's own
    layout optimizer, which only acts on nodes whose device is known.
    """
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
    from tensorflow.python.grappler import tf_optimizer
    from tensorflow.python.training.saver import export_meta_graph

    held = export_meta_graph(graph_def=function.graph.as_graph_def(), graph=function.graph)
    for node in held.graph_def.node:
        node.device = _CPU
    kept = [tensor.op.name for tensor in (*function.inputs, *function.outputs)]
    held.collection_def["train_op"].node_list.value.extend(kept)
    config = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.cpu_layout_conversion = rewriter_config_pb2.RewriterConfig.NCHW_TO_NHWC
    rewrites.min_graph_nodes = -1
    rewrites.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    rewrites.optimizers.extend(_PASSES)
    result = tf_optimizer.OptimizeGraph(config, held)
    for node in result.node:
        node.device = ""
    return result
