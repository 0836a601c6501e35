"""Dense blocks in less memory: what is cheap to compute is computed again for the gradients.

The n-th layer of a dense block concatenates all outputs before it, normalises them, applies an
activation and convolves the result. Kept for the gradients, the concatenations and what is made of
them grow with the square of the block's depth, while what they are made of grows with the depth
alone. So only that is kept: each convolution after a normalisation and an activation has a gradient
of its own, which first computes its input again.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

from keras_convnets.fast.known_statistics import KnownStatistics
from keras_convnets.fast.layers import fast_layers
from keras_convnets.keras_private import (
    all_layers,
    first_inputs,
    is_keras_own,
    operation_of,
    was_called,
)
from keras_convnets.typed import typed

Tensor = Any
Call = Callable[..., Tensor]
Values = tuple[tuple[Any, Tensor], ...]  # of variables

_CONCAT = (keras.layers.Concatenate,)
_NORM = (keras.layers.BatchNormalization,)
_ACTIVATION = (keras.layers.Activation, keras.layers.ReLU)
_CONV = (keras.layers.Conv2D,)
_ORIGIN = "_keras_convnets_origin"  # the attribute of a tensor that tells how it was made


class _Concatenated(NamedTuple):
    """A tensor is a concatenation of pieces; of one piece, it is that."""

    pieces: tuple[Tensor, ...]
    axis: int


class _Normalised(NamedTuple):
    """A tensor is a concatenation that was normalised; after it, layers were called in sequence."""

    whole: Tensor
    made_of: _Concatenated
    norm: Call
    known: KnownStatistics | None  # to normalise by, if the kernel was used
    layers: tuple[Call, ...]
    weights: Values  # of the normalisation, before the call


@typed
def memory_efficient(model: keras.Model) -> keras.Model:
    """Let the dense blocks of a model train in less memory, and return the model.

    In a dense block, each layer concatenates all outputs before it, normalises them and convolves
    them after an activation. In training, the results of these three are computed a second time for
    the gradients instead of being kept, and so is all else that a normalisation and an activation
    make for a convolution. Outputs, gradients and moving statistics are those of the same model
    without this, to rounding. Layers, weights and files are the same, so that a copy, or a model
    loaded from a file, needs this function again. What comes after an activation of your own is
    kept, for it might draw random numbers.

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
    replaced = _recomputed(model)
    if keras.backend.backend() != "tensorflow":
        return model
    fast_layers(model)  # first, for these calls are left alone
    for layer, call in replaced:
        _replace(layer, call)
    for layer in all_layers(model):
        if isinstance(layer, keras.Model):
            layer.train_function = None  # one that was traced before keeps everything
    return model


def check_dense_blocks(model: keras.Model) -> None:
    """Refuse a model without dense blocks.

    Raises:
        ValueError: it has none.
    """
    _recomputed(model)


def _recomputed(model: keras.Model) -> list[tuple[Any, Call]]:
    """Return the layers to replace the calls of, each with what computes it instead."""
    replaced: list[tuple[Any, Call]] = []
    for conv in all_layers(model):
        activation = _before(conv, _CONV)
        norm = _before(activation, _ACTIVATION)
        source = _before(norm, _NORM)
        if source is None:
            continue
        replaced += [(norm, _normalise), (activation, _activate), (conv, _convolve)]
        if type(source) in _CONCAT:
            replaced.append((source, _concatenate))
    if not any(call is _concatenate for _, call in replaced):
        raise ValueError(
            f"memory_efficient: received {model.name}, which has no dense blocks; expected a model "
            "with concatenations that are followed by batch normalisation, an activation of Keras "
            "and a convolution, such as densenet_121. Leave it out."
        )
    return replaced


def _before(layer: Any, kinds: tuple[type, ...]) -> Any:
    """Return what made the input of a layer of these kinds; ``None`` for other layers."""
    if type(layer) not in kinds or not was_called(layer) or not _is_repeatable(layer):
        return None
    return operation_of(first_inputs(layer)[0])


