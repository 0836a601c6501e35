"""Self-contained web pages from Jinja2 templates: single files that load nothing else.

The templates of a package are in its folder ``page``. They extend ``base.html`` and use the table
in ``table.html``; both are in ``analysis/page``. Every value is made printable and escaped when it
is inserted: text by autoescaping, data for scripts by ``tojson``. Only an SVG drawn by this package
is inserted as it is, through the filter ``svg``.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from keras_convnets.analysis.tables import shown
from keras_convnets.printable import printable

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(package: str, template: str, **values: Any) -> str:
    """Return a page as text that can be encoded as UTF-8.

    Args:
        package: the package whose folder ``page`` contains the template.
        template: the file name of the template.
        **values: the variables of the template; a missing one is an error.
    """
    return _environment(package).get_template(template).render(values)


@functools.cache
def _environment(package: str) -> Environment:
    # Imported with the first page: figures and costs do not need it.
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "page") for name in (package, __package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.policies["json.dumps_function"] = _to_json
    environment.filters |= {"shown": shown, "svg": _svg}
    return environment


def _printable(value: Any) -> Any:
    """Return a value to insert; text that is no markup of a template becomes printable."""
    return printable(value) if type(value) is str else value


def _to_json(value: Any, **options: Any) -> str:
    return json.dumps(_all_printable(value), **options)


def _all_printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_printable(each) for key, each in value.items()}
    return list(map(_all_printable, value)) if isinstance(value, list) else _printable(value)


def _svg(drawn: str) -> Markup:
    """Return an SVG drawn by this package as a page element, without its file header."""
    from markupsafe import Markup

    return Markup(drawn[drawn.index("<svg") :])
