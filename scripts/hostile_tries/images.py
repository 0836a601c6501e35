"""Images as bombs, and what is no image: in bounds of memory and time, wherever they are read."""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hostile_tries.forks import Fault, contained
from hostile_tries.trying import Count, Try, command

_GIB = 2**30
_MUTATIONS = 150  # of a file of each kind
_KINDS = ("jpg", "png", "gif", "bmp", "webp")
_SIZES = (
    (60_000, 60_000), (65_535, 65_535), (1, 60_000), (60_000, 1), (9_460, 9_460), (1, 101),
    (2**16, 2**15), (0, 0), (0, 9), (9, 0),
)  # fmt: skip


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each bomb and each way to read it."""
    for kind in _KINDS:
        yield Try(f"sizes in headers of {kind}", lambda k=kind: _sizes(place / f"sizes-{k}", k))
        yield Try(
            f"mutations of {kind}", lambda k=kind: _mutated(place / f"cut-{k}", k), seconds=120
        )
    for name, make in _NO_FILES.items():
        for way in _WAYS:
            yield Try(f"{name}, {way}", lambda m=make, w=way, n=name: _no_file(place / w / n, m, w))
    for name, options in _JPEGS.items():
        yield Try(f"parts of a JPEG, {name}", lambda o=options: _parts(o))
    yield Try("parts of mutated JPEGs", _mutated_parts, seconds=120)
    yield Try("frames of a GIF", lambda: _frames(place / "frames"))
    yield Try("a run and its commands", lambda: _run(place / "run"), seconds=120)
    yield Try("the memory of the largest images", lambda: _largest(place / "large"), seconds=120)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_size(kind: str, rows: int, cols: int) -> bytes:
    """Return a small image whose header has been given another size, as far as it can hold it."""
    whole = bytearray(_encoded(kind))
    if kind == "png":
        whole[8:33] = _chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 2, 0, 0, 0))
    elif kind == "jpg":
        at = whole.index(b"\xff\xc0")
        whole[at + 5 : at + 9] = struct.pack(">HH", rows & 0xFFFF, cols & 0xFFFF)
    elif kind == "gif":
        at = whole.index(b"\x2c", 13 + 3 * 256)
        whole[at + 5 : at + 9] = struct.pack("<HH", cols & 0xFFFF, rows & 0xFFFF)
    elif kind == "bmp":
        whole[18:26] = struct.pack("<ii", cols, -rows)
    else:
        at = whole.index(b"\x9d\x01\x2a")
        whole[at + 3 : at + 7] = struct.pack("<HH", cols & 0x3FFF, rows & 0x3FFF)
    return bytes(whole)


def _encoded(kind: str) -> bytes:
    import io

    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    stream = io.BytesIO()
    name = {"jpg": "JPEG"}.get(kind, kind.upper())
    Image.fromarray(pixels).save(stream, name)
    return stream.getvalue()


def _sizes(place: Path, kind: str) -> Count:
    counts = {"refused": 0, "worked": 0}
    for rows, cols in _SIZES:
        counts[_read(place, kind, _with_size(kind, rows, cols))] += 1
    return counts


def _mutated(place: Path, kind: str) -> Count:
    """Read a small image with some bytes changed, cut off, doubled or put in."""
    whole, drawn = _encoded(kind), random.Random(kind)
    counts = {"refused": 0, "worked": 0}
    for _ in range(_MUTATIONS):
        data = bytearray(whole)
        for _ in range(drawn.randint(1, 4)):
            at = min(int(drawn.expovariate(1 / 40)), len(data) - 1)  # headers come first
            data[at : at + drawn.choice((0, 1, 1, 4))] = drawn.randbytes(drawn.choice((0, 1, 1, 4)))
        if drawn.random() < 0.3:
            del data[drawn.randrange(len(data)) :]
        counts[_read(place, kind, bytes(data))] += 1
    return counts


def _read(place: Path, kind: str, data: bytes) -> str:
    """Read an image in eager mode, with the memory of a small one."""
    from keras_convnets.images import decoding
    from keras_convnets.images.preprocessing import Preprocessing

    place.mkdir(exist_ok=True)
    file = place / f"x.{kind}"
    file.write_bytes(data)
    before = _peak()
    try:
        pixels = decoding.read_image(file)
    except ValueError as error:
        if "\n" in str(error) or not str(error).startswith(str(file)):
            raise Fault(str(error)) from error
        if _peak() > before + _GIB / 4:
            raise Fault(f"{_peak() - before:,} bytes for {error}") from error
        return "refused"
    if pixels.size < 10**7:
        Preprocessing(3, 32, 32, resize="crop")(pixels)
    if pixels.shape[0] * pixels.shape[1] > 89_478_485:
        raise Fault(f"{pixels.shape}")
    return "worked"


_JPEGS: dict[str, dict[str, object]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:2:0": {"subsampling": "4:2:0"},
    "4:1:1": {"subsampling": "4:1:1"},
    "progressive": {"progressive": True},
    "with restarts": {"restart_marker_blocks": 1},
    "with a large comment": {"comment": b"\xff\xd9" * 30_000},
    "grey": {"mode": "L"},
    "CMYK": {"mode": "CMYK", "progressive": True},
}
_PARTS = ((40, 30), (1, 1), (1, 90), (90, 1), (17, 33), (64, 8))


def _parts(options: dict[str, object]) -> Count:
    """Decode parts, at the file's size and at smaller ones, of which most are at its edges."""
    import io

    import tensorflow as tf

    from keras_convnets.images import decoding

    function, drawn = _part_of(), np.random.default_rng(0)
    mode = str(options.get("mode", "RGB"))
    count = 0
    for cols, rows in _PARTS:
        pixels = drawn.integers(0, 256, (rows, cols, 3), np.uint8)
        stream = io.BytesIO()
        saved = {key: value for key, value in options.items() if key != "mode"}
        Image.fromarray(pixels).convert(mode).save(stream, "JPEG", **saved)
        data = stream.getvalue()
        whole = decoding.decode(data).numpy()
        for _ in range(10):
            height, width = drawn.integers(1, rows + 1), drawn.integers(1, cols + 1)
            top = drawn.choice((0, rows - height, drawn.integers(0, rows - height + 1)))
            left = drawn.choice((0, cols - width, drawn.integers(0, cols - width + 1)))
            window = np.array([top, left, height, width], np.int32)
            found = function(data, window, np.array([1000, 1000], np.int32)).numpy()
            if not np.array_equal(found, whole[top : top + height, left : left + width]):
                raise Fault(f"{cols} x {rows}, {window}")
            if not function(data, window, np.array([1, 1], np.int32)).numpy().size:
                raise Fault(f"{cols} x {rows}, {window}, scaled: nothing")
            count += 2
    for length in (len(data) // 2, len(data) - 3):
        try:
            function(data[:length], np.array([0, 0, 1, 1], np.int32), np.array([9, 9], np.int32))
        except tf.errors.OpError:
            continue
        if np.array_equal(decoding.decode(data[:length]), whole):
            continue
        raise Fault(f"{length} of {len(data)} bytes are read")
    return {"worked": count, "refused": 2}


def _part_of() -> Callable[..., Any]:
    """Return a function from a file, a window and the least size to the pixels."""
    import tensorflow as tf

    from keras_convnets.images import decoding

    @tf.function(
        input_signature=[
            tf.TensorSpec((), tf.string),
            tf.TensorSpec((4,), tf.int32),
            tf.TensorSpec((2,), tf.int32),
        ]
    )
    def function(data: Any, window: Any, least: Any) -> Any:
        return decoding.part(data, lambda _: window, 3, tuple(tf.unstack(least)))[0]

    return function


def _mutated_parts() -> Count:
    """Decode the upper left pixels of JPEGs of which some bytes are others: read, or refused."""
    import tensorflow as tf

    from keras_convnets.images import contents

    function, drawn, whole = _part_of(), random.Random(1), _encoded("jpg")
    counts = {"refused": 0, "worked": 0}
    for _ in range(2 * _MUTATIONS):
        data = bytearray(whole)
        for _ in range(drawn.randint(1, 4)):
            at = min(int(drawn.expovariate(1 / 200)), len(data) - 1)
            data[at : at + drawn.choice((0, 1, 1, 4))] = drawn.randbytes(drawn.choice((0, 1, 1, 4)))
        try:
            checked = contents.checked(bytes(data))
            found = function(checked, np.array([0, 0, 3, 4], np.int32), np.array([1, 1], np.int32))
        except tf.errors.OpError:
            counts["refused"] += 1
            continue
        if not 0 < found.shape[0] <= 3 or not 0 < found.shape[1] <= 4:
            raise Fault(f"{found.shape}")
        counts["worked"] += 1
    return counts


def _peak() -> int:
    """Return the most bytes of memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _socket(path: Path) -> None:
    os.chdir(path.parent)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path.name)


def _sparse(path: Path) -> None:
    path.write_bytes(_encoded("png"))
    os.truncate(path, 2**40)


def _circle(path: Path) -> None:
    path.symlink_to(path.with_suffix(".2.png"))
    path.with_suffix(".2.png").symlink_to(path)


_NO_FILES: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "socket": _socket,
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "urandom": lambda path: path.symlink_to("/dev/urandom"),
    "tty": lambda path: path.symlink_to("/dev/tty"),
    "null": lambda path: path.symlink_to("/dev/null"),
    "proc": lambda path: path.symlink_to("/proc/self/mem"),
    "kmsg": lambda path: path.symlink_to("/proc/kmsg"),
    "folder": os.mkdir,
    "linked-folder": lambda path: path.symlink_to("/"),
    "circle": _circle,
    "itself": lambda path: path.symlink_to(path),
    "nowhere": lambda path: path.symlink_to("nowhere.png"),
    "terabyte": _sparse,
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("<html>"),
}


def _data(place: Path) -> Path:
    """Return a folder of two classes of small images."""
    for name in ("a", "b"):
        (place / name).mkdir(parents=True)
        for number in range(4):
            (place / name / f"{number}.png").write_bytes(_encoded("png"))
    return place


def _no_file(place: Path, make: Callable[[Path], object], way: str) -> str:
    root = _data(place)
    return _WAYS[way](root, root / "a" / "9.png", make)


def _alone(root: Path, path: Path, make: Callable[[Path], object]) -> str:
    from keras_convnets.images import decoding

    make(path)
    try:
        decoding.read_image(path)
    except ValueError as error:
        if not str(error).startswith(f"{path}: ") or "\n" in str(error):
            raise Fault(str(error)) from error
        return "refused"
    raise Fault("read")


def _in_a_folder(root: Path, path: Path, make: Callable[[Path], object]) -> str:
    from keras_convnets.training import load_data

    make(path)
    data = load_data(f"folder:{root}", image_size=8)
    if len(data.train) + len(data.test) != 8 or (
        not any("a/9.png" in line for line in data.skipped) and not path.is_dir()
    ):
        raise Fault(f"{data.skipped}")
    try:
        load_data(f"folder:{root}", image_size=8, strict=True)
    except ValueError:
        return "refused"
    if path.is_dir() and not path.is_symlink():  # a folder of no images, which is looked into
        return "worked"
    raise Fault("not refused by strict")


def _later(root: Path, path: Path, make: Callable[[Path], object]) -> str:
    """Take the place of an image after the folder has been looked at, inside tf.data."""
    import tensorflow as tf

    from keras_convnets.images import reading
    from keras_convnets.training import load_data, training_batches
    from keras_convnets.training.data.pipeline import explain

    reading.MEMORY = 0
    data = load_data(f"folder:{root}", image_size=8)
    path = root.parent / data.train.describe(2)
    path.unlink()
    make(path)
    try:
        list(training_batches(data, 2, seed=0, epoch=0))
    except tf.errors.OpError as error:
        said = explain(error, data)
        if said is None or not said.startswith(data.train.describe(2)) or "\n" in said:
            raise Fault(f"{said}") from error
        return "refused"
    raise Fault("read")


_WAYS = {"alone": _alone, "in a folder": _in_a_folder, "later": _later}


def _frames(place: Path) -> Count:
    """Animations whose frames together would fill the memory."""
    start = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + b"\1\2\3" * 2

    def frame(rows: int, cols: int) -> bytes:
        return b"\x2c" + struct.pack("<HHHHB", 0, 0, cols, rows, 0) + b"\2\2\x4c\1\0"

    counts = {"refused": 0, "worked": 0}
    for frames in (
        frame(1, 1) + frame(5_000, 5_000) * 10_000,
        frame(5_000, 5_000) * 10_000,
        frame(65_535, 65_535),
        frame(1, 1) + frame(65_535, 65_535),
        frame(1, 1) * 10_000,
        b"\x21\xfe" + b"\xff" + b"x" * 255 + b"\0" + frame(1, 1),
        (b"\x21\xff\0" * 100_000) + frame(1, 1),
        frame(1, 1) + b"\x21",
        b"",
        b"\x2c",
    ):
        counts[_read(place, "gif", start + frames + b";")] += 1
    return counts


def _run(place: Path) -> Count:
    """Train, evaluate and predict where bombs lie among the images."""
    root = _data(place / "data")
    os.mkfifo(root / "a" / "fifo.png")
    (root / "b" / "bomb.png").write_bytes(_with_size("png", 60_000, 60_000))
    (root / "b" / "strip.png").write_bytes(_with_size("png", 1, 60_000))
    train = ("train", "--model", "lenet_5", "--data", "folder:data", "--image-size", "32")
    train += ("--batch-size", "2", "--epochs", "1", "--out")
    bombs = [str(root / name) for name in ("a/fifo.png", "b/bomb.png", "b/strip.png")]
    for arguments, code in (
        ((*train, "out"), 0),
        ((*train, "strict", "--strict"), 2),
        (("evaluate", "out"), 0),
        (("predict", "out", str(root / "a" / "0.png"), *bombs), 2),
    ):
        ended = command(*arguments, cwd=place)
        if ended.code != code:
            raise Fault(f"{arguments}: {ended.code}: {ended.out}{ended.err}")
    if ended.err.count("keras-convnets: error: ") != 3 or "0.png" not in ended.out:
        raise Fault(f"{ended.out}{ended.err}")
    return {"worked": 2, "refused": 4}


def _largest(place: Path) -> Count:
    """The largest image that is taken, as JPEG and as PNG, and what its preprocessing needs."""
    place.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (95, 95, 3), np.uint8)
    notes = []
    for rows, cols, kind in ((9_459, 9_459, "jpg"), (946, 94_500, "png")):
        file = place / f"x.{kind}"
        Image.fromarray(noise).resize((cols, rows)).save(file, compress_level=1)
        peak = contained(lambda file=file: _peak_of(file), memory=8 * _GIB)
        notes.append(f"{cols:,} x {rows:,} pixels as {kind}: {peak / _GIB:.2f} GiB")
        file.unlink()
        if peak > 4 * _GIB:
            raise Fault(notes[-1])
    return {"worked": 2, "notes": notes}


def _peak_of(file: Path) -> int:
    from keras_convnets.images.preprocessing import Preprocessing

    before = _peak()
    Preprocessing(3, 224, 224, resize="crop").read_file(file)
    return _peak() - before
