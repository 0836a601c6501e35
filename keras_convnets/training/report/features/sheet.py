"""Many small pictures in one image of a bounded size, of which a page shows one at a time."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
from typing import Any

import numpy as np
from PIL import Image

_MOST_BYTES = 300_000  # of the pictures together
_QUALITIES = (85, 60, 35, 15)  # of JPEG


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The pictures.

    Attributes:
        address: all in one, as a data URI.
        columns, rows: how many there are side by side, and below each other.
        tile: the width and the height of one.
    """

    address: str
    columns: int
    rows: int
    tile: tuple[int, int]

    def place_of(self, number: int) -> tuple[float, float]:
        """Return where a picture is in per cent, as ``background-position`` has it."""
        row, col = divmod(number, self.columns)
        return 100 * col / max(1, self.columns - 1), 100 * row / max(1, self.rows - 1)


def sheet_of(tiles: np.ndarray) -> Sheet:
    """Return pictures as a sheet.

    Args:
        tiles: the pictures, uint8, `(images, rows, cols, 1 or 3)`.
    """
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    height, width, channels = tiles.shape[1:]
    padded = np.zeros((columns * rows, height, width, channels), np.uint8)
    padded[: len(tiles)] = tiles
    whole = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    whole = whole.reshape(rows * height, columns * width, channels)
    image = Image.fromarray(whole if channels == 3 else whole[..., 0])
    return Sheet(_address(image), columns, rows, (width, height))


def _address(image: Image.Image) -> str:
    kind, encoded = "png", _encoded(image, "PNG")
    for quality in _QUALITIES:
        smaller = _encoded(image, "JPEG", quality=quality)
        if len(smaller) < len(encoded):
            kind, encoded = "jpeg", smaller
        if len(encoded) <= _MOST_BYTES:
            break
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()
