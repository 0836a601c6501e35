"""The update of SGD in one fused operation for each variable, on Keras' own optimizer.

Keras computes the update in five operations, each of which reads or writes the variable once more.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import keras

from keras_convnets.keras_private import momentum_of
from keras_convnets.received import shown

Tensor = Any

_KIND = keras.optimizers.SGD


def fast_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    """Let SGD update each variable in one fused operation of TensorFlow, and return the optimizer.

    The networks of this package do it when you compile them, for a run or for a ``fit`` of your
    own; call this for other models. It is the same optimizer: updates are equal to rounding, its
    variables, configuration and files are those of Keras, and a checkpoint of one is one of the
    other. Clipping, weight decay, averages, accumulation of gradients and loss scaling remain
    Keras' own. Other optimizers, and those on other backends, are returned as they are.

    Args:
        optimizer: an optimizer, or what ``keras.optimizers.get`` makes one of, such as ``"sgd"``.

    Raises:
        ValueError: it is neither.

    Examples:
        >>> import keras
        >>> from keras_convnets import fast_optimizer
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> optimizer = fast_optimizer(keras.optimizers.SGD(0.1, momentum=0.9))
        >>> model.compile(optimizer, "mse")
    """
    return _quickened(_got(optimizer))


def quicken(model: Any) -> Any:
    """Let a model's ``compile`` make its optimizer fast, and return the model.

    The model keeps what was passed to it, and so do its files: only the update is replaced, later.
    A layer that is not a model is returned as it is.
    """
    is_model = isinstance(model, keras.Model)
    if is_model and "compile" not in vars(model) and keras.backend.backend() == "tensorflow":
        # Keras would track it as a part of the model.
        object.__setattr__(model, "compile", types.MethodType(_compile, model))
    return model


@functools.wraps(keras.Model.compile)
def _compile(model: Any, *args: Any, **kwargs: Any) -> None:
    type(model).compile(model, *args, **kwargs)
    _quickened(getattr(model, "optimizer", None))  # a subclass may have none


def _quickened(optimizer: Any) -> Any:
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of loss scaling
    if (
        type(inner) is _KIND
        and "update_step" not in vars(inner)  # quick already, or replaced by the user
        and keras.backend.backend() == "tensorflow"
    ):
        inner.update_step = types.MethodType(_update_step, inner)
    return optimizer


def _got(given: Any) -> Any:
    try:
        found = keras.optimizers.get(given)
    except (KeyError, TypeError, ValueError):
        found = None
    if not isinstance(found, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer: received {shown(given)}; expected an optimizer of Keras, or the name of "
            "one. Pass keras.optimizers.SGD(0.1, momentum=0.9) or 'sgd'."
        )
    return found


def _update_step(optimizer: Any, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
    """Compute what the optimizer's class computes."""
    if not updated(optimizer, gradient, variable, learning_rate):
        _KIND.update_step(optimizer, gradient, variable, learning_rate)


def updated(optimizer: Any, gradient: Tensor, variable: Any, learning_rate: Tensor) -> bool:
    """Update a variable as Keras' SGD does, in one operation; return False where there is none.

    Args:
        optimizer: an SGD.
        gradient: the gradient of a loss by the variable.
        variable: a variable of Keras or TensorFlow.
        learning_rate: the learning rate of this step.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    variable = getattr(variable, "value", variable) if _is_keras(variable) else variable
    if not tf.is_tensor(gradient) or isinstance(gradient, tf.IndexedSlices):
        return False
    rate = tf.cast(learning_rate, variable.dtype)
    gradient = tf.cast(gradient, variable.dtype)
    if not optimizer.momentum:
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
        return True
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=variable.handle,
        accum=momentum_of(optimizer, variable).value.handle,
        lr=rate,
        grad=gradient,
        momentum=tf.cast(optimizer.momentum, variable.dtype),
        use_nesterov=optimizer.nesterov,
    )
    return True


def _is_keras(variable: Any) -> bool:
    return isinstance(variable, keras.Variable)
