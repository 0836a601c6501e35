"""Gradients of functions, and functions that are called often, on each backend of Keras.

It is the only file here that knows the backends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

Tensor = Any
Function = Callable[..., tuple[Tensor, Any]]
Found = tuple[list[Tensor | None], Any]


def gradient(function: Function, at: Tensor) -> tuple[Tensor | None, Any]:
    """Return the gradient of a function at a tensor, and what else the function has returned.

    Args:
        function: takes the tensor, and returns a scalar and anything else.
        at: where: a tensor of floats.

    Returns:
        The gradient, in the shape of the tensor, or ``None`` if the scalar does not depend on it
        as far as the backend knows; and the second value of the function.
    """
    [found], rest = gradients(function, [at])
    return found, rest


def gradients(function: Function, at: Sequence[Tensor]) -> tuple[list[Tensor | None], Any]:
    """Return the gradient of a function of several tensors at each of them, as `gradient`."""
    return _OF_BACKEND[keras.backend.backend()](function, list(at))


def traced(function: Callable[..., Any], *shapes: Any) -> Callable[..., Any]:
    """Return a function of tensors that is compiled, where that spares the time of many calls.

    Args:
        function: returns what its tensors, float32, and the variables of layers alone tell.
        shapes: the shapes of the tensors; ``None`` for any size.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    # TensorFlow would warn of the traces of several models if the function itself were called.
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    compiled = tf.function(function, signature, autograph=False).get_concrete_function()
    return lambda *tensors: compiled(*tensors)


def forward_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of which nothing is kept for gradients."""
    if keras.backend.backend() != "torch":
        return function
    import torch

    return torch.no_grad()(function)


def _tensorflow(function: Function, at: list[Tensor]) -> Found:
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value, rest = function(*at)
    return tape.gradient(value, at), rest


def _torch(function: Function, at: list[Tensor]) -> Found:
    import torch

    with torch.enable_grad():
        at = [one.detach().requires_grad_() for one in at]
        value, rest = function(*at)
        if not value.requires_grad:
            return [None] * len(at), rest
        return list(torch.autograd.grad(value, at, allow_unused=True)), rest


def _jax(function: Function, at: list[Tensor]) -> Found:
    import jax

    numbers = tuple(range(len(at)))
    (_, rest), found = jax.value_and_grad(function, numbers, has_aux=True)(*at)
    return list(found), rest


_OF_BACKEND: dict[str, Callable[[Function, list[Tensor]], Found]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "jax": _jax,
}
