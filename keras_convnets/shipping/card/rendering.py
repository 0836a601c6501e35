"""A card as Markdown."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from keras_convnets.shipping.card.card_json import comment
from keras_convnets.shipping.card.facts import Card
from keras_convnets.shipping.card.markdown import escaped
from keras_convnets.shipping.card.sections import Section, sections, summary

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(card: Card) -> str:
    """Return the card as Markdown: headings, tables and programs, and its facts in a comment."""
    values: dict[str, Any] = {
        "title": card.network,
        "summary": summary(card),
        "sections": [_with_codes(section) for section in sections(card)],
        "comment": _as_it_is(comment(card)),
    }
    return _environment().get_template("card.md").render(values)


def _with_codes(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "texts": section.texts,
        "header": section.header,
        "rows": section.rows,
        "is_numeric": section.is_numeric,
        "codes": [_as_it_is(code) for code in section.codes],
    }


def _as_it_is(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)


def _inserted(value: Any) -> Any:
    """Return a value to insert: all text is escaped but what the card itself has made."""
    return _as_it_is(escaped(value)) if type(value) is str else value


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__, "page"),
        autoescape=True,  # so that what is escaped is told from what is not
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_inserted,
    )
