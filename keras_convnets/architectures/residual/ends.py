"""Declarations of how a residual block ends, which determine how its network ends."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import ParamSpec

from keras_convnets.units import Tensor, Unit

Block = Callable[..., Unit]
P = ParamSpec("P")


def ends_in_addition(block: Callable[P, Unit]) -> Callable[P, Unit]:
    """Declare that a residual block ends in its addition: a decorator for block functions.

    The residual builders add batch normalisation and ReLU at the end of a network whose last block
    ends in its addition, like pre-activation blocks. The declaration is attached to the unit that
    the block function returns, so it also applies to ``functools.partial`` objects and to functions
    that call the block.

    A block without a declaration is assumed to end like the builder's own blocks. For
    [`ResnetBuilder`][keras_convnets.ResnetBuilder] and
    [`ResnetV2Builder`][keras_convnets.ResnetV2Builder] this is the addition, so their networks end
    in batch normalisation and ReLU, as in the Keras 2 builder. For
    [`ResnetV1Builder`][keras_convnets.ResnetV1Builder] and
    [`CifarResnetBuilder`][keras_convnets.CifarResnetBuilder] it is an activation.

    Args:
        block: the block function. It keeps its name, docstring and arguments.

    Returns:
        The same block function, whose units have the declaration. A unit that already has one
        keeps it.

    Examples:
        >>> from keras_convnets import CifarResnetBuilder, bn_relu_conv, ends_in_addition, shortcut
        >>> @ends_in_addition
        ... def my_block(filters, init_strides):
        ...     branch = bn_relu_conv(filters, 3, init_strides)
        ...     return lambda x: shortcut(x, branch(x), init_strides)
        >>> model = CifarResnetBuilder.build((3, 32, 32), 10, my_block, (1, 1, 1))
        >>> [layer.name for layer in model.layers[-4:]]
        ['final_bn', 'final_relu', 'head_pool', 'head_dense']
    """
    return _declaring(block, in_addition=True)


def ends_in_activation(block: Callable[P, Unit]) -> Callable[P, Unit]:
    """Declare that a residual block ends in an activation: a decorator for block functions.

    No builder adds batch normalisation and ReLU after such a block. See
    [`ends_in_addition`][keras_convnets.ends_in_addition].

    Examples:
        >>> from keras_convnets import ResnetBuilder, conv_bn_relu, ends_in_activation
        >>> @ends_in_activation
        ... def plain(filters, init_strides):
        ...     return conv_bn_relu(filters, 3, init_strides)
        >>> model = ResnetBuilder.build((3, 32, 32), 10, plain, (1, 1))
        >>> [layer.name for layer in model.layers[-3:]]
        ['conv3_block1_relu1', 'head_pool', 'head_dense']
    """
    return _declaring(block, in_addition=False)


def needs_activation(unit: Unit) -> bool:
    """Return whether batch normalisation and ReLU must follow a unit from a block function."""
    return isinstance(unit, _Declared) and unit.in_addition


@dataclasses.dataclass(frozen=True)
class _Declared:
    """A unit with a declaration of how it ends."""

    unit: Unit
    in_addition: bool

    def __call__(self, x: Tensor) -> Tensor:
        return self.unit(x)


def _declaring(block: Callable[P, Unit], in_addition: bool) -> Callable[P, Unit]:
    @functools.wraps(block)
    def declaring(*args: P.args, **kwargs: P.kwargs) -> Unit:
        unit = block(*args, **kwargs)
        # A result that is not callable is passed on: assemble rejects it and names the group.
        if isinstance(unit, _Declared) or not callable(unit):
            return unit
        return _Declared(unit, in_addition)

    return declaring
