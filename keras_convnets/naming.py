"""Layer names. This module defines the scheme ``<group>_<kind><n>``, which is public API.

A *group* is a stage, or a block of a stage that has blocks: ``conv1``, ``conv3_block1``, ``head``.
A *kind* is the type of the layer: ``conv``, ``bn``. Off the main branch it is prefixed with the
name of the branch: ``shortcut_conv``. ``n`` counts the layers of a kind within their group. On the
main branch of a block, convolutions, normalisations and activations are numbered from 1
(``conv3_block1_conv1``). All other layers are numbered from the second one (``head_dense``,
``head_dense2``). The `scope` in which a network was built is a prefix of all its names, the input's
too: ``sar_conv1_conv``, ``sar_input_image``. The input tells that ``sar`` is a scope, not a stage.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import re
from collections.abc import Iterator
from contextvars import ContextVar

from keras_convnets.received import shown
from keras_convnets.typed import explaining

_STAGE_AND_BLOCK = r"(?P<stage>[a-z]+[0-9]*)(?:_(?P<block>block[0-9]+))?"
_GROUP = re.compile(_STAGE_AND_BLOCK)
_NAME = re.compile(_STAGE_AND_BLOCK + r"_(?P<kind>[A-Za-z](?:\w*[A-Za-z])?)(?P<number>[0-9]*)")
_COUNTED_FROM_ONE = {"conv", "bn", "relu"}
_INPUT = "input_image"


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


@explaining
def parse(name: str, scope: str = "") -> LayerName | None:
    """Split a layer name into its components; return ``None`` if it does not follow the scheme.

    Args:
        name: the layer name.
        scope: the `scope` in which the network was built. It is part of the stage's name.

    Examples:
        >>> parse("conv3_block1_shortcut_conv").group
        'conv3_block1'
        >>> parse("conv3_block1_conv2")
        LayerName(stage='conv3', block='block1', kind='conv', number=2)
        >>> parse("dense") is None
        True
        >>> parse("sar_conv3_block1_conv2", "sar").stage
        'sar_conv3'
    """
    prefix = f"{scope}_" if scope else ""
    match = _NAME.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
    if match is None:
        return None
    stage, block, kind, number = match.group("stage", "block", "kind", "number")
    return LayerName(prefix + stage, block, kind, int(number) if number else None)


def scope_of_input(name: str) -> str | None:
    """Return the scope of the network that has an input of this name; ``None`` for any other.

    Examples:
        >>> scope_of_input("sar_input_image")
        'sar'
    """
    return name.removesuffix(f"_{_INPUT}") if name.endswith(f"_{_INPUT}") else None


@dataclasses.dataclass(frozen=True)
class Scope:
    """The prefix of the names given within a `scope`; its branches share its names and counts.

    ``network`` is the prefix of the network being built, ``None`` outside any network.
    """

    prefix: str
    network: str | None = None
    issued: set[str] = dataclasses.field(default_factory=set)
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def issue(self, kind: str) -> str:
        """Return the next free name for a layer of ``kind``."""
        stem = f"{self.prefix}_{kind}"
        group = _GROUP.fullmatch(self.prefix.removeprefix(self.network or ""))
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
def _within(scope: Scope | None) -> Iterator[Scope | None]:
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


@explaining
@contextlib.contextmanager
def scope(name: str) -> Iterator[Scope]:
    """Prefix the names of what is created in the context: blocks, units and whole networks.

    A network that is built in it has the prefix in the names of its layers, its input and its
    model. Thus two networks of one kind can be used in one model.

    Args:
        name: the prefix, of letters, digits and underscores. Within another scope, it follows the
            prefix of that scope.

    Raises:
        ValueError: the name contains other characters.

    Examples:
        >>> with scope("conv3_block1"):
        ...     with scope("shortcut"):
        ...         layer_name("conv")
        'conv3_block1_shortcut_conv'

        A network:

        >>> from keras_convnets import ResnetBuilder, scope
        >>> with scope("sar"):
        ...     sar = ResnetBuilder.build_resnet_18((1, 32, 32), 10)
        >>> sar.name, sar.input.name, sar.layers[1].name
        ('sar_resnet_18', 'sar_input_image', 'sar_conv1_conv')
    """
    if not isinstance(name, str) or re.fullmatch(r"[A-Za-z]\w*", name) is None:
        raise ValueError(
            f"scope: received {shown(name)}; expected a name of letters, digits and underscores. "
            "Pass one such as 'left'."
        )
    outer = _scope.get()
    inner = dataclasses.replace(outer, prefix=f"{outer.prefix}_{name}") if outer else Scope(name)
    with _within(inner):
        yield inner


@contextlib.contextmanager
def network() -> Iterator[str]:
    """Begin the names of a network; yield their prefix, which is the `scope` around it.

    A network that is built by a block of another one has no prefix: it has the names that it has
    alone.

    Examples:
        >>> with scope("sar"), network() as prefix, group("conv1", prefix):
        ...     layer_name("conv")
        'sar_conv1_conv'
        >>> with group("conv3_block1"), network() as prefix, group("conv1", prefix):
        ...     layer_name("conv")
        'conv1_conv'
    """
    outer = _scope.get()
    with _within(None):
        yield f"{outer.prefix}_" if outer and outer.network is None else ""


@contextlib.contextmanager
def group(name: str, prefix: str = "") -> Iterator[Scope]:
    """Name what is created in the context after a group of the `network` with this prefix."""
    inner = Scope(prefix + name, prefix)
    with _within(inner):
        yield inner


def input_name(prefix: str) -> str:
    """Return the name of the input of a `network` with this prefix."""
    return prefix + _INPUT


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


@explaining
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