def _is_repeatable(layer: Any) -> bool:
    """Return whether a layer computes the same again: a user's activation may draw random numbers.

    Those of Keras do not; one that is a layer may.
    """
    activation = getattr(layer, "activation", None)
    return activation is None or (inspect.isfunction(activation) and is_keras_own(activation))


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
    made_of = getattr(inputs, _ORIGIN, _Concatenated((inputs,), layer.axis))
    if training and mask is None and made_of is not None:
        if not isinstance(made_of, _Concatenated):
            made_of = _Concatenated((inputs,), layer.axis)
        again, known = (
            functools.partial(layer, training=training),
            KnownStatistics.of(layer, outputs),
        )
        setattr(outputs, _ORIGIN, _Normalised(inputs, made_of, again, known, (), weights))
    return outputs


def _activate(layer: Any, own: Call, inputs: Tensor) -> Tensor:
    """Apply the activation, and tell what the result is made of."""
    outputs = own(inputs)
    origin = getattr(inputs, _ORIGIN, None)
    if isinstance(origin, _Normalised):
        setattr(outputs, _ORIGIN, origin._replace(layers=(*origin.layers, layer)))
    return outputs


def _convolve(layer: Any, own: Call, inputs: Tensor) -> Tensor:
    """Convolve, with a gradient that computes the inputs again if it is known how.

    The gradient goes past the inputs to what was normalised, as a whole and not to its pieces:
    those of all layers add up one after the other, whereas the gradients of pieces would all be
    kept until the last one is there.
    """
    import tensorflow as tf

    origin = getattr(inputs, _ORIGIN, None)
    if not isinstance(origin, _Normalised):
        return own(inputs)
    weights = (*origin.weights, *_values(layer))
    variables = [variable for variable, _ in weights]
    # Without the tensor that it is to do without.
    kept = origin._replace(whole=None, layers=(*origin.layers, layer))

    def convolution(inputs: Tensor, whole: Tensor, *values: Tensor) -> tuple[Tensor, Call]:
        del whole
        with _weights_being(variables, values):
            outputs = own(inputs)
        return outputs, lambda arriving: (None, *_gradients(kept, variables, values, arriving))

    values = [value for _, value in weights]
    return tf.custom_gradient(convolution)(inputs, origin.whole, *values)


def _gradients(
    origin: _Normalised, variables: Sequence[Any], values: Sequence[Tensor], arriving: Tensor
) -> list[Tensor | None]:
    """Return the gradients of what was normalised and of the values of the layers' variables."""
    import tensorflow as tf

    whole = inputs = _again(origin.made_of, arriving)
    layers, known = origin.layers, origin.known
    if known is None:
        layers = (origin.norm, *layers)
    else:
        inputs = known.outputs(whole)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([inputs, *values])
        with _weights_being(variables, values):
            outputs = functools.reduce(lambda tensor, layer: layer(tensor), layers, inputs)
    gradient, *others = tape.gradient(outputs, [inputs, *values], arriving)
    if known is None:
        return [gradient, *others]
    gradient, learnt = known.gradients(whole, gradient)
    found = zip(variables, others, strict=True)
    return [gradient, *(learnt.get(id(variable), other) for variable, other in found)]


def _again(made_of: _Concatenated, arriving: Tensor) -> Tensor:
    """Return a concatenation once more, after a gradient has arrived.

    Without waiting, TensorFlow would compute it early, or merge it with the first computation.
    """
    import tensorflow as tf

    pieces, axis = made_of.pieces, tf.constant(made_of.axis)  # not within, or it alone would wait
    with tf.control_dependencies([arriving]):
        whole = tf.concat(pieces, axis) if len(pieces) > 1 else tf.identity(pieces[0])
    setattr(whole, _ORIGIN, None)  # what is made of it is not computed a third time
    return whole


def _values(layer: Any) -> Values:
    return tuple((variable, variable.value) for variable in layer.variables)


def _weights_being(variables: Sequence[Any], values: Sequence[Tensor]) -> Any:
    """Return a context in which variables have these values, and keep them whatever is assigned."""
    return keras.StatelessScope(list(zip(variables, values, strict=True)))
