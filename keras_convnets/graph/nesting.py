"""Models within a model: to the model that holds it, a nested model is one call like any other."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_convnets import naming
from keras_convnets.graph.block_names import is_own
from keras_convnets.graph.calls import Call, Tensor
from keras_convnets.graph.functional import graph_of
from keras_convnets.graph.joining import MOST_LAYERS_OF_A_BLOCK
from keras_convnets.graph.topology import Piece, chains, pieces
from keras_convnets.keras_private import operation_of


class Level:
    """The calls of a model in which each use of a nested model is a single call.

    ``calls`` are copies, connected to each other. Their names are those within the model, without
    the enclosing models'. ``models`` are the calls that each use of a nested model consists of.
    """

    def __init__(self, calls: Sequence[Call], depth: int = 0) -> None:
        """Collapse ``calls``, which are all within the same ``depth`` models."""
        self.calls: list[Call] = []
        self.models: dict[Call, list[Call]] = {}
        self._original: dict[Call, Call] = {}
        self._known: dict[int, Tensor] = {}
        self._depth = depth
        if depth:
            self._add_inputs(calls)
        for node, run in itertools.groupby(calls, key=self._node_of):
            if node is None:
                for call in run:
                    self._original[self._copy(call)] = call
            else:
                self._collapse(node, list(run))

    def members(self, call: Call) -> list[Call]:
        """Return the calls that a copy represents; none for an input of a nested model."""
        original = self._original.get(call)
        return self.models.get(call, [original] if original else [])

    def _node_of(self, call: Call) -> Any:
        return call.enclosing[self._depth] if len(call.enclosing) > self._depth else None

    def _add_inputs(self, calls: Sequence[Call]) -> None:
        """Add an input for each tensor that the calls take from outside."""
        inside = set(calls)
        given = _distinct(tensor for call in calls for tensor in call.inputs)
        outside = [tensor for tensor in given if tensor.source not in inside]
        graph = graph_of(calls[0].enclosing[self._depth - 1].operation)
        for tensor, own in zip(outside, itertools.cycle(graph.inputs), strict=False):
            layer = operation_of(own)
            call = Call(layer.name, layer, (), (), tensor.source.data_format)
            self._add(call, [tensor])

    def _copy(self, call: Call) -> Call:
        own_name = call.name.split("/")[self._depth]
        inputs = tuple(self._known[id(tensor)] for tensor in call.inputs)
        copy = dataclasses.replace(call, name=own_name, inputs=inputs, outputs=())
        return self._add(copy, call.outputs)

    def _collapse(self, node: Any, calls: list[Call]) -> None:
        inside = set(calls)
        given = _distinct(tensor for call in calls for tensor in call.inputs)
        inputs = tuple(self._known[id(tensor)] for tensor in given if tensor.source not in inside)
        made = [tensor for call in reversed(calls) for tensor in call.outputs]
        model = node.operation
        call = Call(model.name, model, inputs, (), calls[0].data_format)
        self.models[self._add(call, made)] = calls

    def _add(self, call: Call, outputs: Sequence[Tensor]) -> Call:
        """Add a call with copies of the given outputs."""
        made = [dataclasses.replace(tensor, source=call) for tensor in outputs]
        call.returns(made)
        self._known.update(zip(map(id, outputs), made, strict=True))
        self.calls.append(call)
        return call


def _distinct(tensors: Iterator[Tensor]) -> list[Tensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())


def opened_models(level: Level, blocks: Mapping[Call, Sequence[str]]) -> set[Call]:
    """Return the nested models that show their own blocks, given the names of these.

    The others are part of a block of the outer model: a model that is a single block itself, one
    that is named after a block, and a small one on a branch, such as a residual function.
    """
    if not blocks:
        return set()
    several = {call for call, names in blocks.items() if len(names) > 1 and not _in_block(call)}
    for piece in pieces(level.calls):
        size = sum(len(level.members(call)) for call in piece.calls)
        if len(piece.calls) > 1 and not piece.takes_inputs and size <= MOST_LAYERS_OF_A_BLOCK:
            several -= {call for call in piece.calls if call in blocks and _is_plain(blocks[call])}
    return several


def _in_block(call: Call) -> bool:
    name = naming.parse(call.name)
    return name is not None and name.block is not None


def _is_plain(blocks: Sequence[str]) -> bool:
    return sum(map(is_own, blocks)) <= 2


def cut_at(pieces: Iterable[Piece], opened: set[Call]) -> Iterator[Piece]:
    """Yield the pieces of a graph, cut so that each opened model is a piece of its own."""
    for piece in pieces:
        if opened.isdisjoint(piece.calls):
            yield piece
            continue
        for is_model, run in itertools.groupby(piece.calls, opened.__contains__):
            calls = list(run)
            parts = [[call] for call in calls] if is_model else [calls]
            yield from (Piece(part, chains(part)) for part in parts)
