"""The layers of keras.applications' networks in the order of their files, as layers of ours.

Its published files are loaded by that order, for their names are those of an older version.

A row has the layers of a block in that order. After ``=`` is the name there of a layer of ours;
after ``:`` its number among the layers that Keras numbers, from the first in the block: 5 in
``conv2d_5`` and ``batch_normalization_5``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Pair(NamedTuple):
    """A layer: its name in our network, and in keras.applications."""

    ours: str
    theirs: str


class Application(NamedTuple):
    """A network of keras.applications.

    Attributes:
        pairs: yields its layers.
        blocks: the blocks of each stage.
        arrays: the number of arrays in a file without the top.
        values: the number of values in them, without the kernel of the first convolution.
        bgr: whether the channels of its images are blue, green, red.
    """

    pairs: Callable[[tuple[int, ...]], Iterator[Pair]]
    blocks: tuple[int, ...]
    arrays: int
    values: int
    bgr: bool = False


def order(network: str) -> tuple[Pair, ...]:
    """Return the layers of a network that have weights, in the order of its files.

    Examples:
        >>> order("resnet_v1_50_keras")[2]
        Pair(ours='conv2_block1_conv1', theirs='conv2_block1_1_conv')
    """
    known = APPLICATIONS[network]
    return _order(known.pairs, known.blocks)


@functools.cache
def _order(
    pairs: Callable[[tuple[int, ...]], Iterator[Pair]], blocks: tuple[int, ...]
) -> tuple[Pair, ...]:
    return tuple(pairs(blocks))


def is_normalisation(ours: str) -> bool:
    """Return whether a layer of ours is a batch normalisation, by its name."""
    return re.search(r"bn[0-9]*$", ours) is not None


def _row(row: str, ours: str = "", theirs: str = "") -> Iterator[Pair]:
    for one, _, other in (item.partition("=") for item in row.split()):
        yield Pair(ours + one, theirs + other)


# --- ResNet and DenseNet.

V1 = (
    "conv1=1_conv bn1=1_bn conv2=2_conv bn2=2_bn shortcut_conv=0_conv conv3=3_conv "
    "shortcut_bn=0_bn bn3=3_bn"
)
V2 = "bn1=preact_bn conv1=1_conv bn2=1_bn conv2=2_conv bn3=2_bn shortcut_conv=0_conv conv3=3_conv"
DENSE = "bn1=0_bn conv1=1_conv bn2=1_bn conv2=2_conv"
TOP = "head_dense=predictions"


def _residual(row: str, blocks: tuple[int, ...]) -> Iterator[Pair]:
    """Yield the layers of residual blocks, of which the first of a stage has a projection."""
    for stage, count in enumerate(blocks, start=2):
        for block in range(1, count + 1):
            name = f"conv{stage}_block{block}_"
            for pair in _row(row, name, name):
                if block == 1 or "shortcut" not in pair.ours:
                    yield pair


def _resnet_v1(blocks: tuple[int, ...]) -> Iterator[Pair]:
    yield from _row("conv1_conv=conv1_conv conv1_bn=conv1_bn")
    yield from _residual(V1, blocks)
    yield from _row(TOP)


def _resnet_v2(blocks: tuple[int, ...]) -> Iterator[Pair]:
    yield from _row("conv1_conv=conv1_conv")
    yield from _residual(V2, blocks)
    yield from _row(f"final_bn=post_bn {TOP}")


def _densenet(blocks: tuple[int, ...]) -> Iterator[Pair]:
    yield from _row("conv1_conv=conv1_conv conv1_bn=conv1_bn")
    for stage, count in enumerate(blocks, start=1):
        if stage > 1:
            yield from _row("bn=bn conv=conv", f"transition{stage - 1}_", f"pool{stage}_")
        for block in range(1, count + 1):
            yield from _row(DENSE, f"dense{stage}_block{block}_", f"conv{stage + 1}_block{block}_")
    yield from _row(f"final_bn=bn {TOP}")


# --- VGG.


def _vgg(blocks: tuple[int, ...]) -> Iterator[Pair]:
    for stage, count in enumerate(blocks, start=1):
        for n in range(1, count + 1):
            yield Pair(f"conv{stage}_conv{'' if n == 1 else n}", f"block{stage}_conv{n}")
    yield from _row("head_dense=fc1 head_dense2=fc2 head_dense3=predictions")


# --- Inception.

STEM = (
    "conv1_conv:0 conv1_bn:0 conv2_conv:1 conv2_bn:1 conv2_conv2:2 conv2_bn2:2 conv3_conv:3 "
    "conv3_bn:3 conv4_conv:4 conv4_bn:4"
)
WITH_5X5 = (
    "branch3x3dbl_conv:3 branch3x3dbl_bn:3 branch5x5_conv:1 branch3x3dbl_conv2:4 branch5x5_bn:1 "
    "branch3x3dbl_bn2:4 branch1x1_conv:0 branch5x5_conv2:2 branch3x3dbl_conv3:5 branch_pool_conv:6 "
    "branch1x1_bn:0 branch5x5_bn2:2 branch3x3dbl_bn3:5 branch_pool_bn:6"
)
WITH_7X7 = (
    "branch7x7dbl_conv:4 branch7x7dbl_bn:4 branch7x7dbl_conv2:5 branch7x7dbl_bn2:5 "
    "branch7x7_conv:1 branch7x7dbl_conv3:6 branch7x7_bn:1 branch7x7dbl_bn3:6 "
    "branch7x7_conv2:2 branch7x7dbl_conv4:7 branch7x7_bn2:2 branch7x7dbl_bn4:7 "
    "branch1x1_conv:0 branch7x7_conv3:3 branch7x7dbl_conv5:8 branch_pool_conv:9 "
    "branch1x1_bn:0 branch7x7_bn3:3 branch7x7dbl_bn5:8 branch_pool_bn:9"
)
WITH_SPLITS = (
    "branch3x3dbl_conv:4 branch3x3dbl_bn:4 branch3x3_conv:1 branch3x3dbl_conv2:5 branch3x3_bn:1 "
    "branch3x3dbl_bn2:5 branch3x3_split1x3_conv:2 branch3x3_split3x1_conv:3 "
    "branch3x3dbl_split1x3_conv:6 branch3x3dbl_split3x1_conv:7 branch1x1_conv:0 "
    "branch3x3_split1x3_bn:2 branch3x3_split3x1_bn:3 branch3x3dbl_split1x3_bn:6 "
    "branch3x3dbl_split3x1_bn:7 branch_pool_conv:8 branch1x1_bn:0 branch_pool_bn:8"
)
REDUCTION_6 = (
    "branch3x3dbl_conv:1 branch3x3dbl_bn:1 branch3x3dbl_conv2:2 branch3x3dbl_bn2:2 "
    "branch3x3_conv:0 branch3x3dbl_conv3:3 branch3x3_bn:0 branch3x3dbl_bn3:3"
)
REDUCTION_7 = (
    "branch7x7x3_conv:2 branch7x7x3_bn:2 branch7x7x3_conv2:3 branch7x7x3_bn2:3 branch3x3_conv:0 "
    "branch7x7x3_conv3:4 branch3x3_bn:0 branch7x7x3_bn3:4 branch3x3_conv2:1 branch7x7x3_conv4:5 "
    "branch3x3_bn2:1 branch7x7x3_bn4:5"
)
BLOCK_35 = (
    "branch3x3dbl_conv:3 branch3x3dbl_bn:3 branch3x3_conv:1 branch3x3dbl_conv2:4 branch3x3_bn:1 "
    "branch3x3dbl_bn2:4 branch1x1_conv:0 branch3x3_conv2:2 branch3x3dbl_conv3:5 branch1x1_bn:0 "
    "branch3x3_bn2:2 branch3x3dbl_bn3:5 conv1=block35_{n}_conv"
)
BLOCK_17 = (
    "branch7x7_conv:1 branch7x7_bn:1 branch7x7_conv2:2 branch7x7_bn2:2 branch1x1_conv:0 "
    "branch7x7_conv3:3 branch1x1_bn:0 branch7x7_bn3:3 conv1=block17_{n}_conv"
)
BLOCK_8 = BLOCK_17.replace("7x7", "3x3").replace("block17", "block8")
REDUCTION_7_OF_RESNET = (
    "branch3x3dbl_conv:4 branch3x3dbl_bn:4 branch3x3a_conv:0 branch3x3b_conv:2 "
    "branch3x3dbl_conv2:5 branch3x3a_bn:0 branch3x3b_bn:2 branch3x3dbl_bn2:5 branch3x3a_conv2:1 "
    "branch3x3b_conv2:3 branch3x3dbl_conv3:6 branch3x3a_bn2:1 branch3x3b_bn2:3 branch3x3dbl_bn3:6"
)
NUMBERED = {"conv": "conv2d", "bn": "batch_normalization"}

Rows = Iterator[tuple[str, str]]


def _inception_v3(blocks: tuple[int, ...]) -> Iterator[Pair]:
    yield from _numbered(
        ("", STEM),
        *_stage(5, blocks[0], WITH_5X5),
        ("reduction6_", REDUCTION_6),
        *_stage(6, blocks[1], WITH_7X7),
        ("reduction7_", REDUCTION_7),
        *_stage(7, blocks[2], WITH_SPLITS),
    )
    yield from _row(TOP)


def _inception_resnet(blocks: tuple[int, ...]) -> Iterator[Pair]:
    yield from _numbered(
        ("", STEM),
        ("mixed5_", WITH_5X5),
        *_stage(5, blocks[0], BLOCK_35),
        ("reduction6_", REDUCTION_6),
        *_stage(6, blocks[1], BLOCK_17),
        ("reduction7_", REDUCTION_7_OF_RESNET),
        *_stage(7, blocks[2], BLOCK_8),
    )
    yield from _row(f"final_conv=conv_7b final_bn=conv_7b_bn {TOP}")


def _stage(stage: int, count: int, row: str) -> Rows:
    for n in range(1, count + 1):
        yield f"inception{stage}_block{n}_", row.format(n=n)


def _numbered(*rows: tuple[str, str]) -> Iterator[Pair]:
    first = 0
    for prefix, row in rows:
        items = [item.partition(":") for item in row.split()]
        for name, _, number in items:
            if not number:
                yield from _row(name, prefix)
                continue
            kind = NUMBERED["bn" if is_normalisation(name) else "conv"]
            n = first + int(number)
            yield Pair(prefix + name, f"{kind}_{n}" if n else kind)
        first += 1 + max(int(number) for _, _, number in items if number)


APPLICATIONS = {
    "resnet_v1_50_keras": Application(_resnet_v1, (3, 4, 6, 3), 318, 23_578_304, bgr=True),
    "resnet_v1_101_keras": Application(_resnet_v1, (3, 4, 23, 3), 624, 42_648_768, bgr=True),
    "resnet_v1_152_keras": Application(_resnet_v1, (3, 8, 36, 3), 930, 58_361_536, bgr=True),
    "resnet_v2_50_keras": Application(_resnet_v2, (3, 4, 6, 3), 270, 23_555_392),
    "resnet_v2_101_keras": Application(_resnet_v2, (3, 4, 23, 3), 542, 42_617_152),
    "resnet_v2_152_keras": Application(_resnet_v2, (3, 8, 36, 3), 814, 58_322_240),
    "densenet_121_keras": Application(_densenet, (6, 12, 24, 16), 604, 7_028_096),
    "densenet_169_keras": Application(_densenet, (6, 12, 32, 32), 844, 12_633_472),
    "densenet_201_keras": Application(_densenet, (6, 12, 48, 32), 1004, 18_312_576),
    "vgg_16": Application(_vgg, (2, 2, 3, 3, 3), 26, 14_712_960, bgr=True),
    "vgg_19": Application(_vgg, (2, 2, 4, 4, 4), 32, 20_022_656, bgr=True),
    "inception_v3_keras": Application(_inception_v3, (3, 4, 2), 376, 21_801_920),
    "inception_resnet_v2": Application(_inception_resnet, (10, 20, 10), 896, 54_335_872),
}
