"""The number and the size of the parameters of layers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any


def new_parameters(layer: Any, seen: set[int]) -> Iterator[tuple[int, Any]]:
    """Yield the weights of a layer that are not in ``seen``, with sizes; add them to ``seen``."""
    for weight in getattr(layer, "weights", []):
        if id(weight) not in seen:
            seen.add(id(weight))
            yield math.prod(weight.shape), weight


def item_size(dtype: Any) -> int:
    """Return the bytes per element: 4 for float32, 2 for bfloat16, 1 for bool, 0 for strings."""
    bits = re.search(r"[0-9]+", str(dtype))
    return int(bits.group()) // 8 if bits else int("bool" in str(dtype))
