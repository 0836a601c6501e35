"""A model as a TensorFlow function without variables, which every converter reads."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras

from keras_convnets.axes import format_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.keras_private import is_outline
from keras_convnets.received import line, shown

# A graph with its weights is one protobuf message, which has to stay below 2 GiB.
MOST_BYTES = 2**31 - 2**24


@dataclasses.dataclass(frozen=True)
class Graph:
    """A model as a frozen function.

    Attributes:
        model: the Keras model that it computes, after folding.
        function: the concrete function, of one input `INPUT` with any number of images, and one
            output `OUTPUT` of float32; its weights are constants. Its convolutions are channels
            last, which is what every runtime has.
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
        with_preprocessing: the `Preprocessing` of its images, to have it inside: the function then
            takes uint8 images of any size, channels last, of `channels_of` it.

    Raises:
        ValueError: the model has several inputs or outputs, weights without values or of 2 GB, or
            code that TensorFlow cannot trace, or Keras runs on another backend.

    Examples:
        >>> from keras_convnets import create_model
        >>> graph_of(create_model("lenet_5")).shape
        (None, 32, 32, 1)
    """
    _check(model)
    from keras_convnets.shipping.export import layout, tracing  # import TensorFlow

    channels_last = format_of(model) == "channels_last"
    shape, dtype = (None, *model.inputs[0].shape[1:]), "float32"
    run = lambda images: model(images, training=False)  # noqa: E731
    if with_preprocessing is not None:
        from keras_convnets.shipping.image_graph.image_graph import channels_of

        shape, dtype = (None, None, None, channels_of(with_preprocessing)), "uint8"
        run = _with_preprocessing(run, with_preprocessing, channels_last)
    spec = tracing.spec_of(shape, dtype)
    try:
        function = tracing.traced(model, run, spec)
    except Exception as error:  # anybody's layers
        raise ValueError(
            f"model: received {model.name!r}, which TensorFlow cannot trace for any number of "
            f"images ({line(str(error))}); expected layers that are made of operations of "
            "TensorFlow or keras.ops. Replace the layer that the message names."
        ) from error
    if not channels_last:
        function = layout.channels_last(model, function, spec)
    return Graph(model, function, shape, dtype, channels_last or with_preprocessing is not None)


def _with_preprocessing(
    run: Callable[[Any], Any], preprocessing: Preprocessing, channels_last: bool
) -> Callable[[Any], Any]:
    """Return the code of a network of either format with the preprocessing before it."""
    from keras_convnets.shipping.image_graph.image_graph import image_graph  # imports TensorFlow

    prepare = image_graph(preprocessing)
    if channels_last:
        return lambda images: run(prepare(images))
    return lambda images: run(keras.ops.transpose(prepare(images), (0, 3, 1, 2)))


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
                "Export a model of one of them, such as keras.Model(model.inputs, "
                "model.outputs[0])."
            )
    if is_outline(model):
        raise ValueError(
            f"model: received {shown(model)}, whose weights have no values; expected a model that "
            "can be run. Build it outside of without_values."
        )
    check_size(model)


def check_size(model: Any) -> None:
    """Refuse a model whose weights do not fit into a file.

    Raises:
        ValueError: they take 2 GB in float32, or more.
    """
    size = sum(4 * math.prod(weight.shape) for weight in model.weights)
    if size > MOST_BYTES:
        raise ValueError(
            f"model: received {model.name!r}, whose weights take {size / 1e9:.1f} GB in float32; "
            f"expected at most {MOST_BYTES / 1e9:.1f} GB, for exported files hold a graph in one "
            "message of less than 2 GiB. Export a smaller network."
        )
