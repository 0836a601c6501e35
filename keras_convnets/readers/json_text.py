"""JSON, whose depth and size are bounded before it is parsed."""

from __future__ import annotations

import json
import re
from typing import Any

from keras_convnets.readers.damage import DamagedFile

_LONGEST = 256 << 20
_DEEPEST = 500  # nested lists and objects; Python's own parser recurses
_MOST = 8_000_000  # lists and objects
# One that does not end is all that is left, or the search for its end would begin at each quote.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_OTHERS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def parse(text: bytes | bytearray, **hooks: Any) -> Any:
    """Return the value that JSON in UTF-8 describes.

    Args:
        text: the JSON.
        **hooks: as ``json.loads`` takes them.

    Raises:
        DamagedFile: the text is too long or too deep for any file of this package or of Keras.
        ValueError: it is no JSON.
    """
    if len(text) > _LONGEST:
        raise DamagedFile(f"its JSON has {len(text):,} bytes")
    brackets = _STRING.sub(b"", text).translate(None, _OTHERS)
    if len(brackets) > 2 * _MOST:
        raise DamagedFile(f"its JSON has {len(brackets) // 2:,} lists and objects")
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEEPEST:
            raise DamagedFile(f"its JSON is nested too deeply, more than {_DEEPEST} times")
    return json.loads(text.decode("utf-8"), **hooks)
