"""Dense blocks in less memory: what is cheap to compute is computed again for the gradients.

The n-th layer of a dense block concatenates all outputs before it, normalises them, applies an
activation and convolves the result. Kept for the gradients, these concatenations grow with the
square of the block's depth, while what they are made of grows with the depth alone. So only that is
kept: the convolution has a gradient of its own, which first computes its input again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

from keras_convnets.fast.batch_norm import quicken
from keras_convnets.keras_private import all_layers, first_inputs, operation_of, was_called
from keras_convnets.typed import typed

Tensor = Any
Call = Callable[..., Tensor]
Values = tuple[tuple[Any, Tensor], ...]  # of variables

_KINDS: tuple[tuple[type, ...], ...] = (
    (keras.layers.Concatenate,),
    (keras.layers.BatchNormalization,),
    (keras.layers.Activation, keras.layers.ReLU),
    (keras.layers.Conv2D,),
)
_ORIGIN = "_keras_convnets_origin"  # the attribute of a tensor that tells how it was made


class _Concatenated(NamedTuple):
    """A tensor is a concatenation of pieces."""

    pieces: tuple[Tensor, ...]
    axis: int


class _Normalised(NamedTuple):
    """A tensor is a concatenation on which layers were called in sequence."""

    whole: Tensor
    made_of: _Concatenated
    layers: tuple[Callable[[Tensor], Tensor], ...]
    weights: Values  # of the layers, before the calls


@typed
def memory_efficient(model: keras.Model) -> keras.Model:
    """Let the dense blocks of a model train in less memory, and return the model.

    In a dense block, each layer concatenates all outputs before it, normalises them and convolves
    them after an activation. In training, these three results are computed a second time for the
    gradients instead of being kept. Outputs, gradients and moving statistics are those of the same
    model without this, to rounding. Layers, weights and files are the same, so that a copy or a
    model loaded from a file needs this function again.

    It acts in training with TensorFlow, in graphs such as those of ``fit``. With
    ``jit_compile=True``, it is XLA that decides what is kept.

    Args:
        model: a functional model with dense blocks: a DenseNet of this package or of
            ``keras.applications``. If it was compiled, it remains so.

    Raises:
        ValueError: the model has no dense blocks.

    Examples:
        >>> from keras_convnets import create_model, memory_efficient
        >>> model = memory_efficient(create_model("cifar_densenet_40_12"))
        >>> model.get_layer("dense1_block2_conv1").name
        'dense1_block2_conv1'
    """
    chains = dense_chains(model)
    if keras.backend.backend() != "tensorflow":
        return model
    for chain in chains:
        for layer, call in zip(chain, _CALLS, strict=True):
            _replace(quicken(layer), call)
    for layer in all_layers(model):
        if isinstance(layer, keras.Model):
            layer.train_function = None  # one that was traced before keeps everything
    return model


def dense_chains(model: keras.Model) -> list[tuple[Any, ...]]:
    """Return concatenation, normalisation, activation and convolution of each dense layer.

    Raises:
        ValueError: it has none.
    """
    chains = [chain for layer in all_layers(model) if (chain := _chain(layer))]
    if not chains:
        raise ValueError(
            f"memory_efficient: received {model.name}, which has no dense blocks; expected a model "
            "with concatenations that are followed by batch normalisation, an activation and a "
            "convolution, such as densenet_121. Leave it out."
        )
    return chains


def _chain(layer: Any) -> tuple[Any, ...]:
    """Return the concatenation, normalisation, activation and convolution that end in a layer."""
    chain: list[Any] = []
    for kinds in reversed(_KINDS):
        if type(layer) not in kinds:
            return ()
        chain.insert(0, layer)
        layer = operation_of(first_inputs(layer)[0]) if was_called(layer) else None
    return tuple(chain)


def _replace(layer: Any, call: Call) -> None:
    """Let a layer be computed by ``call(layer, its own call, ...)``, unless it is already."""
    if getattr(layer.call, "func", None) is not call:
        layer.call = functools.partial(call, layer, layer.call)


def _concatenate(layer: Any, own: Call, inputs: Sequence[Tensor]) -> Tensor:
    """Concatenate, and tell what the result is made of."""
    outputs = own(inputs)
    pieces: list[Tensor] = []
    for tensor in inputs:
        made_of = getattr(tensor, _ORIGIN, None)
        if isinstance(made_of, _Concatenated) and made_of.axis == layer.axis:
            pieces += made_of.pieces
        else:
            pieces.append(tensor)
    setattr(outputs, _ORIGIN, _Concatenated(tuple(pieces), layer.axis))
    return outputs


def _normalise(
    layer: Any, own: Call, inputs: Tensor, training: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Normalise; in training, tell what the result is made of."""
    weights = _values(layer)  # before the moving statistics move
    outputs = own(inputs, training=training, mask=mask)
    made_of = getattr(inputs, _ORIGIN, None)
    if training and mask is None and isinstance(made_of, _Concatenated):
        again = functools.partial(layer, training=training)
        setattr(outputs, _ORIGIN, _Normalised(inputs, made_of, (again,), weights))
    return outputs


