"""GoogLeNet, the first Inception network: its block, table, stem and auxiliary classifiers.

Szegedy et al., "Going Deeper with Convolutions" (2014, arXiv:1409.4842). Details that the paper
does not specify follow Caffe's ``bvlc_googlenet``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_convnets import axes, checks, units
from keras_convnets.architectures.inception.multibranch import auxiliary, blocks, concat_branches
from keras_convnets.padding import Pair
from keras_convnets.typed import explaining
from keras_convnets.units import Part, Style, Tensor, Unit, chain, heads
from keras_convnets.units.heads import Activation, Head

Row = tuple[int, Pair, Pair, int]

# Table 1 of the paper, with a line for each block from 3a to 5b.
GOOGLENET: tuple[tuple[Row, ...], ...] = (
    (
        (64, (96, 128), (16, 32), 32),
        (128, (128, 192), (32, 96), 64),
    ),
    (
        (192, (96, 208), (16, 48), 64),
        (160, (112, 224), (24, 64), 64),
        (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64),
        (256, (160, 320), (32, 128), 128),
    ),
    (
        (256, (160, 320), (32, 128), 128),
        (384, (192, 384), (48, 128), 128),
    ),
)

# Caffe divides its alpha of 1e-4 by the window of 5 channels, and its k is 1.
LRN = units.local_response_norm(5, alpha=2e-5, beta=0.75, bias=1.0)


@explaining
def inception(
    one: int,
    three: Pair,
    five: Pair,
    pool: int,
    style: Style | None = None,
    large_kernel: int = 5,
) -> Unit:
    """Return GoogLeNet's inception block, in the column order of the paper's table 1.

    It has four parallel branches: a 1x1 convolution; 1x1 and 3x3 convolutions; 1x1 and 5x5
    convolutions; 3x3 max-pooling and a 1x1 convolution. ReLU follows every convolution. The block
    preserves the size.

    Args:
        one: the channels of the 1x1 branch.
        three: the channels of the 1x1 and the 3x3 convolution of the second branch.
        five: the channels of the 1x1 and the 5x5 convolution of the third branch.
        pool: the channels of the 1x1 convolution after the pooling.
        style: the style of convolutions and batch normalisations; ``None`` for the paper's: biases,
            no batch normalisation.
        large_kernel: the size of the large kernel in the third branch; 3 in torchvision.

    Returns:
        A function of a tensor; its output has ``one + three[1] + five[1] + pool`` channels.

    Raises:
        ValueError: if the arguments are not the four columns of a row.

    Examples:
        >>> import keras
        >>> from keras_convnets import inception
        >>> inception(64, (96, 128), (16, 32), 32)(keras.Input((28, 28, 192))).shape
        (None, 28, 28, 256)
    """
    _check_row((one, three, five, pool))
    conv = _conv(style)
    return concat_branches(
        branch1x1=conv(one, 1),
        branch3x3=chain(conv(three[0], 1), conv(three[1], 3)),
        branch5x5=chain(conv(five[0], 1), conv(five[1], large_kernel)),
        branch_pool=chain(units.max_pool(3, strides=1), conv(pool, 1)),
    )


def stem(style: Style | None = None, norm: Unit | None = None) -> list[Part]:
    """Return GoogLeNet's stem, which divides the size by 8 and returns 192 channels.

    Args:
        style: the style of convolutions; ``None`` for biases and no batch normalisation.
        norm: the normalisation after the first pooling and before the second, if any.
    """
    conv, norms = _conv(style), [norm] if norm else []
    pool = units.caffe_max_pool(3, 2)
    padding = "symmetric" if style is None else style.padding
    return [
        ("conv1", chain(conv(64, 7, 2, padding), pool, *norms)),
        ("conv2", chain(conv(64, 1), conv(192, 3), *norms, pool)),
    ]


def stages(
    table: Sequence[Sequence[Any]],
    block: Callable[..., Unit] = inception,
    last_pool: int = 3,
    pool: Callable[[int, int], Unit] = units.caffe_max_pool,
) -> Iterator[Part]:
    """Yield the stages of a table: ``inception3_block1``, ..., with ``pool3``, ... between them.

    Args:
        table: the rows of each stage; functions of a tensor may replace rows.
        block: the block function, called with the columns of a row.
        last_pool: the window size of the last pooling; all others are 3x3.
        pool: a function that returns the pooling of a window size and strides.
    """
    numbers = range(3, 3 + len(table))
    for number, rows in zip(numbers, table, strict=True):
        yield from blocks(f"inception{number}", [_block(row, block) for row in rows])
        if number < numbers[-1]:
            window = last_pool if number == numbers[-2] else 3
            yield f"pool{number}", pool(window, 2)


def check_table(table: Any) -> None:
    """Reject tables that do not consist of stages of four-column rows or functions of a tensor."""
    if not _is_sequence(table) or not table or not all(map(_is_sequence, table)) or not all(table):
        raise ValueError(
            f"stages: received {table!r}; expected one or more stages, each a list of one or more "
            "rows. Pass rows such as (64, (96, 128), (16, 32), 32), in a list for each stage."
        )
    for rows in table:
        for row in rows:
            if not callable(row):
                _check_row(row)


def auxiliary_head(pool: Unit, style: Style | None = None) -> Head:
    """Return the head of an auxiliary classifier: pooling, 1x1 convolution, a hidden layer."""

    def head(num_outputs: int, activation: Activation) -> Unit:
        return chain(
            pool,
            _conv(style)(128, 1),
            heads.flatten(),
            heads.dense(1024),
            units.relu(),
            units.dropout(0.7),
            heads.outputs(num_outputs, activation),
        )

    return head


def auxiliary_pool(x: Tensor) -> Tensor:
    """Return the 5x5/3 average pooling of the paper's auxiliary classifiers, as in Caffe."""
    if None in axes.rows_and_cols(x):
        raise ValueError(
            "input_shape: received None for rows or columns; expected numbers, for the auxiliary "
            "classifiers have a weight for each unit. Pass rows and columns, or leave these "
            "classifiers out by include_auxiliary=False."
        )
    return auxiliary(units.caffe_avg_pool(5, strides=3))(x)


def _conv(style: Style | None) -> Callable[..., Unit]:
    if style is None:
        return units.conv_relu
    return functools.partial(units.conv_bn_relu, style=style)


def _block(row: Any, block: Callable[..., Unit]) -> Unit:
    return row if callable(row) else block(*row)


def _check_row(row: Any) -> None:
    try:
        one, three, five, pool = row
        counts = (one, *_two(three), *_two(five), pool)
        for count in counts:
            checks.positive_integer("row", count, "a number of channels")
    except (TypeError, ValueError):
        raise ValueError(
            f"row: received {row!r}; expected the columns of GoogLeNet's table, in channels: "
            "1x1, (1x1, 3x3), (1x1, 5x5), 1x1 after the pooling. Pass for example "
            "(64, (96, 128), (16, 32), 32)."
        ) from None


def _two(column: Any) -> Pair:
    first, second = column
    return first, second


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
