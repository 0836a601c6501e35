"""The residual blocks of a model: additions of a branch to a shortcut, found in the graph."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_convnets.explaining.forward import Place, place_of
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import KERNELS, LayerType
from keras_convnets.graph.stages import Placed, placed_layers
from keras_convnets.graph.topology import ancestors, trunk
from keras_convnets.graph.walk import output_tensors

_MOST_OF_A_SHORTCUT = 1  # convolutions: a projection
_SUMS = ("+", "+ scaled")


@dataclasses.dataclass(frozen=True)
class ResidualBlock:
    """A residual block, ``F(x) + x``.

    Attributes:
        name: the name of the block, or of its addition if several blocks have this name.
        stage: the name of its stage.
        place: the place of the addition in the model.
        branch: which input of the addition is the residual branch, ``F(x)``.
        shortcut: which one is the shortcut, ``x``.
    """

    name: str
    stage: str
    place: Place
    branch: int
    shortcut: int


def residual_blocks(model: Any) -> list[ResidualBlock]:
    """Return the residual blocks that all paths of a model pass through, in order.

    A block is an addition on the way of all paths, of two branches that begin at one tensor: one is
    an identity or has at most one convolution, and the other one has more. Additions within a
    branch are no blocks of their own.

    Raises:
        ValueError: there are none, as in a plain network.
    """
    inside = main_calls(model)
    calls = [one.call for one in inside]
    inputs = [call for call in ancestors(calls) if call.is_input]
    merges = {
        merge: sides
        for before, merge in itertools.pairwise(trunk([*inputs, *calls]))
        if (sides := _branch_and_shortcut(before, merge)) is not None
    }
    names = Counter(one.block for one in inside if one.call in merges)
    found = []
    for one in inside:
        if one.call in merges:
            name = one.block if names[one.block] == 1 else one.name
            found.append(ResidualBlock(name, one.stage, place_of(one.call), *merges[one.call]))
    if not found:
        raise ValueError(
            f"model: received {model.name!r}, which has no residual blocks: no addition of a "
            "branch to a shortcut that all paths pass; expected a residual network. Pass one, "
            "such as create_model('resnet_18')."
        )
    return found


def main_calls(model: Any) -> list[Placed]:
    """Return the uses of layers on the way to the first output of a model, without the inputs."""
    end = output_tensors(model)[0].source
    main = {place_of(call) for call in ancestors([end]) if not call.is_input}
    return [one for one in placed_layers(model) if place_of(one.call) in main]


def _branch_and_shortcut(before: Call, merge: Call) -> tuple[int, int] | None:
    """Return which inputs of a call are a residual branch and its shortcut, if they are.

    ``before`` is the call before the merge that all paths pass.
    """
    if merge.type is not LayerType.ADDITION or len(merge.parents) != 2:
        return None
    if merge.description.text not in _SUMS or merge.parents[0] is merge.parents[1]:
        return None
    known = ancestors([before])
    branches = [list(ancestors([parent]) - known) for parent in merge.parents]
    if set(branches[0]) & set(branches[1]):
        return None
    weights = [_weight(branch) for branch in branches]
    shortcut = weights.index(min(weights))
    is_residual = weights[shortcut] < weights[1 - shortcut]
    is_light = weights[shortcut][0] <= _MOST_OF_A_SHORTCUT <= weights[1 - shortcut][0]
    return (1 - shortcut, shortcut) if is_residual and is_light else None


def _weight(branch: Sequence[Call]) -> tuple[int, int]:
    return sum(call.type in KERNELS for call in branch), len(branch)
