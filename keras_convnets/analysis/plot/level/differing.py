"""What differs between the blocks of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from keras_convnets.analysis.plot.graph.graph import Block
from keras_convnets.analysis.plot.level.aligning import Row
from keras_convnets.graph.structure import heavy_of, layers_of

# The parts of a block's layers that depend on the data format only.
_OF_FORMAT = re.compile(r"'(data_format|axis)': [^,}]*,? ?")


def difference(row: Row, names: Sequence[str]) -> str:
    """Return in a few words what differs within a row; empty if nothing does."""
    blocks = [block for block in row if block is not None]
    if len(blocks) < len(row):
        return f"only in {_listed([n for n, b in zip(names, row, strict=True) if b])}"
    found = [word for word, part in _PARTS.items() if _differs(blocks, part)]
    hidden = set(found[1:]) & {"activations", "settings"}  # others bring these about
    return _listed([word for word in found if word not in hidden])


def is_as_first(block: Block, first: Block | None) -> bool:
    """Return whether a block is as that of the first model, in all that is compared."""
    return first is not None and not any(_differs([first, block], part) for part in _PARTS.values())


def _differs(blocks: Sequence[Block], part: Callable[[Block], Any]) -> bool:
    first, *others = map(part, blocks)
    return any(other != first for other in others)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _settings(block: Block) -> list[str]:
    """Return what one of the repeated blocks computes with, whatever the data format."""
    one = len(block.layers) // block.repeats
    return [_OF_FORMAT.sub("", layer.settings) for layer in block.layers[:one]]


def _light(block: Block) -> list[str]:
    """Return the normalisations, activations and the like, in their order among all layers."""
    return [layer.text if not layer.heavy else "" for layer in layers_of(block.inside.all)]


_PARTS: dict[str, Callable[[Block], Any]] = {
    "layers": lambda block: [layer.text for layer in heavy_of(block.inside.all)],
    "shortcut": lambda block: (block.inside.shortcut, block.inside.merge),
    "output": lambda block: block.shape,
    "activations": _light,
    "settings": _settings,
}
