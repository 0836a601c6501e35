"""Images of the data as small pictures embedded in a page."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

_PIXELS = 128  # the maximum length of the longer side
_CRISP = 64  # images up to this size are enlarged with visible pixels


@dataclasses.dataclass(frozen=True)
class Picture:
    """The data URI of an image, and whether to show its pixels sharply when enlarged."""

    address: str
    is_crisp: bool


def picture(image: Any, scale: float) -> Picture:
    """Return an image unchanged, or scaled down if it is large.

    Args:
        image: `(rows, cols, channels)`; only the first three channels are shown.
        scale: the value of a fully bright pixel.
    """
    pixels = np.asarray(image, np.float32) / scale
    pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    longest = max(pixels.shape[:2])
    if longest > _PIXELS:
        size = [max(1, round(side * _PIXELS / longest)) for side in pixels.shape[:2]]
        pixels = tf.image.resize(pixels, size, antialias=True).numpy()
    values = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    # An image that had to be scaled down is a photograph, which compresses well as JPEG.
    kind, encode = ("jpeg", tf.io.encode_jpeg) if longest > _PIXELS else ("png", tf.io.encode_png)
    encoded = base64.b64encode(encode(values).numpy()).decode("ascii")
    return Picture(f"data:image/{kind};base64,{encoded}", longest <= _CRISP)
