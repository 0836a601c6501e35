"""What the residual families share: the grammar of stages, their stems and their shortcuts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keras_convnets import axes, checks, units
from keras_convnets.naming import on_branch
from keras_convnets.units import CLASSIC, TORCH, Part, Style, Tensor, Unit, chain

Block = Callable[..., Unit]
Strides = tuple[int, int]

IMAGENET_FILTERS = (64, 128, 256, 512)


def find_block(block_fn: Any, blocks: Mapping[str, Block], style: Style | None = None) -> Block:
    """Return the block of that name, made in ``style``, or the block function itself."""
    if callable(block_fn):
        return block_fn
    checks.choice("block_fn", block_fn, blocks)
    block = blocks[block_fn]
    return block if style is None else functools.partial(block, style=style)


def stages(
    block: Block, repetitions: Sequence[int], filters: Sequence[int] | None = None
) -> Iterator[Part]:
    """Yield the blocks of all stages, named ``conv2_block1`` and on.

    Every stage but the first begins with stride 2. Filters are 64 in the first stage and double
    from stage to stage, unless they are given.
    """
    for stage, blocks in enumerate(checks.repetitions(repetitions)):
        for index in range(blocks):
            yield (
                f"conv{stage + 2}_block{index + 1}",
                block(
                    filters=filters[stage] if filters else 64 * 2**stage,
                    init_strides=(2, 2) if stage > 0 and index == 0 else (1, 1),
                    is_first_block_of_first_layer=stage == 0 and index == 0,
                ),
            )


def imagenet_stem(style: Style = CLASSIC, filters: int = 64) -> Unit:
    """Return the stem for large images: 7x7/2 convolution, BN, ReLU, 3x3/2 max-pooling."""
    return chain(
        units.conv_bn_relu(filters, 7, 2, style=style),
        units.max_pool(3, 2, padding=style.padding),
    )


def imagenet_parts(
    block: Block, repetitions: Sequence[int], style: Style = TORCH
) -> Iterator[Part]:
    """Yield the parts of a network for large images: stem and stages.

    Blocks are made while the network is built, so that what they make has its data format.
    """
    yield "conv1", imagenet_stem(style)
    yield from stages(block, repetitions)


def cifar_parts(block: Block, repetitions: Sequence[int], width_factor: int = 1) -> Iterator[Part]:
    """Yield the parts of a network for small images: a 3x3 convolution, and stages from 16 on."""
    counts = checks.repetitions(repetitions)
    filters = [16 * width_factor * 2**stage for stage in range(len(counts))]
    yield "conv1", units.conv_bn_relu(16, 3, style=TORCH)
    yield from stages(block, counts, filters)


def differs(x: Tensor, residual: Tensor, strides: Strides) -> bool:
    """Return whether a block's input must be changed before it can be added to its residual."""
    return tuple(strides) != (1, 1) or axes.channels(x) != axes.channels(residual)


def shortcut_a(x: Tensor, residual: Tensor, strides: Strides, style: Style = CLASSIC) -> Tensor:
    """Return the sum of a residual and an identity without parameters (He et al. 2015, option A).

    Where shapes differ, the input is taken at every second pixel and has channels of zeros
    behind its own.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
        style: not needed here; the shortcuts are called alike.
    """
    if differs(x, residual, strides):
        with on_branch("shortcut"):
            x = chain(subsample(strides), units.pad_channels(axes.channels(residual)))(x)
    return units.add(x, residual)


def shortcut_b(x: Tensor, residual: Tensor, strides: Strides, style: Style = CLASSIC) -> Tensor:
    """Return the sum of a residual and an identity, projected where shapes differ (option B).

    The projection is a 1x1 convolution with the strides of the residual branch, and batch
    normalisation.

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
        style: how the projection and its normalisation are made.
    """
    if differs(x, residual, strides):
        return shortcut_c(x, residual, strides, style)
    return units.add(x, residual)


def shortcut_c(x: Tensor, residual: Tensor, strides: Strides, style: Style = CLASSIC) -> Tensor:
    """Return the sum of a residual and a projection, whatever the shapes (option C).

    Args:
        x: the block's input.
        residual: the output of its residual branch.
        strides: the strides of the residual branch as a whole.
        style: how the projection and its normalisation are made.
    """
    with on_branch("shortcut"):
        x = units.conv_bn(axes.channels(residual), 1, strides, "valid", style=style)(x)
    return units.add(x, residual)


def subsample(strides: Strides) -> Unit:
    """Return the maps at every second pixel: the identity with strides."""
    strided = units.max_pool(1, strides, padding="valid")
    return lambda x: x if tuple(strides) == (1, 1) else strided(x)


SHORTCUTS = {"A": shortcut_a, "B": shortcut_b, "C": shortcut_c}


def find_shortcut(shortcut: str) -> Callable[..., Tensor]:
    """Return the shortcut of He et al.'s option ``"A"``, ``"B"`` or ``"C"``."""
    checks.choice("shortcut", shortcut, SHORTCUTS)
    return SHORTCUTS[shortcut]
