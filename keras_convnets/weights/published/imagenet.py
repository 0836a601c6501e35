"""The names of ImageNet's classes, in the order of labels in which published networks have them."""

from __future__ import annotations

import functools
from pathlib import Path

FILE = Path(__file__).with_name("imagenet_classes.txt")
BACKGROUND = "background"


def imagenet_classes(count: int) -> tuple[str, ...] | None:
    """Return the English names of ImageNet's classes, if there are as many.

    Args:
        count: the number of classes. 1,001 are the 1,000 after one for the background.

    Examples:
        >>> imagenet_classes(1000)[281], imagenet_classes(1001)[282], imagenet_classes(10)
        ('tabby', 'tabby', None)
    """
    names = _names()
    return {len(names): names, len(names) + 1: (BACKGROUND, *names)}.get(count)


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(FILE.read_text(encoding="utf-8").splitlines())
