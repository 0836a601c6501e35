"""Parsing of layer names in other models: their words, and where the name of a block ends."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from keras_convnets.graph.calls import Call

Words = tuple[str, ...]

_NUMBER = re.compile(r"[0-9]+[a-z]?")
_NUMBERED = re.compile(r"[A-Za-z]\w*?_?[0-9]+[a-z]?")
# In ``stage1_block2_conv1_bn`` the last number belongs to a layer, not to a block.
_LAYER_WORDS = re.compile(r"(conv|sepconv|dwconv|bn|norm|relu|act|pool|fc|dense|add|concat)_?[0-9]")


@dataclasses.dataclass(frozen=True)
class Name:
    """A parsed layer name.

    ``words`` are all its words and ``label`` the ones that name its block. ``is_numbered`` is
    whether a word of the label ends in a number, ``is_by_class`` whether Keras chose the name.
    """

    words: Words
    label: Words
    is_numbered: bool
    is_by_class: bool


def names_of(calls: Iterable[Call], model_prefix: str) -> dict[Call, Name]:
    """Return the parsed names of layers, without the name of the model."""
    found = {}
    for call in calls:
        words = words_of(call, model_prefix)
        label = leading(words)
        found[call] = Name(words, label, is_numbered(label), is_named_by_class(call))
    return found


def is_numbered(words: Words) -> bool:
    """Return whether one of the words ends in a number, as in the name of a block."""
    return any(_NUMBERED.fullmatch(word) for word in words)


def leading(words: Words) -> Words:
    """Return the words of a layer name that name its block, up to the last block number.

    Examples:
        >>> leading(("conv2", "block1", "1", "conv"))
        ('conv2', 'block1')
        >>> leading(("stem", "conv"))
        ('stem',)
    """
    outer = words[:-1] if len(words) > 1 else words
    numbered = [bool(_NUMBERED.fullmatch(word)) for word in outer]
    if not any(numbered):
        return outer[:1] if len(words) > 1 else ()
    end = numbered.index(True) + 1
    while end < len(outer) and numbered[end] and not _LAYER_WORDS.match(outer[end]):
        end += 1
    return outer[:end]


def words_of(call: Call, model_prefix: str) -> Words:
    """Return the words of a layer name; a separate number is joined to the word before it.

    Examples:
        >>> _split("conv2_block1_1_conv")
        ('conv2', 'block1', '1', 'conv')
        >>> _split("stage_0_block_2_gamma")
        ('stage_0', 'block_2', 'gamma')
    """
    return _split(call.name.removeprefix(model_prefix))


def _split(name: str) -> Words:
    words: list[str] = []
    for word in name.split("_"):
        if _NUMBER.fullmatch(word) and words and not _NUMBERED.fullmatch(words[-1]):
            words[-1] += f"_{word}"
        else:
            words.append(word)
    return tuple(words)


def is_named_by_class(call: Call) -> bool:
    """Return whether the layer has an automatic Keras name: ``conv2d_17``, ``add``."""
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", call.kind)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", snake).lower()
    return re.fullmatch(re.escape(snake) + r"(_[0-9]+)?", call.name) is not None


def stage_of(label: Words) -> str | None:
    """Return the stage in a label: ``conv2`` in ``conv2_block1``, ``block2`` in ``block2a``."""
    letter = re.fullmatch(r"(.*[0-9])[a-z]", label[-1])
    if letter:
        return text_of((*label[:-1], letter.group(1)))
    numbers = [word for word in label if re.search(r"[0-9]", word)]
    return text_of(label[:-1]) if len(numbers) > 1 else None


def text_of(label: Words) -> str:
    """Join words to a name."""
    return "_".join(label)
