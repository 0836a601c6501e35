"""Text in programs of Python."""

from __future__ import annotations

import json


def literal(text: str) -> str:
    r"""Return text as a literal of Python in one line of ASCII characters.

    Examples:
        >>> print(literal('a"b.onnx'))
        "a\"b.onnx"
    """
    return json.dumps(text)