def _activate(layer: Any, own: Call, inputs: Tensor) -> Tensor:
    """Apply the activation, and tell what the result is made of."""
    outputs = own(inputs)
    origin = getattr(inputs, _ORIGIN, None)
    if isinstance(origin, _Normalised):
        setattr(outputs, _ORIGIN, origin._replace(layers=(*origin.layers, layer)))
    return outputs


def _convolve(layer: Any, own: Call, inputs: Tensor) -> Tensor:
    """Convolve, with a gradient that computes the inputs again if it is known how."""
    origin = getattr(inputs, _ORIGIN, None)
    if not isinstance(origin, _Normalised):
        return own(inputs)
    weights = (*origin.weights, *_values(layer))
    layers = (*origin.layers, layer)
    return _recomputing(own, inputs, origin, layers, weights)


def _recomputing(
    own: Call, inputs: Tensor, origin: _Normalised, layers: Sequence[Call], weights: Values
) -> Tensor:
    """Return ``own(inputs)``, whose gradient goes past the inputs to what they are made of.

    The gradient is that of the concatenation as a whole, not of its pieces: those of all layers
    add up one after the other, whereas the gradients of pieces would all wait for the last one.
    """
    import tensorflow as tf

    variables = [variable for variable, _ in weights]
    pieces, axis = origin.made_of

    def convolution(inputs: Tensor, whole: Tensor, *values: Tensor) -> tuple[Tensor, Call]:
        del whole
        with _weights_being(variables, values):
            outputs = own(inputs)
        gradients = functools.partial(_gradients, pieces, axis, layers, variables, values)
        return outputs, lambda arriving: (None, *gradients(arriving))

    values = [value for _, value in weights]
    return tf.custom_gradient(convolution)(inputs, origin.whole, *values)


def _gradients(
    pieces: Sequence[Tensor],
    axis: int,
    layers: Sequence[Call],
    variables: Sequence[Any],
    values: Sequence[Tensor],
    arriving: Tensor,
) -> list[Tensor | None]:
    """Return the gradients of the concatenation and of the values of the layers' variables."""
    import tensorflow as tf

    # Without waiting, TensorFlow would merge it with the first computation, or compute it early.
    along = tf.constant(axis)  # not within, or it alone would wait
    with tf.control_dependencies([arriving]):
        whole = tf.concat(pieces, along)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([whole, *values])
        outputs = whole
        with _weights_being(variables, values):
            for layer in layers:
                outputs = layer(outputs)
    return tape.gradient(outputs, [whole, *values], arriving)


def _values(layer: Any) -> Values:
    return tuple((variable, variable.value) for variable in layer.variables)


def _weights_being(variables: Sequence[Any], values: Sequence[Tensor]) -> Any:
    """Return a context in which variables have these values, and keep them whatever is assigned."""
    return keras.StatelessScope(list(zip(variables, values, strict=True)))


_CALLS: tuple[Call, ...] = (_concatenate, _normalise, _activate, _convolve)
