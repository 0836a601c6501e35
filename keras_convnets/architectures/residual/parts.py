"""The parts of a residual network: its stem, its stages and its final activation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keras_convnets import checks, units
from keras_convnets.architectures.residual.ends import Block, needs_activation
from keras_convnets.architectures.residual.shortcuts import Strides
from keras_convnets.units import TORCH, Part, Style, Unit


def find_block(block_fn: Any, blocks: Mapping[str, Block]) -> Block:
    """Return the block function with the given name, or the given block function itself."""
    if callable(block_fn):
        return block_fn
    return blocks[checks.choice("block_fn", block_fn, blocks)]


def residual_parts(
    stem: Unit,
    block: Block,
    repetitions: Sequence[int],
    filters: int = 64,
    style: Style = TORCH,
    strides_last: bool = False,
) -> Iterator[Part]:
    """Yield the parts of a residual network: ``conv1``, ``conv2_block1`` and so on, ``final``.

    Block functions are called while the network is built, so that layers they create have its data
    format.

    Args:
        stem: the unit before the stages.
        block: the block function. It is called with ``filters`` and ``init_strides``, and with
            ``is_first_block_of_first_layer`` and ``style`` if it accepts them.
        repetitions: the number of blocks of each stage.
        filters: the number of filters of the first stage; it doubles from stage to stage.
        style: the style of the final normalisation and of blocks without a style of their own.
        strides_last: whether the last block of a stage has the stride, not the first of the next.
    """
    counts = checks.repetitions(repetitions)
    make = _native(block, style)
    yield "conv1", stem
    unit = stem
    for stage, count in enumerate(counts):
        if strides_last:
            strided = count - 1 if stage < len(counts) - 1 else None
        else:
            strided = 0 if stage > 0 else None
        for index in range(count):
            strides = (2, 2) if index == strided else (1, 1)
            unit = make(filters * 2**stage, strides, stage == index == 0)
            yield f"conv{stage + 2}_block{index + 1}", unit
    if needs_activation(unit):
        yield "final", units.bn_relu(style)


def _native(block: Block, style: Style) -> Callable[[int, Strides, bool], Unit]:
    """Return a wrapper that calls the block function with the keyword arguments it accepts."""
    parameters = inspect.signature(block).parameters
    takes_any = any(p.kind == inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    takes_first = takes_any or "is_first_block_of_first_layer" in parameters
    fixed = {"style": style} if _leaves_style_open(block) else {}

    def make(filters: int, strides: Strides, is_first: bool) -> Unit:
        first = {"is_first_block_of_first_layer": is_first} if takes_first else {}
        given = {"filters": filters, "init_strides": strides, **first, **fixed}
        _check_takes(block, given)
        return block(**given)

    return make


def _check_takes(block: Block, given: Mapping[str, Any]) -> None:
    """Reject what cannot be called as a block: a unit, or a function with other arguments."""
    try:
        inspect.signature(block).bind(**given)
    except TypeError as error:
        raise ValueError(
            f"block_fn: received {block!r}, which cannot be called with {', '.join(given)} "
            f"({error}); expected a function of arguments named filters and init_strides, and "
            "is_first_block_of_first_layer if it takes it, which returns a function of a tensor. "
            "Pass the block function itself: basic_block_v1, not basic_block_v1(64)."
        ) from error


def _leaves_style_open(block: Any) -> bool:
    """Return whether a block has a ``style`` argument that ``functools.partial`` has not set.

    An argument with this name that is not a [`Style`][keras_convnets.Style] is unrelated.
    """
    style = inspect.signature(block).parameters.get("style")
    if style is None or not isinstance(style.default, Style):
        return False
    while isinstance(block, functools.partial) or hasattr(block, "__wrapped__"):
        if isinstance(block, functools.partial):
            if "style" in block.keywords:
                return False
            block = block.func
        else:
            block = block.__wrapped__
    return True
