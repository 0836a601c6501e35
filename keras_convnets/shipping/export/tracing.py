"""TensorFlow functions without variables: traced from code, and made of a graph."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_convnets.shipping.export.names import INPUT, OUTPUT
from keras_convnets.tensorflow_private import frozen

Spec = Any


def traced(model: Any, run: Callable[[Any], Any], spec: Spec) -> Any:
    """Return what code computes with a model as a concrete function whose weights are constants.

    Args:
        model: the model, whose variables become constants.
        run: the code, from images to the outputs.
        spec: the shape and type of the images.
    """

    def call(images: Any) -> dict[str, Any]:
        # Making constants at once takes a third of the time of freezing the variables' reads.
        constants = [(one, _constant(one)) for one in model.variables]
        with keras.StatelessScope(state_mapping=constants):
            return _named(run(images))

    with _inlined():
        function = tf.function(call, [spec], autograph=False).get_concrete_function()
    # Variables that Keras knows nothing of, such as those of a function in a Lambda layer.
    return frozen(function) if function.captured_inputs else function


def of_graph(graph: Any, output: str, spec: Spec) -> Any:
    """Return a graph without variables as a concrete function.

    Args:
        graph: the graph, with a placeholder `INPUT`, which is taken out of it.
        output: the name of the tensor that is its output.
        spec: the shape and type of the images.
    """
    for node in [node for node in graph.node if node.name == INPUT]:
        graph.node.remove(node)  # or it would be a second input

    def call(images: Any) -> dict[str, Any]:
        [outputs] = tf.graph_util.import_graph_def(graph, {INPUT: images}, [output], name="")
        return _named(outputs)

    return tf.function(call, [spec], autograph=False).get_concrete_function()


def spec_of(shape: Sequence[int | None], dtype: str) -> Spec:
    """Return the description of the images that a function takes."""
    return tf.TensorSpec(shape, dtype, name=INPUT)


def _named(outputs: Any) -> dict[str, Any]:
    return {OUTPUT: tf.identity(tf.cast(outputs, tf.float32), name=OUTPUT)}


def _constant(variable: Any) -> Any:
    """Return a variable's value as a constant of the graph that is being traced."""
    with tf.init_scope():
        value = variable.numpy()
    return tf.constant(value, name=variable.path.replace(":", "_"))


@contextlib.contextmanager
def _inlined() -> Iterator[None]:
    """Trace the functions that are called by the function as part of it.

    Keras wraps grouped convolutions in a function that XLA compiles, which no converter opens.
    """
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)
