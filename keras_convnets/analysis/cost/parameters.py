"""The weights of layers: which are parameters, how many there are, and their size.

A parameter is a weight that training changes, in a frozen layer too: what papers and PyTorch count.
The statistics of normalisations (batch normalisation's moving ones) are weights, but no parameters;
Keras' ``count_params()`` counts all weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from keras_convnets.keras_private import learnt_weights


class Weight(NamedTuple):
    """A weight array: its elements, its bytes, and whether it is a parameter that is not frozen."""

    elements: int
    bytes: int
    is_parameter: bool
    is_trained: bool


def new_weights(layer: Any, seen: set[int]) -> list[Weight]:
    """Return the weights of a layer that are not in ``seen``, and add them to it."""
    new = [weight for weight in getattr(layer, "weights", []) if id(weight) not in seen]
    if not new:
        return []
    seen.update(map(id, new))
    trained = {id(weight) for weight in layer.trainable_weights}
    learnt = trained | {id(weight) for weight in learnt_weights(layer)}
    return [_weight(weight, id(weight) in learnt, id(weight) in trained) for weight in new]


def _weight(weight: Any, is_parameter: bool, is_trained: bool) -> Weight:
    elements = math.prod(weight.shape)
    return Weight(elements, elements * item_size(weight.dtype), is_parameter, is_trained)


def counted(weights: Iterable[Weight]) -> dict[str, int]:
    """Return the counts of some weights, by the names of a cost's fields."""
    rows = list(weights)
    return {
        "params": sum(one.elements for one in rows if one.is_parameter),
        "trainable_params": sum(one.elements for one in rows if one.is_trained),
        "statistics": sum(one.elements for one in rows if not one.is_parameter),
        "weight_bytes": sum(one.bytes for one in rows),
    }


def parameters_of(model: Any) -> tuple[int, int]:
    """Return the parameters of a model, and its weights that are none: statistics."""
    counts = counted(new_weights(model, set()))
    return counts["params"], counts["statistics"]


def on_statistics(counts: Sequence[tuple[str, int, int]]) -> list[str]:
    """Return a line about the weights that are no parameters, or none if there are no such weights.

    Args:
        counts: for each model its name (empty if there is only one), its parameters and its other
            weights.
    """
    keras_counts = [
        f"{params + statistics:,}{f' of {name}' if name else ''}"
        for name, params, statistics in counts
        if statistics
    ]
    if not keras_counts:
        return []
    what = f"{counts[0][2]:,} weights" if len(counts) == 1 else "Weights"
    what += " that are not learnt (statistics of normalisations, for example) are not parameters"
    return [f"{what}; Keras' count_params() includes them: {', '.join(keras_counts)}."]


def item_size(dtype: Any) -> int:
    """Return the bytes per element: 4 for float32, 2 for bfloat16, 1 for bool, 0 for strings."""
    bits = re.search(r"[0-9]+", str(dtype))
    return int(bits.group()) // 8 if bits else int("bool" in str(dtype))
