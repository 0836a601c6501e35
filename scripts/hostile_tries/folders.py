"""Folders that hold more, or less, than they seem to: nothing is left out in silence."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hostile_tries.forks import Fault, hold_to_permissions
from hostile_tries.trying import Count, Try, check_line, command

_EACH = 4  # images of a class


def tries(place: Path) -> Iterator[Try]:
    """Yield a try for each odd folder: what is left out is named, and refused if strict."""
    for number, (name, (change, says)) in enumerate(_LEFT_OUT.items()):
        yield Try(name, lambda n=number, c=change, s=says: _left_out(place / f"left{n}", c, s))
    for number, (name, (change, says)) in enumerate(_REFUSED.items()):
        yield Try(name, lambda n=number, c=change, s=says: _refused(place / f"no{n}", c, s))
    for number, (name, change) in enumerate(_TAKEN.items()):
        yield Try(name, lambda n=number, c=change: _taken(place / f"yes{n}", c))
    for number, (name, change) in enumerate(_VANISHING.items()):
        yield Try(
            f"after the scan: {name}", lambda n=number, c=change: _later(place / f"late{n}", c)
        )
    yield Try("what is kept of a folder, mutated", lambda: _mutated(place / "kept"))
    yield Try("what is kept of a folder, by several at once", lambda: _at_once(place / "once"))
    yield Try("the command names what is left out", lambda: _command(place / "command"))


def _image(path: Path, number: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def _classes(root: Path, names: tuple[str, ...] = ("a", "b")) -> Path:
    for label, name in enumerate(names):
        for number in range(_EACH):
            _image(root / name / f"{number}.png", 10 * label + number)
    return root


def _load(root: Path, **options: Any) -> Any:
    from keras_convnets.training import load_data

    with contextlib.ExitStack() as after:
        after.callback(hold_to_permissions())
        return load_data(f"folder:{root}", image_size=8, **options)


def _error(root: Path, **options: Any) -> str:
    try:
        found = _load(root, **options)
    except ValueError as error:
        check_line(str(error))
        return str(error)
    raise Fault(f"loaded, without {found.skipped}")


def _left_out(root: Path, change: Callable[[Path], object], says: str) -> Count:
    change(_classes(root))
    try:
        return _checked_left_out(root, says)
    finally:
        _remove(root)


def _remove(root: Path) -> None:
    """Remove a folder, however deep: Python's own way of it calls itself for each folder in one."""
    subprocess.run(["rm", "-rf", root], check=True)


def _checked_left_out(root: Path, says: str) -> Count:
    lines = [line for line in _load(root).skipped if says in line]
    if not lines or not all(line.startswith(f"{root.name}/") for line in lines):
        raise Fault(f"{_load(root).skipped}; expected {says!r}")
    if "expected images only" not in _error(root, strict=True):
        raise Fault("refused for another reason")
    return {"worked": 1, "refused": 1}


def _refused(root: Path, change: Callable[[Path], object], says: str) -> Count:
    change(_classes(root))
    for strict in (False, True):
        if says not in _error(root, strict=strict) and not strict:
            raise Fault(f"{_error(root)}; expected {says!r}")
    return {"refused": 2}


def _taken(root: Path, change: Callable[[Path], object]) -> Count:
    change(_classes(root))
    try:
        found = _load(root), _load(root, strict=True)
    finally:
        _remove(root)
    counts = {len(data.train) + len(data.test) for data in found}
    if counts != {2 * _EACH + 1}:
        raise Fault(f"{counts} images")
    return {"worked": 2}


def _kept(place: Path) -> tuple[Path, Path]:
    """Return a folder of which all is kept, its images not in memory, and what is kept."""
    from keras_convnets.images import reading
    from keras_convnets.training.data import known_files

    root = _classes(place / "data")
    os.environ["KERAS_HOME"] = str(place / "home")
    reading.MEMORY, known_files.FEWEST, known_files._SETTLED = 0, 1, -(10**12)
    _load(root)
    [kept] = (place / "home" / "keras_convnets" / "folders").iterdir()
    return root, kept


