"""The kind of a classifier's outputs: logits, or probabilities from a softmax or sigmoids.

This is the only place that determines it. It traces the graph back from the output to the layer
that defines its kind, through layers that do not change the kind. It never looks at values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_convnets.graph.calls import Call, Tensor
from keras_convnets.graph.layer_classes import layer_classes
from keras_convnets.graph.walk import output_tensors
from keras_convnets.inference.activations import (
    LINEAR,
    RECTIFIED,
    SIGMOID,
    SOFTMAX,
    Activated,
    activation_of,
    is_operation,
)
from keras_convnets.inference.classifier import check_one_vector
from keras_convnets.inference.output_axes import before_mean, before_reshaping, sums_over


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The kind and number of a classifier's outputs.

    Attributes:
        kind: ``"softmax"``, ``"sigmoid"``, or ``"linear"`` for logits.
        count: the number of outputs per image.
    """

    kind: str
    count: int

    @property
    def is_logits(self) -> bool:
        """Whether they are logits: of a softmax, or of a sigmoid if there is one output."""
        return self.kind == LINEAR

    @property
    def is_binary(self) -> bool:
        """Whether there is a single output, for the second of two classes."""
        return self.count == 1

    @property
    def are_independent(self) -> bool:
        """Whether each class has an independent probability, so that they need not sum to 1."""
        return self.kind == SIGMOID and not self.is_binary

    @property
    def classes(self) -> int:
        """The number of classes."""
        return 2 if self.is_binary else self.count


def outputs_of(model: Any) -> Outputs:
    """Determine the kind of a classifier's outputs from its graph.

    The graph is traced back from the output through reshaping, dropout, casts, pooling, nested
    models and anything else that does not change the kind of the values.

    Args:
        model: a functional model or a ``Sequential``.

    Raises:
        ValueError: the model has several outputs or one that is not a vector, a softmax over a
            single output, or the kind cannot be determined; the error names the layer.

    Examples:
        >>> from keras_convnets import create_model
        >>> from keras_convnets.inference.outputs import outputs_of
        >>> outputs_of(create_model("lenet_5"))
        Outputs(kind='softmax', count=10)
        >>> outputs_of(create_model("lenet_5", num_outputs=1, classifier_activation=None)).is_logits
        True
    """
    check_one_vector(model)
    count = model.outputs[0].shape[-1]
    try:
        kind = _kind(output_tensors(model)[0], 0)
        if kind == RECTIFIED:
            raise _Unknown("it ends in a relu, which leaves no negative logits")
    except _Unknown as unknown:
        activation = "sigmoid" if count == 1 else "softmax"
        raise ValueError(
            f"model: cannot tell what the outputs of {model.name} are, for {unknown}; expected a "
            "softmax, a sigmoid, or logits of a layer without activation. End the model in one, "
            f"such as keras.layers.Dense({count}, activation={activation!r}){unknown.remedy}."
        ) from None
    if kind == SOFTMAX and count == 1:
        raise ValueError(
            f"model: {model.name} ends in a softmax over one output, which is 1 for every image; "
            "expected a sigmoid for two classes. Build it with classifier_activation='sigmoid' "
            "(keras.layers.Dense(1, activation='sigmoid')), or with two outputs."
        )
    return Outputs(kind, count)


class _Unknown(Exception):  # noqa: N818 - becomes an error once the model is known
    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


def _kind(tensor: Tensor, axis: int | None) -> str:
    """Return the kind of a tensor's values; ``axis`` is its class axis, or ``None``."""
    call = tensor.source
    activated = activation_of(call.layer)
    if activated is not None:
        return _activated(call, axis, activated)
    follow = _follower(call.layer)
    if follow is None:
        own = ", or give that layer an attribute activation that says it"
        raise _Unknown(f"{_named(call)} may do anything", "" if is_operation(call.layer) else own)
    return follow(call, axis)


def _activated(call: Call, axis: int | None, activated: Activated) -> str:
    kind = activated.kind
    if kind is None:
        raise _Unknown(f"{_named(call)} has the activation {activated.name}")
    if kind == LINEAR and activated.is_all:
        return _unchanged(call, axis)
    if kind in (SOFTMAX, SIGMOID) and activated.is_all:
        _check_once(call, axis)
    if kind == SOFTMAX and not sums_over(call.outputs[0].shape, activated.axes, axis):
        raise _Unknown(f"{_named(call)} does not sum to 1 over the classes")
    return kind


