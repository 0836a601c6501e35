"""A card's facts as JSON at the end of its own file, and back: the card knows what it says."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.shipping.card.facts import Card, Export, Speed

FORMAT = 1
_SIGNS = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"}  # JSON has them in texts only
_START, _END = "<!-- keras_convnets card ", " -->"


def comment(card: Card) -> str:
    """Return a comment of HTML that holds the facts, without any markup in them."""
    text = json.dumps({"format": FORMAT} | dataclasses.asdict(card), allow_nan=False)
    for sign, escape in _SIGNS.items():
        text = text.replace(sign, escape)
    return f"{_START}{text}{_END}"


def in_text(text: bytes) -> Card | None:
    """Return the facts at the end of a card, which may be anybody's; ``None`` for another text.

    Raises:
        ValueError: the facts are damaged, or of another version.
    """
    last = text.strip().rsplit(b"\n", 1)[-1]
    if not last.startswith(_START.encode()) or not last.endswith(_END.encode()):
        return None
    found = json_text.parse(last[len(_START) : -len(_END)])
    if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
        raise DamagedFile("its facts are of another version of this package")
    return _card(found)


def _card(found: dict[str, Any]) -> Card:
    exports = [
        _made(Export, one | {"speeds": tuple(_made(Speed, each) for each in one["speeds"])})
        for one in found["exports"]
    ]
    pairs = {name: _pairs(found[name]) for name in ("training", "versions")}
    return _made(Card, found | pairs | {"exports": tuple(exports)})


def _made(kind: Any, values: dict[str, Any]) -> Any:
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})


def _pairs(found: Any) -> tuple[tuple[str, str], ...]:
    return tuple((title, words) for title, words in found)