def _found(root: Path) -> tuple[Any, ...]:
    data = _load(root)
    names = [data.train.describe(number) for number in range(len(data.train))]
    return names, data.skipped, data.preprocessing


def _mutated(place: Path) -> Count:
    """Change, cut, double and replace what is kept: the data stay what they are."""
    root, kept = _kept(place)
    expected, whole, drawn = _found(root), kept.read_bytes(), random.Random(0)
    for _ in range(12):
        data = bytearray(whole)
        at = drawn.randrange(len(data))
        data[at : at + drawn.choice((0, 1, 40))] = drawn.randbytes(drawn.choice((0, 1, 9)))
        if drawn.random() < 0.3:
            del data[drawn.randrange(len(data)) :]
        if drawn.random() < 0.5:  # whoever changed it knows how it is signed
            body = bytes(data).partition(b"\n")[2]
            data = bytearray(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        kept.write_bytes(data)
        if _found(root) != expected:
            raise Fault(f"{bytes(data)!r}")
    for change in (
        lambda: os.mkfifo(kept),
        lambda: kept.mkdir(),
        lambda: kept.symlink_to(kept),
        lambda: kept.symlink_to("/dev/zero"),
        lambda: kept.touch(0o000),
        lambda: kept.write_bytes(whole),
    ):
        (shutil.rmtree if kept.is_dir() and not kept.is_symlink() else os.unlink)(kept)
        change()
        if _found(root) != expected:
            raise Fault("other data")
        if not os.path.lexists(kept):
            kept.touch()
    return {"worked": 18}


def _at_once(place: Path) -> Count:
    """Many look at a folder at once, and keep what they find: each sees a whole file."""
    from keras_convnets.training.data.known_files import KnownFiles

    root, kept = _kept(place)
    paths = [str(path) for path in sorted(root.rglob("*.png"))]

    def look(number: int) -> list[tuple[int, int] | None]:
        known = KnownFiles(root)
        found = known.sizes(paths)
        if number % 3 == 0:
            kept.write_bytes(b"what another version writes")
        known.keep()
        return found

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, range(200)))
    if found != [[(9, 9)] * len(paths)] * 200 or list(kept.parent.iterdir()) != [kept]:
        raise Fault(f"{list(kept.parent.iterdir())}")
    return {"worked": 200}


def _elsewhere(root: Path) -> Path:
    """Return a folder with an image, outside of the data."""
    _image(root.parent / f"{root.name}-else" / "9.png", 99)
    return root.parent / f"{root.name}-else"


def _shut(path: Path, mode: int = 0) -> None:
    path.chmod(mode)


def _nested(root: Path, depth: int, name: str = "d") -> None:
    """Make folders in folders, each from within the one before, past the longest path."""
    before = os.getcwd()
    os.chdir(root / "a")
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save("9.png")
    os.chdir(before)


