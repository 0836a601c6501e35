"""Photographs as cameras, scanners and the web make them: the files, and what they show."""

import io
import re
import struct
import zlib

import numpy as np
from PIL import Image, ImageFilter

ROWS, COLS = 48, 64
_NOISE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
SCENE = Image.fromarray(_NOISE).resize((COLS, ROWS), Image.Resampling.BICUBIC)
"""No symmetry, smooth, all colours."""

GREY = SCENE.convert("L")
_ALPHA = Image.linear_gradient("L").resize((COLS, ROWS))
# How the pixels have to be stored so that they show the scene once they are turned.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(image, kind, **options):
    """Return the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation, order=">"):
    """Return EXIF of one tag."""
    start = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}IH", 8, 1)
    return b"Exif\0\0" + start + struct.pack(f"{order}HHIHHI", 0x112, 3, 1, orientation, 0, 0)


def stored(orientation, image=SCENE):
    """Return an image as a camera stores it that is held some other way."""
    how = _STORED[orientation]
    return image if how is None else image.transpose(how)


def photograph(orientation, kind="JPEG", **options):
    """Return a file whose EXIF says how it is to be turned to show the scene."""
    said = exif(orientation, "<" if orientation % 2 else ">")
    return encoded(stored(orientation), kind, exif=said, **options)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(pixels, bits, colours, rows=None, before=b"", interlace=0):
    """Return a PNG of lines of bytes."""
    header = struct.pack(">IIBBBBB", COLS, ROWS, bits, colours, 0, 0, interlace)
    lines = b"".join(b"\0" + line for line in (rows or [row.tobytes() for row in pixels]))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def _deep(image=SCENE):
    """Return 16 bits of each value, the upper 8 of which are those of the image."""
    return (np.asarray(image).astype(np.uint16) * 256 + 200).astype(">u2")


def _interlaced():
    """Return a PNG in Adam7's seven passes."""
    pixels, lines = np.asarray(SCENE), []
    for top, left, down, across in (
        *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)),
        *((2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)),
    ):
        lines += [row.tobytes() for row in pixels[top::down, left::across]]
    return png(None, 8, 2, lines, interlace=1)


