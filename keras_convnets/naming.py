"""Layer names. This module defines the scheme ``<group>_<kind><n>``, which is public API.

A *group* is a stage, or a block of a stage that has blocks: ``conv1``, ``conv3_block1``, ``head``.
A *kind* is the type of the layer: ``conv``, ``bn``. Off the main branch it is prefixed with the
name of the branch: ``shortcut_conv``. ``n`` counts the layers of a kind within their group. On the
main branch of a block, convolutions, normalisations and activations are numbered from 1
(``conv3_block1_conv1``). All other layers are numbered from the second one (``head_dense``,
``head_dense2``).
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import re
from collections.abc import Iterator
from contextvars import ContextVar

_STAGE_AND_BLOCK = r"(?P<stage>[a-z]+[0-9]*)(?:_(?P<block>block[0-9]+))?"
_GROUP = re.compile(_STAGE_AND_BLOCK)
_NAME = re.compile(_STAGE_AND_BLOCK + r"_(?P<kind>[A-Za-z](?:\w*[A-Za-z])?)(?P<number>[0-9]*)")
_COUNTED_FROM_ONE = {"conv", "bn", "relu"}


@dataclasses.dataclass(frozen=True)
class LayerName:
    """A layer name, split into its components."""

    stage: str
    block: str | None
    kind: str
    number: int | None

    @property
    def group(self) -> str:
        """The stage, with the block if there is one: ``conv3_block1``."""
        return f"{self.stage}_{self.block}" if self.block else self.stage


def parse(name: str) -> LayerName | None:
    """Split a layer name into its components; return ``None`` if it does not follow the scheme.

    Examples:
        >>> parse("conv3_block1_shortcut_conv").group
        'conv3_block1'
        >>> parse("conv3_block1_conv2")
        LayerName(stage='conv3', block='block1', kind='conv', number=2)
        >>> parse("dense") is None
        True
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    stage, block, kind, number = match.group("stage", "block", "kind", "number")
    return LayerName(stage, block, kind, int(number) if number else None)


@dataclasses.dataclass(frozen=True)
class Scope:
    """The prefix of the names given within a `scope`; its branches share its names and counts."""

    prefix: str
    issued: set[str] = dataclasses.field(default_factory=set)
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def issue(self, kind: str) -> str:
        """Return the next free name for a layer of ``kind``."""
        stem = f"{self.prefix}_{kind}"
        group = _GROUP.fullmatch(self.prefix)
        in_block = group is not None and group["block"] is not None
        while True:
            self.counts[stem] += 1
            count = self.counts[stem]
            bare = count == 1 and not (in_block and kind in _COUNTED_FROM_ONE)
            name = stem if bare else f"{stem}{count}"
            if name not in self.issued:
                self.issued.add(name)
                return name


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextlib.contextmanager
def scope(name: str) -> Iterator[Scope]:
    """Prefix the names of layers created in the context with a group, or a branch of a group.

    Examples:
        >>> with scope("conv3_block1"):
        ...     with scope("shortcut"):
        ...         layer_name("conv")
        'conv3_block1_shortcut_conv'
    """
    outer = _scope.get()
    inner = dataclasses.replace(outer, prefix=f"{outer.prefix}_{name}") if outer else Scope(name)
    token = _scope.set(inner)
    try:
        yield inner
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Clear the current scope, so that a model built inside a block has its own layer names.

    Examples:
        >>> with scope("conv3_block1"), outside(), scope("conv1"):
        ...     layer_name("conv")
        'conv1_conv'
    """
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def on_branch(name: str) -> Iterator[None]:
    """Name layers created in the context after a branch; outside any scope, Keras names them.

    Examples:
        >>> with scope("conv3_block1"), on_branch("shortcut"):
        ...     layer_name("conv")
        'conv3_block1_shortcut_conv'
        >>> with on_branch("shortcut"):
        ...     print(layer_name("conv"))
        None
    """
    with scope(name) if _scope.get() else contextlib.nullcontext():
        yield


def layer_name(kind: str) -> str | None:
    """Return the next name for a layer of ``kind``; ``None`` (Keras' choice) outside any scope."""
    current = _scope.get()
    return current.issue(kind) if current else None


def is_group(name: str) -> bool:
    """Return whether ``name`` can name a group: ``conv1``, ``conv3_block1``, ``head``."""
    return _GROUP.fullmatch(name) is not None


def kind_of(name: str) -> str:
    """Return the kind in a name from outside this module: ``conv2d`` for ``conv2d_17``.

    Examples:
        >>> kind_of("batch_normalization_3")
        'batch_normalization'
        >>> kind_of("conv3_block1_gate")
        'gate'
    """
    ours = parse(name)
    kind = ours.kind if ours and ours.block else re.sub(r"_?[0-9]+$", "", name)
    return re.sub(r"^[^A-Za-z]+|[^A-Za-z]+$", "", re.sub(r"\W", "_", kind)) or "layer"
