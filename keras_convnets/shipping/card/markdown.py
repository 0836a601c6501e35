"""Any text as Markdown that reads as the text, in a line, a cell of a table or a link."""

from __future__ import annotations

import re

from keras_convnets.printable import printable

# What is markup of Markdown or HTML anywhere in a line. An underscore within a word is none.
_MARKUP = re.compile(r"[\\`*{}\[\]<>&|~#$@]|(?<![^\W_])_|_(?![^\W_])|:(?=[\w+-]+:)")
_WEBSITE = re.compile(r"(?i)(?<=\bww)w(?=\.)|(?<=\bhtt)p(?=s?\b)")  # which some make links


def escaped(text: object) -> str:
    """Return text whose markup is replaced by entities of HTML, in one printable line.

    Examples:
        >>> print(escaped("resnet_v1_50"), escaped("<b> | *x*"))
        resnet_v1_50 &#60;b&#62; &#124; &#42;x&#42;
    """
    line = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", printable(text))
    return _WEBSITE.sub(lambda found: f"&#{ord(found[0])};", line)