def _without(data, marker):
    """Return a JPEG without one of its segments."""
    at = data.index(marker)
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def _frame(marker, bits, scan=b"\x01\x01\x00\x00\x00\x00"):
    """Return a grey JPEG, 8 x 8, of one frame and an empty scan."""
    table = b"\xff\xdb\x00\x43\x00" + b"\x01" * 64
    frame = marker + struct.pack(">HBHHB", 11, bits, 8, 8, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + table + frame + b"\xff\xda\x00\x08" + scan + b"\xff\xd9"


def _tiff(pixels, kind, bits, photometric, samples=1, extra=()):
    """Return a TIFF of one strip, in the order of Intel."""
    data = pixels.tobytes()
    tags = [
        *((256, 4, COLS), (257, 4, ROWS), (258, 3, bits), (259, 3, 1), (262, 3, photometric)),
        *((273, 4, 8), (277, 3, samples), (278, 4, ROWS), (279, 4, len(data)), (339, 3, kind)),
        *extra,
    ]
    entries = b"".join(struct.pack("<HHII", tag, of, 1, value) for tag, of, value in tags)
    start = b"II*\0" + struct.pack("<I", 8 + len(data))
    return start + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def _plain_ppm(magic, pixels, most):
    rows = "\n".join(" ".join(map(str, row)) for row in pixels.reshape(ROWS, -1))
    return f"{magic}\n# a comment\n{COLS} {ROWS}\n{most}\n{rows}\n".encode()


def _first_of(kind, **options):
    return encoded(SCENE, kind, save_all=True, append_images=[stored(3), stored(2)], **options)


def _xmp(orientation):
    said = f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'
    return encoded(stored(orientation), "JPEG", quality=95, xmp=said.encode())


def _shown(data):
    """Return what Pillow shows, for what has colours of its own."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


_RGBA = SCENE.copy()
_RGBA.putalpha(_ALPHA)
_PALETTE = SCENE.quantize(32)
_BIT = GREY.point(lambda value: 255 * (value > 127)).convert("1")
_CMYK = encoded(SCENE.convert("CMYK"), "JPEG", quality=95)
_JPEG = encoded(SCENE, "JPEG", quality=95)
_SMALL_GIF = encoded(_PALETTE, "GIF")


def _larger_screen():
    data = bytearray(_SMALL_GIF)
    data[6:10] = struct.pack("<HH", COLS + 6, ROWS + 4)
    return bytes(data)


def read():
    """Return the files that are read, each with what it shows: rows of colours, or ``None``.

    ``None`` is for the scene.
    """
    grey, bit = np.asarray(GREY.convert("RGB")), np.asarray(_BIT.convert("RGB"))
    palette = np.asarray(_PALETTE.convert("RGB"))
    files = {
        "plain.jpg": (_JPEG, None),
        "CAPITALS.JPG": (_JPEG, None),
        "old.jfif": (_JPEG, None),
        "other.jpe": (_JPEG, None),
        "named.png": (_JPEG, None),
        "grey.jpg": (encoded(GREY, "JPEG", quality=95), grey),
        "progressive.jpg": (encoded(SCENE, "JPEG", quality=95, progressive=True), None),
        "cmyk.jpg": (_CMYK, None),
        "cmyk without adobe.jpg": (_without(_CMYK, b"\xff\xee"), None),
        "ycck.jpg": (_ycck(), None),
        "arithmetic.jpg": (_frame(b"\xff\xca", 8), np.full((8, 8, 3), 128, np.uint8)),
        "camera.mpo": (_first_of("MPO", quality=95), None),
        "trailer.jpg": (_JPEG + b"SEFT" * 9, None),
        "trailer 6.jpg": (photograph(6, quality=95) + b"SEFT" * 9, None),
        "xmp 6.jpg": (_xmp(6), None),
        "xmp 6 trailer.jpg": (_xmp(6) + b"SEFT" * 9, None),
        "thumbnail 6.jpg": (_with_thumbnail(6), None),
        "palette.png": (encoded(_PALETTE, "PNG"), palette),
        "palette with tRNS.png": (encoded(_PALETTE, "PNG", transparency=3), palette),
        "16 bits grey.png": (png(_deep(GREY), 16, 0), grey),
        "16 bits.png": (png(_deep(), 16, 2), None),
        "16 bits grey 6.png": (
            png(_deep(stored(3, GREY)), 16, 0, before=chunk(b"eXIf", exif(3)[6:])),
            grey,
        ),
        "1 bit.png": (encoded(_BIT, "PNG"), bit),
        "alpha.png": (encoded(_RGBA, "PNG"), None),
        "grey and alpha.png": (encoded(_RGBA.convert("LA"), "PNG"), grey),
        "interlaced.png": (_interlaced(), None),
        "animated.png": (_first_of("PNG"), None),
        "moving.apng": (_first_of("PNG"), None),
        "lossy.webp": (encoded(SCENE, "WEBP", quality=98), None),
        "lossless.webp": (encoded(SCENE, "WEBP", lossless=True), None),
        "alpha.webp": (encoded(_RGBA, "WEBP", lossless=True, exact=True), None),
        "lossy alpha.webp": (encoded(_RGBA, "WEBP", quality=98, exact=True), None),
        "animated.webp": (_first_of("WEBP", lossless=True), None),
        "plain.gif": (_SMALL_GIF, palette),
        "transparent.gif": (encoded(_PALETTE, "GIF", transparency=3), palette),
        "animated.gif": (
            encoded(_PALETTE, "GIF", save_all=True, append_images=[stored(3)]),
            palette,
        ),
        "larger screen.gif": (_larger_screen(), _shown(_larger_screen())),
        "plain.bmp": (encoded(SCENE, "BMP"), None),
        "palette.bmp": (encoded(_PALETTE, "BMP"), palette),
        "alpha.bmp": (encoded(_RGBA, "BMP"), None),
        "plain.tif": (encoded(SCENE, "TIFF"), None),
        "lzw.tiff": (encoded(SCENE, "TIFF", compression="tiff_lzw"), None),
        "deflate.tiff": (encoded(SCENE, "TIFF", compression="tiff_adobe_deflate"), None),
        "jpeg.tiff": (encoded(SCENE, "TIFF", compression="jpeg", quality=98), None),
        "grey.tiff": (encoded(GREY, "TIFF"), grey),
        "1 bit.tiff": (encoded(_BIT, "TIFF", compression="group4"), bit),
        "palette.tiff": (encoded(_PALETTE, "TIFF"), palette),
        "alpha.tiff": (encoded(_RGBA, "TIFF"), None),
        "cmyk.tiff": (encoded(SCENE.convert("CMYK"), "TIFF"), None),
        "16 bits grey.tiff": (_tiff(_deep(GREY).astype("<u2"), 1, 16, 1), grey),
        "16 bits white is 0.tiff": (_tiff(65535 - _deep(GREY).astype("<u2"), 1, 16, 0), grey),
        "pages.tiff": (_first_of("TIFF"), None),
        "rotated 6.tiff": (_tiff_rotated(6), grey),
        "rotated 6 lzw.tiff": (_tiff_rotated(6, compression="tiff_lzw"), grey),
        "plain.ppm": (encoded(SCENE, "PPM"), None),
        "ascii.ppm": (_plain_ppm("P3", np.asarray(SCENE), 255), None),
        "16 bits.ppm": (b"P6 64 48 65535\n" + _deep().tobytes(), None),
        "plain.pgm": (encoded(GREY, "PPM"), grey),
        "ascii.pgm": (_plain_ppm("P2", np.asarray(GREY), 255), grey),
        "16 bits.pgm": (b"P5 64 48 65535\n" + _deep(GREY).tobytes(), grey),
        "plain.pbm": (encoded(_BIT, "PPM"), bit),
        "plain.jp2": (encoded(SCENE, "JPEG2000"), None),
        "plain.avif": (encoded(SCENE, "AVIF", quality=98, subsampling="4:4:4"), None),
        "rotated 6.avif": (photograph(6, "AVIF", quality=98, subsampling="4:4:4"), None),
        "rotated 6.webp": (photograph(6, "WEBP", lossless=True), None),
    }
    for turn in range(1, 9):
        files[f"rotated {turn}.jpg"] = (photograph(turn, quality=95), None)
        files[f"rotated {turn}.png"] = (photograph(turn, "PNG"), None)
    return files


def _ycck():
    """Return a JPEG of inks that are stored as brightness, two colours, and black."""
    inks = np.asarray(SCENE.convert("CMYK"))
    rgb = Image.fromarray(inks[..., :3]).convert("YCbCr")
    four = np.concatenate([255 - np.asarray(rgb), inks[..., 3:]], axis=2)  # which it inverts
    data = bytearray(encoded(Image.fromarray(four, "CMYK"), "JPEG", quality=95))
    at = data.index(b"Adobe")
    data[at + 11] = 2  # of the inks: not as they are, but as YCCK
    return bytes(data)


def _with_thumbnail(orientation):
    """Return a photograph whose size comes after 60 kB, and another picture."""
    data = photograph(orientation, quality=95)
    small = encoded(SCENE.filter(ImageFilter.BLUR), "JPEG") * 20
    body = b"\xff\xed" + struct.pack(">H", 2 + 60_000) + (small * 20)[:60_000]
    return data[:2] + body + data[2:]


def _tiff_rotated(orientation, **options):
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[274] = orientation
    return encoded(stored(orientation, GREY), "TIFF", tiffinfo=tags, **options)


def left_out():
    """Return the files that are left out, each with words of the reason."""
    whole = {name: data for name, (data, _) in read().items()}
    box = b"\0\0\0\x1cftyp%s\0\0\0\0mif1%sabcd"
    lossless = ("alpha.png", "lossless.webp", "alpha.webp", "plain.bmp", "plain.ppm", "plain.gif")
    others = ("plain.jpg", "rotated 6.jpg", "lzw.tiff", "plain.tif", "plain.avif")
    cut = {
        f"cut {name}": (whole[name][: len(whole[name]) * 3 // 4], "not a complete image")
        for name in (*lossless, *others)
    }
    floats = np.asarray(GREY).astype("<f4")
    return cut | {
        "empty.jpg": (b"", "an empty file"),
        "text.jpg": (b"<html>Not found</html>", "not an image: expected a JPEG, PNG, "),
        "12 bits.jpg": (_frame(b"\xff\xc1", 12), "a JPEG of 12 bits, which is not read; convert"),
        "phone.heic": (box % (b"heic", b"heic"), "HEIC, which is not read; convert it to JPEG"),
        "phone.jpg": (box % (b"mif1", b"heic"), "HEIC, which is not read; convert it to JPEG"),
        "new.jxl": (b"\xff\x0a" + bytes(20), "JPEG XL, which is not read; convert it to JPEG"),
        "floats.tiff": (_tiff(floats, 3, 32, 1), "mode 'F', whose range is not known; convert it"),
        "notes.txt": (b"notes", "its name is not that of a JPEG, PNG, "),
    }


def difference(found, expected):
    """Return the mean difference of pixels; infinite if the sizes differ."""
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found.astype(float) - expected).mean())


def is_lossy(name):
    """Return whether a file does not keep the pixels exactly."""
    return bool(re.search(r"\.(jpg|JPG|jfif|jpe|mpo|avif)|lossy|named|jpeg|cmyk", name))