def _check_once(call: Call, axis: int | None) -> None:
    """Refuse probabilities of probabilities, which can never be near 1."""
    try:
        before = _kind(call.inputs[0], axis)
    except _Unknown:  # such as logits of a layer of the user's own
        return
    if before in (SOFTMAX, SIGMOID):
        raise _Unknown(f"{_named(call)} comes after a {before}")


def _unchanged(call: Call, axis: int | None) -> str:
    return _kind(call.inputs[0], axis)


def _reshaped(call: Call, axis: int | None) -> str:
    return _kind(call.inputs[0], before_reshaping(call, axis))


def _mean(call: Call, axis: int | None) -> str:
    """A mean of probabilities is a probability; a mean of ReLU outputs is a logit."""
    kind = _kind(call.inputs[0], before_mean(call, axis))
    return LINEAR if kind == RECTIFIED else kind


def _peak(call: Call, axis: int | None) -> str:
    kind = _mean(call, axis)
    return _only(call, {kind}, (LINEAR, SIGMOID))


def _averaged(call: Call, axis: int | None) -> str:
    """The average of several models' probabilities is a probability."""
    return _only(call, _kinds(call, axis), (LINEAR, SIGMOID, SOFTMAX))


def _scaled(call: Call, axis: int | None) -> str:
    """Scaled or added logits are logits."""
    return _only(call, _kinds(call, axis), (LINEAR,))


def _joined(call: Call, axis: int | None) -> str:
    return _only(call, _kinds(call, axis), (LINEAR, SIGMOID))


def _kinds(call: Call, axis: int | None) -> set[str]:
    return {_kind(tensor, axis) for tensor in call.inputs}


def _only(call: Call, kinds: set[str], allowed: tuple[str, ...]) -> str:
    if len(kinds) > 1:
        raise _Unknown(f"{_named(call)} joins {' and '.join(sorted(kinds))} outputs")
    [kind] = kinds
    if kind not in allowed:
        raise _Unknown(f"{_named(call)} comes after a {kind}")
    return kind


def _named(call: Call) -> str:
    return f"layer {call.name!r} ({call.kind})"


_Follow = Callable[[Call, "int | None"], str]
_LAYERS: tuple[tuple[tuple[Any, ...], _Follow], ...] = (
    (
        layer_classes(
            "Identity", "Dropout", "SpatialDropout{}D", "GaussianDropout", "AlphaDropout",
            "GaussianNoise", "ActivityRegularization",
        ),
        _unchanged,
    ),
    (layer_classes("Reshape", "Flatten", "Permute"), _reshaped),
    (layer_classes("GlobalAveragePooling{}D", "AveragePooling{}D"), _mean),
    (layer_classes("GlobalMaxPooling{}D", "MaxPooling{}D"), _peak),
    (layer_classes("Average"), _averaged),
    (layer_classes("BatchNormalization", "Rescaling", "Add", "Subtract"), _scaled),
    (layer_classes("Concatenate"), _joined),
)  # fmt: skip
# The operation classes of keras.ops are private, so they are identified by name.
_OPERATIONS: dict[str, _Follow] = {
    **dict.fromkeys(("Cast", "Copy", "StopGradient"), _unchanged),
    **dict.fromkeys(
        ("Reshape", "Ravel", "Squeeze", "ExpandDims", "GetItem", "Transpose"), _reshaped
    ),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative"), _scaled),
    "Mean": _mean,
    "Max": _peak,
    "Concatenate": _joined,
}


def _follower(layer: Any) -> _Follow | None:
    """Return the function that traces back through a layer or an operation, if known."""
    if is_operation(layer):
        return _OPERATIONS.get(type(layer).__name__)
    return next((follow for classes, follow in _LAYERS if isinstance(layer, classes)), None)


def keeps_kind(layer: Any) -> bool:
    """Return whether a layer or an operation only passes on, reshapes or joins what it is given.

    An activation that comes before it can then be taken away, and what is left are the logits.
    """
    return _follower(layer) in (_unchanged, _reshaped, _joined)
