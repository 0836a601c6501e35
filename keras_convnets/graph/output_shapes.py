"""The output shapes of layers for input shapes other than those they were built with."""

from __future__ import annotations

import re
from typing import Any

import keras

from keras_convnets.graph.calls import Tensor, TensorShape

# An output of a call: its shape, its type and Keras' tensor.
Output = tuple[TensorShape, str, Any]


def outputs_of(node: Any, known: dict[int, Tensor]) -> list[Output]:
    """Return the outputs of a node for inputs of the ``known`` shapes."""
    tensors = node.arguments.keras_tensors
    as_built = all(known[id(tensor)].shape == tuple(tensor.shape[1:]) for tensor in tensors)
    made = node.outputs if as_built else _worked_out(node, known)
    return [
        (tuple(tensor.shape[1:]), str(tensor.dtype), symbol)
        for tensor, symbol in zip(made, node.outputs, strict=True)
    ]


def _worked_out(node: Any, known: dict[int, Tensor]) -> list[Any]:
    layer = node.operation
    stand_ins = {}
    for tensor in node.arguments.keras_tensors:
        shape = (tensor.shape[0], *known[id(tensor)].shape)
        stand_ins[id(tensor)] = keras.KerasTensor(shape, dtype=tensor.dtype)
    _check_fixed_axes(layer, list(stand_ins.values()))
    arguments, keywords = node.arguments.fill_in(stand_ins)
    try:
        made = keras.tree.flatten(layer.compute_output_spec(*arguments, **keywords))
    except Exception as error:
        raise ValueError(_refusal(layer, stand_ins.values(), error)) from error
    for tensor in made:
        if any(size is not None and size < 1 for size in tensor.shape):
            raise ValueError(_refusal(layer, stand_ins.values(), "nothing would be left"))
    if len(made) != len(node.outputs):
        why = f"it would return {len(made)} tensors in place of {len(node.outputs)}"
        raise ValueError(_refusal(layer, stand_ins.values(), why))
    return made


def _check_fixed_axes(layer: Any, inputs: list[Any]) -> None:
    """Reject what Keras rejects in a real call, such as a dense layer with another input size."""
    for spec, tensor in zip(
        keras.tree.flatten(getattr(layer, "input_spec", None)), inputs, strict=False
    ):
        for axis, size in (getattr(spec, "axes", None) or {}).items():
            if size is not None and tensor.shape[axis] not in (None, size):
                raise ValueError(_refusal(layer, inputs, f"axis {axis} must be {size}"))


def _refusal(layer: Any, inputs: Any, why: Any) -> str:
    shapes = ", ".join(str(tuple(tensor.shape[1:])) for tensor in inputs)
    lines = [line.strip() for line in re.sub("\x1b\\[[0-9]*m", "", str(why)).splitlines()]
    told = [line for line in lines if line and not line.startswith("Exception encountered")]
    reason = told[0] if told else type(why).__name__
    return (
        f"input_shape: layer {layer.name!r} cannot take {shapes} ({reason}). Pass a shape that "
        "the model was made for."
    )
