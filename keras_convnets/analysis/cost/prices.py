"""The cost of each call as shown in figures: parameters and multiply-adds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from keras_convnets.analysis.cost import rules
from keras_convnets.analysis.cost.parameters import counted, new_weights
from keras_convnets.graph.calls import Call


@dataclasses.dataclass(frozen=True)
class Price:
    """The cost of a part of the graph: parameters, and multiply-adds if they are known.

    ``is_bound`` is whether a layer without a rule is missing, so that the multiply-adds are a lower
    bound.
    """

    params: int = 0
    macs: int | None = 0
    is_bound: bool = False

    def __add__(self, other: Price) -> Price:
        known = self.macs is not None and other.macs is not None
        macs = (self.macs or 0) + (other.macs or 0) if known else None
        return Price(self.params + other.params, macs, self.is_bound or other.is_bound)


def prices(calls: Sequence[Call]) -> list[Price]:
    """Return the cost of each call. Shared parameters are counted for the first call only."""
    seen: set[int] = set()
    return [_price(call, seen) for call in calls]


def _repeated(price: Price, times: int | None) -> Price:
    """Return the cost of what is computed several times with the same parameters."""
    known = price.macs is not None and times is not None
    macs = (price.macs or 0) * (times or 0) if known else None
    return dataclasses.replace(price, macs=macs)


def _price(call: Call, seen: set[int]) -> Price:
    params = counted(new_weights(call.layer, seen))["params"]
    tensors = (*call.inputs, *call.outputs)
    if any(None in tensor.shape for tensor in tensors):
        return Price(params, None)
    if call.within:
        inner = sum((_price(one, seen) for one in call.within), Price())
        return Price(params) + _repeated(inner, call.times)
    macs = rules.multiply_adds(call)
    return Price(params, macs or 0, is_bound=macs is None)
