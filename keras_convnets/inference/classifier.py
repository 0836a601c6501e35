"""What a model must be to classify images: training, evaluation and prediction ask here."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from keras_convnets.keras_private import is_keras_own

FLOATS = ("float16", "bfloat16", "float32", "float64")
_BUILD = "Build it with keras.Input((rows, cols, channels))"


def check_graph(model: Any) -> None:
    """Refuse a model whose graph does not say what it computes."""
    if not getattr(model, "outputs", None):  # a Sequential without an Input has none before its use
        raise ValueError(
            f"model: received {model!r}; expected a functional model, or a Sequential that begins "
            "with its keras.Input. Only their graphs say what the outputs are."
        )
    if not is_keras_own(type(model).call):
        raise ValueError(
            f"model: the class of {model.name}, {type(model).__name__}, has a call() of its own; "
            "expected a model that computes what its graph says. Pass keras.Model(model.inputs[0], "
            "model.outputs[0])."
        )


def check_one_vector(model: Any) -> None:
    """Refuse a model that does not compute one vector, (None, classes), from one input."""
    check_graph(model)
    name = model.name
    if len(model.outputs) != 1:
        raise ValueError(
            f"model: {name} has {len(model.outputs)} outputs; expected one. Build it with "
            "include_auxiliary=False, or pass keras.Model(model.inputs, model.outputs[0]); all of "
            "them are trained by model.compile and model.fit."
        )
    [output] = model.outputs
    if len(model.inputs) != 1 or len(output.shape) != 2 or output.shape[-1] is None:
        shapes = [tuple(x.shape) for x in model.inputs]
        takes = shapes[0] if len(shapes) == 1 else shapes
        raise ValueError(
            f"model: {name} takes {takes} and outputs {tuple(output.shape)}; expected one input, "
            "and one output of shape (None, classes). Build it with a classifier at its end."
        )
    _check_open(name, model.inputs[0], output)
    if isinstance(model, keras.Sequential):
        return
    for what, given in (("input", model.input), ("output", model.output)):
        if not keras.utils.is_keras_tensor(given[0] if _is_one(given) else given):
            raise ValueError(
                f"model: {name} has its {what} in a {type(given).__name__}; expected a tensor. "
                "Pass keras.Model(model.inputs[0], model.outputs[0])."
            )


def _is_one(given: Any) -> bool:
    return isinstance(given, list | tuple) and len(given) == 1


def _check_open(name: str, x: Any, output: Any) -> None:
    """Refuse a fixed number of images: the last batch has fewer than the others."""
    if x.shape[0] is not None or output.shape[0] is not None:
        size = output.shape[0] if x.shape[0] is None else x.shape[0]
        raise ValueError(
            f"model: {name} takes {size} images at a time; expected any number, for the last batch "
            f"has fewer. {_BUILD}, without batch_shape or batch_size."
        )


def check_takes_floats(model: Any) -> None:
    """Refuse a model whose input is not prepared images: floats around 0, in four dimensions."""
    [x] = model.inputs
    if len(x.shape) != 4:
        raise ValueError(
            f"model: {model.name} takes inputs of {tuple(x.shape)}; expected images, (None, rows, "
            f"cols, channels) or channels first. {_BUILD}."
        )
    dtype = str(x.dtype)
    if dtype not in FLOATS:
        raise ValueError(
            f"model: {model.name} takes images of type {dtype}, to which the prepared images, "
            f"floats around 0, would be truncated; expected floats. {_BUILD}, of type float32."
        )
    if getattr(x, "sparse", False) or getattr(x, "ragged", False):
        raise ValueError(
            f"model: {model.name} takes sparse images; expected dense ones. {_BUILD} alone."
        )


def check_weights(model: Any) -> None:
    """Refuse a model whose weights are not all numbers.

    Outputs may hide them: TensorFlow's ReLU on a CPU turns NaN into 0.
    """
    strategy = getattr(model, "distribute_strategy", None)  # which only TensorFlow has
    weights = [weight for weight in model.weights if str(weight.dtype) in FLOATS]
    values = [weight.value for weight in weights]
    if strategy is not None:
        values = [strategy.experimental_local_results(value)[0] for value in values]
    found = [keras.ops.all(keras.ops.isfinite(value)) for value in values]
    broken = [weight.path for weight, fine in zip(weights, found, strict=True) if not bool(fine)]
    if broken:
        raise ValueError(
            f"model: {model.name} has NaN or infinity in {len(broken)} of {len(weights)} weights, "
            f"{broken[0]} the first; expected numbers. Its weights are broken: take those of an "
            "earlier checkpoint."
        )


def own_steps(model: Any) -> list[str]:
    """Return the methods of training that the class of a model has replaced."""
    steps = ("train_step", "test_step", "compute_loss", "compute_metrics", "make_train_function")
    return [step for step in steps if not is_keras_own(inspect.getattr_static(type(model), step))]
