"""The images that TensorFlow does not decode, or not right: Pillow decodes them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image

from keras_convnets.images import exif, kinds, tiff
from keras_convnets.images.headers import NotReadError

EIGHT_BITS = frozenset(
    ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
"""Pillow's modes of which the range of values is known, and that it converts to colour."""

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
_FORMATS = {kinds.WEBP: "WEBP", kinds.JPEG_2000: "JPEG2000"}  # Pillow's names, if others
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS, _INVERTED = 258, 262  # tags of a TIFF
# An AVIF says how it is turned beside EXIF, which Pillow would read without any bound.
_AVIF_EXIF = re.compile(rb"(infe[\x02\x03].{7}(?:..)?)Exif", re.DOTALL)


def as_bmp(contents: bytes, kind: str, channels: int, check: Callable[[int, int], None]) -> bytes:
    """Return an image as a BMP, which TensorFlow decodes; of several, the first one.

    Args:
        contents: the bytes of the file.
        kind: its kind, of `kinds`.
        channels: 1 (grey) or 3 (colour).
        check: called with its rows and columns before it is decoded; it may raise.

    Raises:
        NotReadError: the kind of its pixels is not read.
        Exception: it is damaged; Pillow does not document which.
    """
    with _opened(contents, kind) as image:
        check(image.height, image.width)
        image.load()
        colour = coloured(image)
        if kind != kinds.TIFF:  # Pillow turns those itself
            colour = _turned(colour, _orientation(image))
    encoded = io.BytesIO()
    (colour.convert("L") if channels == 1 else colour).save(encoded, "BMP")
    return encoded.getvalue()


def size(contents: bytes, kind: str) -> tuple[int, int]:
    """Return the rows and columns of an image, which is not decoded for it.

    Raises:
        NotReadError: its kind is not read.
        Exception: it is damaged; Pillow does not document which.
    """
    with _opened(contents, kind) as image:
        return image.height, image.width


def upright(image: Image.Image) -> Image.Image:
    """Return an image of anybody's in colour, as a file is read: turned as its EXIF says.

    Raises:
        NotReadError: the range of its values is not known.
        Exception: it cannot be read; Pillow does not document which.
    """
    image.load()
    how = image.getexif().get(ExifTags.Base.Orientation)
    return _turned(coloured(image), how)


def _turned(image: Image.Image, orientation: int | None) -> Image.Image:
    turn = _TURNS.get(orientation or exif.UPRIGHT)
    return image if turn is None else image.transpose(turn)


def coloured(image: Image.Image) -> Image.Image:
    """Return an image in colour, as Pillow's ``convert("RGB")``: alpha is dropped.

    Of 16 bits, which that would clip, the upper 8 are kept.

    Raises:
        NotReadError: the range of its values is not known.
    """
    if image.mode in _SIXTEEN_BITS or (image.mode == "I" and image.format in ("PPM", "PNG")):
        return _of_sixteen_bits(image).convert("RGB")
    if image.mode not in EIGHT_BITS:
        raise NotReadError(
            f"its pixels are of Pillow's mode {image.mode!r}, whose range is not known; convert it "
            "to 8 bits a channel"
        )
    if image.mode.endswith("a"):  # colours that alpha has multiplied
        image = image.convert(image.mode[:-1] + "A")
    return image.convert("RGB")


def _of_sixteen_bits(image: Image.Image) -> Image.Image:
    tags = getattr(image, "tag_v2", {})
    upper = np.asarray(image) >> max(0, tags.get(_BITS, (16,))[0] - 8)
    upper = upper.astype(np.uint8)
    return Image.fromarray(255 - upper if tags.get(_INVERTED) == 0 else upper)


def _opened(contents: bytes, kind: str) -> Image.Image:
    """Return an image whose header has been read; without Pillow's warning of large ones."""
    Image.init()
    name = _FORMATS.get(kind, kind)
    if name not in Image.OPEN:  # a Pillow built without, or an old one
        raise NotReadError(f"{kind}, which this Pillow does not read; convert it to JPEG or PNG")
    if kind == kinds.TIFF:
        contents = tiff.first_page(contents)
    elif kind == kinds.AVIF:
        contents = _AVIF_EXIF.sub(rb"\1free", contents)
    return Image.OPEN[name][0](io.BytesIO(contents), "")


def _orientation(image: Image.Image) -> int:
    """Return how an image of a file is to be turned, as the file says."""
    found, xmp = image.info.get("exif", b""), image.info.get("xmp", b"")
    if profile := image.info.get("Raw profile type exif"):  # of a PNG, in lines of digits
        found = found or bytes.fromhex("".join(profile.split("\n")[3:]))
    text = image.info.get("XML:com.adobe.xmp", "")
    return exif.orientation(found, xmp or text.encode())
