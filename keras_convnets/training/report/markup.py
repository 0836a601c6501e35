"""HTML from Python: text is escaped, and only what was made here is not."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from keras_convnets.analysis.tables import Table, shown

# Elements that have no end tag.
_EMPTY = ("img", "rect", "line", "meta")


class Markup(str):
    """Text that is HTML already."""


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element.

    Args:
        name: of the element.
        *children: what is inside: text, which is escaped; `Markup`; lists of these; ``None`` is
            left out.
        **attributes: of the element; ``class_`` stands for ``class``, ``fill_opacity`` for
            ``fill-opacity``, and one that is ``None`` is left out.

    Examples:
        >>> tag("td", "a < b", class_="wide", title=None)
        '<td class="wide">a &lt; b</td>'
    """
    says = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY and not children:
        return Markup(f"<{name}{says}/>")
    return Markup(f"<{name}{says}>{joined(children)}</{name}>")


def joined(children: Iterable[Any]) -> Markup:
    """Return what stands one after the other."""
    return Markup("".join(map(_escaped, children)))


def of_table(table: Table) -> Markup:
    """Return a table as an element, without its notes."""
    classes = [("number" if column.is_number else None) for column in table.columns]

    def row(values: Iterable[Any], cell: str = "td") -> Markup:
        pairs = zip(values, classes, strict=True)
        return tag("tr", [tag(cell, shown(value), class_=class_) for value, class_ in pairs])

    head = tag("thead", row([column.title for column in table.columns], "th"))
    body = tag("tbody", [row(values) for values in table.rows])
    foot = None if table.total is None else tag("tfoot", row(table.total))
    return tag("div", tag("table", head, body, foot), class_="scroll")


def _escaped(child: Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    return joined(child) if isinstance(child, list) else html.escape(str(child))
