"""The kinds of image files: by what they hold, and the names that they have in folders."""

from __future__ import annotations

KINDS = "JPEG, PNG, WebP, TIFF, GIF, BMP, PPM, AVIF or JPEG 2000"

JPEG, PNG, WEBP, TIFF, GIF = "JPEG", "PNG", "WebP", "TIFF", "GIF"
BMP, PPM, AVIF, JPEG_2000 = "BMP", "PPM", "AVIF", "JPEG 2000"
_HEIC, _JPEG_XL = "HEIC", "JPEG XL"

NOT_READ = (_HEIC, _JPEG_XL)
"""What people have, but no decoder here reads."""

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff"),
    *(".gif", ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm", ".avif"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".heic", ".heif", ".hif", ".jxl"),
)
"""The ends of the names of image files, in small letters."""

_STARTS = {
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"GIF8": GIF,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,
    b"MM\0+": TIFF,
    b"\0\0\0\x0cjP  ": JPEG_2000,
    b"\xff\x4f\xff\x51": JPEG_2000,
    b"\xff\x0a": _JPEG_XL,
    b"\0\0\0\x0cJXL ": _JPEG_XL,
    b"BM": BMP,
}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"),
        _HEIC,
    ),
}


def kind_of(contents: bytes) -> str | None:
    """Return the kind of an image by its first bytes; ``None`` if it is not known.

    Examples:
        >>> kind_of(b"P6 2 2 255 "), kind_of(b"GIF89a"), kind_of(b"<html>")
        ('PPM', 'GIF', None)
    """
    if contents[4:8] == b"ftyp":
        return _of_brands(contents)
    if contents[:4] == b"RIFF" and contents[8:12] == b"WEBP":
        return WEBP
    if contents[:1] == b"P" and contents[1:2] in b"123456" and contents[2:3].isspace():
        return PPM
    return next((kind for start, kind in _STARTS.items() if contents.startswith(start)), None)


def _of_brands(contents: bytes) -> str | None:
    """Return the kind of a file of boxes: its main brand may be that of both kinds."""
    end = min(int.from_bytes(contents[:4], "big"), 256)
    brands = [contents[8:12], *(contents[at : at + 4] for at in range(16, end, 4))]
    return next((_BRANDS[brand] for brand in _in_order(brands) if brand in _BRANDS), None)


def _in_order(brands: list[bytes]) -> list[bytes]:
    """Return brands of which those that say how the image is coded come first."""
    return sorted(brands, key=lambda brand: brand in (b"mif1", b"msf1"))
