"""How a source names and stores the weights of a family: the rules as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Check = Callable[[Mapping[str, np.ndarray]], None]

# Arrays of a file that are no weights: PyTorch's counters of batches, and in ONNX files that come
# from Caffe2 the shapes that reshapes take.
_NO_WEIGHTS = {"torch": r".*\.num_batches_tracked", "caffe": r"OC2_DUMMY_\d+"}
# What follows the name of a module.
_ENDINGS = {"torch": r"\.\w+", "caffe": r"_[wb]_0"}

_FIELD = re.compile(r"\{(?P<group>\w+)(?P<added>[+-]\d+)?(?P<letter>:a)?\}")


class Row(NamedTuple):
    r"""The name that a layer of ours has in a source.

    Attributes:
        ours: a regular expression that the layer's whole name matches, without the scope. Its
            groups are named: ``conv(?P<stage>\d)_block(?P<block>\d+)_conv(?P<n>\d)``.
        theirs: the name of the module or array there: ``layer{stage-1}.{block-1}.conv{n}``. A
            field is a group, a number added to it, and optionally a format: ``{block:a}`` is the
            letter of the number (1 is ``a``). An empty group is 1. Layers of the head, whose names
            begin with ``head_``, have names without fields there.
        form: what the layer is there if it may be another in a network of ours: ``"conv"`` or
            ``"linear"``. The writer must know; the reader sees it.
    """

    ours: str
    theirs: str
    form: str = ""


class Layout(NamedTuple):
    """The rules of a source for a family of networks.

    Every rule is total: each tensor of the file and each weight of the model is used once.

    Attributes:
        source: ``"torchvision"``, ``"timm"``, ``"keras"`` or ``"caffe"``.
        networks: the networks of ours that the source has, by name.
        rows: the rows; the first that matches a layer counts.
        tensors: how arrays are named and stored: ``"torch"`` (``weight``, ``bias``,
            ``running_mean``, ``running_var``; OIHW) or ``"caffe"`` (``_w_0``, ``_b_0``; OIHW).
        auxiliary: a regular expression that matches the beginning of the names of auxiliary heads
            there, which a model without them leaves out; empty if there are none.
        aliases: pairs of a regular expression and a replacement for older names.
        bgr: whether the channels of the images are blue, green, red there.
        operations: with which operations of their kinds the graph of an ONNX file begins, where
            names and shapes alone do not tell the network.
        check: called with the arrays of a file, read or to be written; it raises ``ValueError`` if
            the networks do not compute the same with them.
    """

    source: str
    networks: tuple[str, ...]
    rows: tuple[Row, ...]
    tensors: str = "torch"
    auxiliary: str = ""
    aliases: tuple[tuple[str, str], ...] = ()
    bgr: bool = False
    operations: tuple[str, ...] = ()
    check: Check | None = None


class Module(NamedTuple):
    """What a layer of ours is in a source.

    Attributes:
        name: its name there.
        form: ``"conv"``, ``"linear"``, or empty if it is what it is in our network.
    """

    name: str
    form: str


def module_of(name: str, layout: Layout) -> Module | None:
    r"""Return what a layer of ours is in a source; ``None`` if the rules have no such layer.

    Examples:
        >>> row = Row(r"conv(?P<stage>\d)_block(?P<block>\d+)_bn", "layer{stage-1}.{block:a}.bn")
        >>> module_of("conv3_block2_bn", Layout("torchvision", (), (row,))).name
        'layer2.b.bn'
    """
    for row in layout.rows:
        if match := re.fullmatch(row.ours, name):
            return Module(_FIELD.sub(lambda field: _filled(field, match), row.theirs), row.form)
    return None


def head_modules(layout: Layout) -> frozenset[str]:
    """Return the names in a source of the layers of the head."""
    return frozenset(row.theirs for row in layout.rows if row.ours.startswith("head_"))


def is_weight(name: str, layout: Layout) -> bool:
    """Return whether an array of a file can be a weight, by its name there."""
    return re.fullmatch(_NO_WEIGHTS[layout.tensors], name) is None


def module_in(name: str, layout: Layout) -> str:
    """Return the name of the module in the name of an array of a file.

    Examples:
        >>> module_in("fc6_w_0", Layout("caffe", (), (), tensors="caffe"))
        'fc6'
    """
    return re.sub(rf"{_ENDINGS[layout.tensors]}$", "", name)


def renamed(key: str, layout: Layout) -> str:
    """Return the name that a key of an older file has in the rules."""
    for pattern, replacement in layout.aliases:
        key = re.sub(pattern, replacement, key)
    return key


def _filled(field: re.Match[str], match: re.Match[str]) -> str:
    value = match[field["group"]] or "1"
    if not value.isdigit():
        return value
    number = int(value) + int(field["added"] or 0)
    return chr(ord("a") + number - 1) if field["letter"] else str(number)
