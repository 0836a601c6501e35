"""What a file says of itself as JSON, and back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from keras_convnets.readers import json_text
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.received import shown
from keras_convnets.shipping.engines.about import About

FORMAT = 1
_FORMAT = "format"


def to_json(about: About) -> str:
    """Return JSON of ASCII characters alone, from which the same description is read.

    Raises:
        ValueError: it has a value that JSON cannot represent, such as NaN.
    """
    plain = {_FORMAT: FORMAT} | dataclasses.asdict(about)
    try:
        text = json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"about: received {shown(plain)}, which JSON cannot represent ({error}); expected "
            "finite numbers, texts, lists and dictionaries. Pass such."
        ) from error
    if from_json(text.encode()) != about:
        raise ValueError(
            f"about: received {shown(plain)}; expected only lists, and dictionaries whose keys are "
            "texts, because JSON has no others. Pass such."
        )
    return text


def from_json(text: bytes) -> About:
    """Return the description that a file, which may be anybody's, has as JSON.

    Keys that this version does not know are ignored.

    Raises:
        DamagedFile: it is no description.
        ValueError: it is no JSON, or a value is of another kind.
    """
    found = json_text.parse(text)
    if not isinstance(found, dict):
        raise DamagedFile("its description is no JSON object")
    if found.get(_FORMAT) != FORMAT:
        raise DamagedFile(
            f"its description has the format {shown(found.get(_FORMAT))}, of another version of "
            f"this package; expected {FORMAT}"
        )
    fields = dataclasses.fields(About)
    needed = {field.name for field in fields if field.default is field.default_factory}
    if missing := sorted(needed - found.keys()):
        raise DamagedFile(f"its description lacks {missing[0]!r}")
    values: dict[str, Any] = {
        field.name: found[field.name] for field in fields if field.name in found
    }
    return About(**values)
