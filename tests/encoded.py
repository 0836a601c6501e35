"""Image files made by hand, to say what no encoder says."""

import struct
import zlib


def png(rows, cols, data=b""):
    """Return a PNG whose header says this size; by default without pixels."""
    chunks = (b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0)), (b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (*chunks, (b"IEND", b""))
    )


def jpeg(rows, cols):
    """Return the start of a JPEG of this size, up to its frame; a smaller one is in a comment."""
    frame = struct.pack(">HBHHB", 11, 8, rows, cols, 1) + b"\x01\x11\x00"
    thumbnail = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 9, 9, 1) + b"\x01\x11\x00"
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    return b"\xff\xd8" + comment + b"\xff\xff\xc0" + frame + b"\xff\xd9"


def gif(*frames, screen=(9, 9)):
    """Return a GIF with a frame for each number of rows and columns, all of one colour."""
    start = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\x10\x20\x30" * 2
    return start + b"".join(_frame(*frame) for frame in frames) + b";"


def _frame(rows, cols):
    return b"\x2c" + struct.pack("<HHHHB", 0, 0, cols, rows, 0) + b"\x02" + _lzw(rows * cols)


def _lzw(pixels):
    """Return the code of as many pixels of colour 0, in parts of at most 255 bytes."""
    codes, bits = [4], ""  # 4 clears the table, before it needs codes of more than three bits
    for number in range(pixels):
        codes += [0] if number % 2 else [4, 0]
    for code in [*codes, 5]:
        bits = f"{code:03b}{bits}"
    packed = int(bits, 2).to_bytes(-(-len(bits) // 8), "little")
    parts = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def bmp(rows, cols, header=40):
    """Return the start of a BMP of this size."""
    size = struct.pack("<HH" if header == 12 else "<ii", cols, rows)
    return b"BM" + bytes(12) + struct.pack("<I", header) + size + bytes(30)


def webp(rows, cols, kind=b"VP8X"):
    """Return the start of a WebP of this size."""
    if kind == b"VP8X":
        body = bytes(4) + (cols - 1).to_bytes(3, "little") + (rows - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (rows - 1) << 14 | (cols - 1))
    else:
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", cols, rows)
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + bytes(4) + body
