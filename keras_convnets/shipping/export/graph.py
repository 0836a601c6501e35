"""A model as a TensorFlow function without variables, which every converter reads."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.keras_private import is_outline
from keras_convnets.received import shown
from keras_convnets.shipping.image_graph.image_graph import channels_of, image_graph

INPUT, OUTPUT = "images", "probabilities"


@dataclasses.dataclass(frozen=True)
class Graph:
    """A model as a frozen function.

    Attributes:
        model: the Keras model that it computes, after folding.
        function: the concrete function, of one input `INPUT` with any number of images, and one
            output `OUTPUT` of float32; its weights are constants.
        shape: that of the input, ``None`` where any size fits.
        dtype: that of the input, ``"float32"`` or ``"uint8"``.
        channels_last: whether the axis of the channels of the input is the last.
    """

    model: Any
    function: Any
    shape: tuple[int | None, ...]
    dtype: str
    channels_last: bool


def graph_of(model: Any, with_preprocessing: Preprocessing | None = None) -> Graph:
    """Return a functional model as a frozen function.

    Args:
        model: a model with one input and one output, folded or not, on the TensorFlow backend.
        with_preprocessing: the preprocessing of its images, to have it inside: the function then
            takes uint8 images of any size, channels last, of `channels_of` it.

    Raises:
        ValueError: the model has several inputs or outputs, weights without values, or code that
            TensorFlow cannot trace, or Keras runs on another backend.

    Examples:
        >>> from keras_convnets import create_model
        >>> graph_of(create_model("lenet_5")).shape
        (None, 32, 32, 1)
    """
    _check(model)
    from keras_convnets.axes import format_of

    return _traced(model, format_of(model) == "channels_last", with_preprocessing)


def _check(model: Any) -> None:
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"KERAS_BACKEND: received {keras.backend.backend()!r}; expected 'tensorflow', which "
            "export needs. Set KERAS_BACKEND=tensorflow, or leave it out."
        )
    for what, found in (("input", model.inputs), ("output", model.outputs)):
        if len(found) != 1:
            raise ValueError(
                f"model: received {model.name!r}, which has {len(found)} {what}s; expected one. "
                f"Export a model of one of them: keras.Model(model.inputs, model.outputs[0])."
            )
    if is_outline(model):
        raise ValueError(
            f"model: received {shown(model)}, whose weights have no values; expected a model that "
            "can be run. Build it outside of without_values."
        )


def _traced(model: Any, channels_last: bool, preprocessing: Preprocessing | None) -> Graph:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32, name=INPUT)
    if preprocessing is not None:
        signature = tf.TensorSpec((None, None, None, channels_of(preprocessing)), tf.uint8, INPUT)

    def call(images: Any) -> dict[str, Any]:
        if preprocessing is not None:
            images = image_graph(preprocessing)(images)
            images = images if channels_last else tf.transpose(images, (0, 3, 1, 2))
        with keras.StatelessScope(state_mapping=[(one, _constant(one)) for one in model.variables]):
            outputs = model(images, training=False)
        return {OUTPUT: tf.identity(tf.cast(outputs, tf.float32), name=OUTPUT)}

    with _inlined():
        function = tf.function(call, [signature], autograph=False).get_concrete_function()
    shape, dtype = tuple(signature.shape), signature.dtype.name
    return Graph(model, function, shape, dtype, channels_last or preprocessing is not None)


def _constant(variable: Any) -> Any:
    """Return a variable's value as a constant of the graph that is being traced."""
    import tensorflow as tf

    with tf.init_scope():
        value = variable.numpy()
    return tf.constant(value, name=variable.path)


@contextlib.contextmanager
def _inlined() -> Iterator[None]:
    """Trace functions within the function as part of it.

    Keras wraps grouped convolutions in a function that XLA compiles, which no converter opens.
    """
    import tensorflow as tf

    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)