_SHUT, _LINKED = "a folder that cannot be listed", "a link to a folder, which is not followed"
_LEFT_OUT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder without any permission": (
        lambda root: (_image(root / "a" / "x" / "9.png"), _shut(root / "a" / "x")),
        _SHUT,
    ),
    "a folder that can be entered but not listed": (
        lambda root: (_image(root / "a" / "x" / "9.png"), _shut(root / "a" / "x", 0o111)),
        _SHUT,
    ),
    "a folder that can be listed but not entered": (
        lambda root: (_image(root / "a" / "x" / "9.png"), _shut(root / "a" / "x", 0o444)),
        "may not be read",
    ),
    "a file without permission": (
        lambda root: (_image(root / "a" / "9.png"), _shut(root / "a" / "9.png")),
        "may not be read",
    ),
    "a link to a folder outside": (
        lambda root: (root / "a" / "x").symlink_to(_elsewhere(root)),
        _LINKED,
    ),
    "a link to another class": (lambda root: (root / "a" / "x").symlink_to("../b"), _LINKED),
    "a link to the class itself": (lambda root: (root / "a" / "x").symlink_to("."), _LINKED),
    "a link to the root": (lambda root: (root / "a" / "x").symlink_to(root), _LINKED),
    "a link to /": (lambda root: (root / "a" / "x").symlink_to("/"), _LINKED),
    "a link to nothing": (lambda root: (root / "a" / "x.png").symlink_to("y"), "no such file"),
    "a link to itself": (
        lambda root: (root / "a" / "x.png").symlink_to("x.png"),
        "Too many levels of symbolic links",
    ),
    "a class that is a link to nothing": (
        lambda root: (root / "c").symlink_to("nothing"),
        "a broken link",
    ),
    "a class that is a link to itself": (
        lambda root: (root / "c").symlink_to("c"),
        "a broken link",
    ),
    "a hard link to an image of another class": (
        lambda root: os.link(root / "a" / "0.png", root / "b" / "x.png"),
        "the same file as",
    ),
    "a link to an image of another class": (
        lambda root: (root / "b" / "x.png").symlink_to(root / "a" / "0.png"),
        "of another class",
    ),
    "folders nested deeper than a path can be": (
        lambda root: _nested(root, 30, "d" * 200),
        "File name too long",
    ),
    "an image beside the classes": (
        lambda root: _image(root / "x.png"),
        "an image beside the class folders",
    ),
    "a folder beside those of training and test images": (
        lambda root: (
            *map(_classes, (root / "Train", root / "valid", root / "x")),
            [shutil.rmtree(root / name) for name in ("a", "b", "x/a")],
        ),
        "beside those of training and test images",
    ),
    "a test folder of loose images": (
        lambda root: (
            _classes(root / "train"),
            [shutil.rmtree(root / name) for name in "ab"],
            _image(root / "test" / "x.png"),
        ),
        "a folder of test images without class folders",
    ),
    "a test image that is trained on": (
        lambda root: (
            _classes(root / "train"),
            _classes(root / "test"),
            [shutil.rmtree(root / name) for name in "ab"],
            (root / "test" / "a" / "x.png").symlink_to(root / "train" / "a" / "0.png"),
        ),
        "which is trained on",
    ),
}
_REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a root without permission": (_shut, "cannot be listed: Permission denied"),
    "a root that can be entered but not listed": (
        lambda root: _shut(root, 0o111),
        "cannot be listed",
    ),
    "a class without permission": (lambda root: _shut(root / "a"), _SHUT),
    "an empty class": (lambda root: (root / "c").mkdir(), "the class 'c' has no images"),
    "a class of hidden files": (
        lambda root: _image(root / "c" / ".x.png"),
        "the class 'c' has no images",
    ),
    "a class that is a link to another": (
        lambda root: (root / "c").symlink_to("a"),
        "the class 'c' has no images",
    ),
    "a class that is a link to the root": (
        lambda root: (root / "c").symlink_to("."),
        "the class 'c' has no images",
    ),
    "a first class that is a link to the root": (
        lambda root: (root / "A").symlink_to("."),
        "the class 'a' has no images",
    ),
    "a test folder that is a link to the training images": (
        lambda root: (
            _classes(root / "train"),
            [shutil.rmtree(root / name) for name in "ab"],
            (root / "test").symlink_to("train"),
        ),
        "has no images",
    ),
    "parts that hold no class folders": (
        lambda root: (
            [shutil.move(root / old, root / new) for old, new in (("a", "train"), ("b", "Valid"))],
        ),
        "looks like the training images",
    ),
    "two folders of validation images": (
        lambda root: (
            [_classes(root / name) for name in ("train", "val", "dev")],
            [shutil.rmtree(root / name) for name in "ab"],
        ),
        "each could be the validation images",
    ),
    "folders that hold the classes": (
        lambda root: (
            [_classes(root / name) for name in ("one", "two")],
            [shutil.rmtree(root / name) for name in "ab"],
        ),
        "hold folders of the same names",
    ),
    "one class": (lambda root: shutil.rmtree(root / "b"), "expected at least two"),
    "no root": (shutil.rmtree, "expected a folder that exists"),
    "a root that is a file": (
        lambda root: (shutil.rmtree(root), root.touch()),
        "expected a folder that exists",
    ),
    "a root that is a fifo": (
        lambda root: (shutil.rmtree(root), os.mkfifo(root)),
        "expected a folder that exists",
    ),
    "a root that is a link to itself": (
        lambda root: (shutil.rmtree(root), root.symlink_to(root)),
        "expected a folder that exists",
    ),
}  # fmt: skip
_TAKEN: dict[str, Callable[[Path], object]] = {
    "hidden files and folders": lambda root: (
        _image(root / "a" / "9.png"),
        _image(root / "a" / ".x.png"),
        _image(root / "a" / ".x" / "1.png"),
        _image(root / ".x" / "1.png"),
    ),
    "folders in folders": lambda root: _image(root / "a" / "x" / "y" / "9.png"),
    "a thousand folders in folders": lambda root: _nested(root, 1_500),
    "a class that is a link to a folder outside": lambda root: (
        shutil.move(root / "a", root.parent / f"{root.name}-a"),
        (root / "a").symlink_to(root.parent / f"{root.name}-a"),
        _image(root / "a" / "9.png"),
    ),
    "a link to an image outside": lambda root: (root / "a" / "9.png").symlink_to(
        _elsewhere(root) / "9.png"
    ),
    "an image twice in one class": lambda root: os.link(root / "a" / "0.png", root / "a" / "x.png"),
    "files beside the classes": lambda root: (
        _image(root / "a" / "9.png"),
        (root / "README").touch(),
    ),
    "names that differ in case": lambda root: _image(root / "a" / "0.PNG"),
}


