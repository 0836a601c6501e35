"""Which layers are in a head: they depend on the number of classes."""

from __future__ import annotations

import re

from keras_convnets import naming


def is_head(layer: str) -> bool:
    """Return whether a layer is in the head, or in an auxiliary one.

    Examples:
        >>> is_head("head_dense3"), is_head("aux1_conv"), is_head("conv1_conv")
        (True, True, False)
    """
    return head_of(layer) is not None


def head_of(layer: str) -> str | None:
    """Return the head that a layer is in: ``head``, ``aux1``; ``None`` if it is in none."""
    parsed = naming.parse(layer)
    return parsed.stage if parsed and re.fullmatch("head|aux[0-9]+", parsed.stage) else None
