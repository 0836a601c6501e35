"""Photographs as cameras, scanners and the web make them: whole, damaged, and lies."""

from __future__ import annotations

import json
import random
import resource
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile_tries.forks import Fault
from hostile_tries.trying import Count, Try, check_line, command

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

import odd_images  # noqa: E402 - of the tests

_MUTATIONS = 12  # of each file
_MOST = 2**28  # bytes of memory for a small image


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each way to spoil a photograph, and for commands that meet all of them."""
    yield Try("mutations of odd images", _mutated, seconds=120)
    for name, make in _LIARS.items():
        yield Try(name, lambda make=make: _lied(make()))
    yield Try("any bytes after any start", _starts)
    yield Try("commands on odd images", lambda: _commands(place / "run"), seconds=120)


def _taken(data: bytes) -> str:
    """Read an image as all do, in the memory of a small one."""
    from keras_convnets.images import decoding

    warnings.simplefilter("ignore")  # Pillow's, of damaged metadata
    before = _peak()
    try:
        pixels = decoding.read_contents("x", data)
    except ValueError as error:
        check_line(str(error))
        pixels = None
    if _peak() > before + _MOST and (pixels is None or pixels.size < 10**7):
        raise Fault(f"{_peak() - before:,} bytes of memory")
    return "refused" if pixels is None else "worked"


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _mutated() -> Count:
    """Change, cut off, double or put in some bytes; most of them in headers."""
    counts, drawn = {"refused": 0, "worked": 0}, random.Random(0)
    for data, _ in odd_images.read().values():
        for _ in range(_MUTATIONS):
            spoilt = bytearray(data)
            for _ in range(drawn.randint(1, 4)):
                at = min(int(drawn.expovariate(1 / 60)), len(spoilt) - 1)
                at = at if drawn.random() < 0.8 else drawn.randrange(len(spoilt))
                spoilt[at : at + drawn.choice((0, 1, 1, 4))] = drawn.randbytes(
                    drawn.choice((0, 1, 1, 4))
                )
            counts[_taken(bytes(spoilt))] += 1
    return counts


def _starts() -> Count:
    from keras_convnets.images import kinds

    counts, drawn = {"refused": 0, "worked": 0}, random.Random(1)
    starts = [
        *kinds._STARTS,
        b"P1\n",
        b"P6 9 9 255 ",
        b"RIFF\0\0\0\0WEBPVP8X",
        b"\0\0\0\x14ftypavif",
    ]
    for start in starts:
        for length in (0, 1, 7, 40, 400):
            counts[_taken(start + drawn.randbytes(length))] += 1
            counts[_taken(start + bytes(length))] += 1
    return counts


def _lied(data: bytes) -> str:
    if _taken(data) != "refused":
        raise Fault("read")
    return "refused"


def _tags(order: str = "<", each: int = 2**20) -> bytes:
    """Return tags of which each says that its value is the whole file."""
    count = 5_000
    rows = [(256, 4, 1, 9), (257, 4, 1, 9), *((n, 1, each, 8) for n in range(1_000, 1_000 + count))]
    return struct.pack(f"{order}H", len(rows)) + b"".join(
        struct.pack(f"{order}HHII", *row) for row in rows
    )


def _tiff() -> bytes:
    return b"II*\0" + struct.pack("<I", 2**20) + bytes(2**20 - 8) + _tags() + bytes(4)


def _tiff_beside() -> bytes:
    """Return a TIFF whose first tags lead to those of a camera, which fill the memory."""
    rows = [(256, 4, 1, 9), (257, 4, 1, 9), (0x8769, 4, 1, 2**20)]
    start = struct.pack("<H", 3) + b"".join(struct.pack("<HHII", *row) for row in rows)
    return b"II*\0" + struct.pack("<I", 8) + start.ljust(2**20 - 8, b"\0") + _tags() + bytes(4)


def _large_jpeg_2000() -> bytes:
    data = bytearray(odd_images.encoded(odd_images.SCENE, "JPEG2000"))
    for box in (b"ihdr", b"\xff\x51"):
        at = data.index(box) + (4 if box == b"ihdr" else 6)
        data[at : at + 8] = struct.pack(">II", 60_000, 60_000)
    return bytes(data)


_LIARS: dict[str, Callable[[], bytes]] = {
    "tags that fill the memory": _tiff,
    "tags beside tags": _tiff_beside,
    "a TIFF without an end": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(400),
    "a large TIFF of 2**63 tags": lambda: b"II+\0\x08\0\0\0" + b"\x10" + bytes(7) + b"\xff" * 400,
    "a PPM of 10**18 pixels": lambda: b"P6 1000000000 1000000000 255 ",
    "a PPM as wide as a line": lambda: b"P3 " + b"9" * 5_000 + b" 9 255 1 2 3",
    "a JPEG 2000 of 60,000 x 60,000": _large_jpeg_2000,
    "a GIF of 65,535 x 65,535": lambda: (
        b"GIF89a" + b"\xff" * 4 + odd_images.read()["plain.gif"][0][10:]
    ),
}


def _commands(place: Path) -> Count:
    """Train, evaluate and predict where odd images lie among the others."""
    files = {name: data for name, (data, _) in odd_images.read().items()}
    wrong = {name: data for name, (data, _) in odd_images.left_out().items()}
    for label in ("cat", "dog"):
        (place / "pets" / label).mkdir(parents=True)
        for name, data in (files | wrong).items():
            (place / "pets" / label / name).write_bytes(data)
    options = ("--model", "lenet_5", "--data", "folder:pets", "--image-size", "32", "--epochs", "1")
    train = ("train", *options, "--recipe", "quick", "--out")
    said = {}
    for arguments, code in (
        ((*train, "out", "--dry-run"), 0),
        ((*train, "strict", "--strict"), 2),
        ((*train, "out"), 0),
        (("predict", "out", "pets", "--format", "json"), 2),
    ):
        ended = command(*arguments, cwd=place)
        if ended.code != code:
            raise Fault(f"{arguments}: {ended.code}: {ended.out[-300:]}{ended.err[-300:]}")
        said[arguments[-1]] = ended
    count = f"{2 * len(wrong)} files"
    plan, run = said["--dry-run"].out, said["out"].out + said["out"].err
    if f"left out       {count}" not in plan or f"left out: {count}" not in run:
        raise Fault(f"{said['--dry-run'].out[-2_000:]}")
    kept = (place / "out" / "config.json").read_text() + (place / "out" / "report.html").read_text()
    for name in wrong:
        if kept.count(f"/{name}") < 2 or f"/{name}: " not in said["json"].out:
            raise Fault(f"{name}: not named")
    if len(json.loads(said["json"].out)["images"]) != 2 * len(files):
        raise Fault("some images have no prediction")
    return {"worked": 3, "refused": 1}