def _later(root: Path, change: Callable[[Path], object]) -> str:
    """Change the folder after it has been looked at; the image that is missing is named."""
    import tensorflow as tf

    from keras_convnets.images import reading
    from keras_convnets.training import load_data, training_batches
    from keras_convnets.training.data.pipeline import explain

    reading.MEMORY = 0
    data = load_data(f"folder:{_classes(root)}", image_size=8)
    change(root)
    try:
        list(training_batches(data, 2, seed=0, epoch=0))
    except tf.errors.OpError as error:
        check_line(explain(error, data) or "")
        return "refused"
    raise Fault("trained on")


_VANISHING: dict[str, Callable[[Path], object]] = {
    "no files": lambda root: [path.unlink() for path in root.glob("a/*")],
    "no folder": lambda root: shutil.rmtree(root / "a"),
    "no root": shutil.rmtree,
    "a file in the place of the root": lambda root: (shutil.rmtree(root), root.touch()),
    "empty files": lambda root: [os.truncate(path, 0) for path in root.glob("a/*")],
    "a link to itself": lambda root: (
        shutil.rmtree(root / "a"),
        (root / "a").symlink_to(root / "a"),
    ),
}


def _command(place: Path) -> Count:
    root = _classes(place / "data")
    (root / "a" / "x").symlink_to("../b")
    arguments = ("train", "--model", "lenet_5", "--data", "folder:data", "--image-size", "32")
    arguments += ("--batch-size", "2", "--epochs", "1", "--out", "out")
    strict = command(*arguments, "--strict", cwd=place)
    if strict.code != 2 or "which is not followed" not in strict.err or (place / "out").exists():
        raise Fault(f"{strict}")
    done = command(*arguments, cwd=place)
    if done.code or "data/a/x: a link to a folder, which is not followed" not in done.out:
        raise Fault(f"{done}")
    if "which is not followed" not in (place / "out" / "report.html").read_text():
        raise Fault("the report does not name what is left out")
    return {"worked": 1, "refused": 1}
