"""Web pages from Jinja2 templates: one file each, which needs neither network nor library.

A package keeps the templates of its pages in its folder ``page``. They extend ``base.html`` and
share the table of ``table.html``, both in ``analysis/page``. Every value is escaped where it enters
a page: text by autoescaping, data for a script by ``tojson``. An SVG drawn here enters as it is,
through the filter ``svg``.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from keras_convnets.analysis.tables import shown

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(package: str, template: str, **values: Any) -> str:
    """Return a page as text that can be written as UTF-8.

    Args:
        package: the package whose folder ``page`` holds the template.
        template: the file of the template.
        **values: what the template asks for; a name that it lacks is an error.
    """
    page = _environment(package).get_template(template).render(values)
    # A file's name need not be text: Python then marks its bytes by characters without an encoding.
    return page.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _environment(package: str) -> Environment:
    # Imported with the first page: figures and costs do without.
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "page") for name in (package, __package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "svg": _svg}
    return environment


def _svg(drawn: str) -> Markup:
    """Return a drawing of our own as an element of the page, without what precedes it in a file."""
    from markupsafe import Markup

    return Markup(drawn[drawn.index("<svg") :])
