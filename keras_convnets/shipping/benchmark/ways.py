"""The ways to run a model that are compared, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from keras_convnets import checks
from keras_convnets.received import shown
from keras_convnets.shipping.engines.kinds import (
    LITERT,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    Kind,
    check_installed,
    is_installed,
)


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to run a model.

    Attributes:
        name: its name, as users choose it.
        title: its title for people.
        kind: the kind of the exported file that it runs; ``None`` if Keras runs the model.
    """

    name: str
    title: str
    kind: Kind | None = None


PREDICT = Way("predict", "Keras predict")
COMPILED = Way("compiled", "TensorFlow, compiled")
XLA = Way("xla", "TensorFlow, XLA")
FOLDED = Way("folded", "TensorFlow, folded")
_EXPORTED = {kind.name: Way(kind.name, kind.runtime, kind) for kind in (ONNX, LITERT, OPENVINO)} | {
    SAVED_MODEL.name: Way(SAVED_MODEL.name, "TensorFlow SavedModel", SAVED_MODEL)
}
WAYS = {way.name: way for way in (PREDICT, COMPILED, XLA, FOLDED, *_EXPORTED.values())}

_ON_REQUEST = SAVED_MODEL.name  # it computes what the folded function does


def of_kind(kind: Kind) -> Way:
    """Return the way in which an exported file is run."""
    return _EXPORTED[kind.name]


def chosen(names: Iterable[str] | None) -> tuple[Way, ...]:
    """Return the ways of some names; by default all that are installed but the SavedModel.

    Raises:
        ValueError: there is none, one is not known, named twice or not installed.
    """
    if names is None:
        usual = (way for name, way in WAYS.items() if name != _ON_REQUEST)
        return tuple(way for way in usual if way.kind is None or is_installed(way.kind))
    found = [WAYS[checks.choice("engines", name, WAYS)] for name in names]
    if not found or len(set(found)) < len(found):
        raise ValueError(
            f"engines: received {shown([way.name for way in found])}; expected one or more of "
            f"{', '.join(WAYS)}, each once. Name them so."
        )
    for way in found:
        if way.kind is not None:
            check_installed(way.kind)
    return tuple(found)
