"""The parameters of layers: how many, and of how many bytes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any


def new_parameters(layer: Any, seen: set[int]) -> Iterator[tuple[int, Any]]:
    """Yield the weights of a layer with their sizes, but for those in ``seen``; add them there."""
    for weight in getattr(layer, "weights", []):
        if id(weight) not in seen:
            seen.add(id(weight))
            yield math.prod(weight.shape), weight


def item_size(dtype: Any) -> int:
    """Return the bytes of one element: 4 of float32, 2 of bfloat16, 1 of bool; 0 of a string."""
    bits = re.search(r"[0-9]+", str(dtype))
    return int(bits.group()) // 8 if bits else int("bool" in str(dtype))
