"""Where cards are, and which are ours."""

from __future__ import annotations

import os
from pathlib import Path

from keras_convnets.readers.damage import damage, whole
from keras_convnets.shipping.card.card_json import in_text
from keras_convnets.shipping.card.facts import Card

CARD = "MODEL.md"
_MOST = 64 << 20


def read_card(path: str | os.PathLike[str]) -> Card | None:
    """Return the facts of a card; ``None`` for a file that is none of ours, or damaged."""
    try:
        with damage():
            return in_text(whole(path, _MOST))
    except (ValueError, OSError):
        return None


def is_others(path: Path) -> bool:
    """Return whether there is something at the path of a card that is none of ours."""
    return os.path.lexists(path) and read_card(path) is None
