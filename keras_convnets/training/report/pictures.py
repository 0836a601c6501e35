"""Images of the data as a page holds them: in itself, and small."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

_PIXELS = 128  # of the longer side of an image, at most
_CRISP = 64  # pixels of an image that is enlarged so that each can be seen


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image's address, which holds the image, and whether its pixels are to be seen."""

    address: str
    is_crisp: bool


def picture(image: Any, scale: float) -> Picture:
    """Return an image as it is, or smaller if it is large.

    Args:
        image: `(rows, cols, channels)`; of more than three channels the first three are shown.
        scale: the value of a bright pixel.
    """
    pixels = np.asarray(image, np.float32) / scale
    pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    longest = max(pixels.shape[:2])
    if longest > _PIXELS:
        size = [max(1, round(side * _PIXELS / longest)) for side in pixels.shape[:2]]
        pixels = tf.image.resize(pixels, size, antialias=True).numpy()
    values = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    # What had to be made smaller is a photograph, and those are small as JPEG.
    kind, encode = ("jpeg", tf.io.encode_jpeg) if longest > _PIXELS else ("png", tf.io.encode_png)
    encoded = base64.b64encode(encode(values).numpy()).decode("ascii")
    return Picture(f"data:image/{kind};base64,{encoded}", longest <= _CRISP)
