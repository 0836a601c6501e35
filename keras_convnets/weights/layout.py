"""How a source names and stores the weights of a family: the rules as data."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    r"""The name that a layer of ours has in a source.

    Attributes:
        ours: a regular expression that the layer's whole name matches, without the scope. Its
            groups are named: ``conv(?P<stage>\d)_block(?P<block>\d+)_conv(?P<n>\d)``.
        theirs: the name of the module or array there: ``layer{stage-1}.{block-1}.conv{n}``. A
            field is a group, a number added to it, and optionally a format: ``{block:a}`` is the
            letter of the number (1 is ``a``). An empty group ``n`` is 1.
        form: ``"conv"`` if a dense layer of ours is a convolution there, which the writer must
            know; the reader sees it.
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
        auxiliary: a regular expression of the names of auxiliary heads there, which a model without
            them leaves out; empty if there are none.
        aliases: pairs of a regular expression and a replacement for older names.
        bgr: whether the channels of the images are blue, green, red there.
    """

    source: str
    networks: tuple[str, ...]
    rows: tuple[Row, ...]
    tensors: str = "torch"
    auxiliary: str = ""
    aliases: tuple[tuple[str, str], ...] = ()
    bgr: bool = False
