"""Places that cannot be written to or read from, by every command and every call with a path."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Try, command, refused, refused_command

_KINDS = ("svg", "png", "pdf", "dot", "html")
_OLD = "before"


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    yield from _refused_files(place)
    yield from _written_files(place)
    for name, path in _PLACES.items():
        for what, call in _CALLS.items():
            if name != "no folder" or what != "train":  # which makes the folders above its own
                yield Try(f"{what}, {name}", functools.partial(_refused_call, place, call, path))
        for what, arguments in _COMMANDS.items():
            if name != "no folder" or what != "train":
                trial = functools.partial(_refused_command, place, (*arguments, path))
                yield Try(f"the command {what}, {name}", trial)


# Paths of files that cannot be written, or read, without a suffix.
_PLACES = {
    "no folder": "none/net",
    "below a file": "file/net",
    "5,000 letters": "n" * 5000,
    "256 letters": "n" * 256,
    "a path of 5,000 letters": "/".join(["n" * 49] * 100),
    "a looping link": "loop/net",
    "a dangling link": "dangling/net",
    "an unknown user": "~nosuchuser/net",
    "NUL": "a\0b",
    "a fifo as folder": "fifo/net",
    "no writing in /sys": "/sys/net",
    "no writing in /proc": "/proc/net/net/net",
    "lone surrogates": "\ud800net/a",
}


def _prepared(place: Path) -> Path:
    here = place / "here"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    os.chdir(here)
    (here / "file").write_text(_OLD)
    (here / "loop").symlink_to("loop")
    (here / "dangling").symlink_to("nowhere/at/all")
    os.mkfifo(here / "fifo")
    return here


def _tree(here: Path) -> list[str]:
    return sorted(str(path) for path in here.rglob("*"))


def _unchanged(here: Path, act: Callable[[], Any]) -> str:
    """Do what is refused, and demand that no file was made, changed or left."""
    before = _tree(here)
    act()
    if _tree(here) != before:
        raise Fault(f"left {sorted(set(_tree(here)) ^ set(before))}")
    if (here / "file").read_text() != _OLD:
        raise Fault("changed the file that existed")
    return REFUSED


def _refused_files(place: Path) -> Iterator[Try]:
    for kind in _KINDS:
        for name, path in list(_PLACES.items())[:: 1 if kind == "svg" else 4]:
            yield Try(
                f"plot, {kind}, {name}", functools.partial(_refused_plot, place, f"{path}.{kind}")
            )
        for name, make in _OBSTACLES.items():
            trial = functools.partial(_obstructed, place, f"net.{kind}", make)
            yield Try(f"plot, {kind}, {name}", trial)


def _refused_plot(place: Path, target: str) -> str:
    here = _prepared(place)
    return _unchanged(here, lambda: refused_command("plot", "lenet_5", target, cwd=here))


def _obstructed(place: Path, target: str, make: Callable[[Path], None]) -> str:
    here = _prepared(place)
    make(here / target)
    return _unchanged(here, lambda: refused_command("plot", "lenet_5", target, cwd=here))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


_OBSTACLES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a fifo": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("no/such/folder.svg"),
    "a link to a device": lambda path: path.symlink_to("/dev/full"),
    "a link to a folder": lambda path: path.symlink_to("."),
}


def _written_files(place: Path) -> Iterator[Try]:
    names: dict[str, str | bytes] = {
        "255 letters": "n" * 251 + ".svg",
        "255 bytes of two-byte letters": "é" * 125 + "n.svg",
        "bytes that are not UTF-8": b"caf\xe9.svg",
        "a line break": "a\nb.svg",
        "an escape": "a\x1b[31mb.svg",
        "a dash": "./-net.svg",
    }
    for name, target in names.items():
        yield Try(f"plot, {name}", functools.partial(_written, place, target))
    for links in (1, 3):
        yield Try(f"plot, through {links} links", functools.partial(_through_links, place, links))
    for mode in (0o600, 0o640, 0o664, 0o777):
        yield Try(f"plot, mode {mode:o}", functools.partial(_through_links, place, 0, mode))


def _written(place: Path, target: str | bytes) -> str:
    here = _prepared(place)
    ended = command("plot", "lenet_5", target, cwd=here)
    if ended.code or os.stat(os.path.join(os.fsencode(here), os.fsencode(target))).st_size < 500:
        raise Fault(f"exit code {ended.code}: {ended.err}")
    if any(path.name.startswith(".") for path in here.iterdir()) or "\x1b" in ended.out:
        raise Fault(f"left {_tree(here)}, printed {ended.out!r}")
    return WORKED


def _through_links(place: Path, links: int, mode: int = 0o640) -> str:
    """Write to a link: it stays a link, and its target is replaced and keeps its mode."""
    here = _prepared(place)
    (here / "sub").mkdir()
    path = here / "sub" / "real.svg"
    path.write_text(_OLD)
    path.chmod(mode)
    for number in range(links):
        link = here / f"link{number}.svg"
        link.symlink_to(os.path.relpath(path, here))
        path = link
    ended = command("plot", "lenet_5", str(path), cwd=here)
    real = here / "sub" / "real.svg"
    kept = path.is_symlink() == bool(links) and stat.S_IMODE(real.stat().st_mode) == mode
    if ended.code or not kept or "<svg" not in real.read_text() or len(os.listdir("sub")) > 1:
        raise Fault(f"exit code {ended.code}, {_tree(here)}: {ended.err}")
    return WORKED


def _refused_call(place: Path, call: Callable[[str], Any], path: str) -> str:
    here = _prepared(place)
    return _unchanged(here, lambda: refused(call, path))


def _refused_command(place: Path, arguments: tuple[str, ...]) -> str:
    here = _prepared(place)
    return _unchanged(here, lambda: refused_command(*arguments, cwd=here))


def _plot_curves(path: str) -> None:
    from keras_convnets.training import plot_curves

    plot_curves({"loss": [1.0]}, f"{path}.png")


def _plot_augmented(path: str) -> None:
    from keras_convnets.training import load_data, plot_augmented

    plot_augmented(load_data("digits", image_size=8), f"{path}.png")


def _plot_model(path: str) -> None:
    import keras

    from keras_convnets import plot_model

    plot_model(keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()]), f"{path}.svg")


def _train(path: str) -> None:
    from keras_convnets import ResnetBuilder
    from keras_convnets.training import load_data, train

    model = ResnetBuilder.build((1, 8, 8), 10, "basic_block", (1,))
    train(model, load_data("digits", image_size=8), path)


def _load_folder(path: str) -> None:
    from keras_convnets.training import load_data

    load_data(f"folder:{path}")


def _load_mnist(path: str) -> None:
    from keras_convnets.training import load_data

    load_data("mnist", data_dir=path)


def _open_run(path: str) -> None:
    from keras_convnets.training import open_run

    open_run(path)


def _resume(path: str) -> None:
    from keras_convnets.training import load_data, resume

    resume(path, load_data("digits", image_size=8))


_COMMANDS = {
    "train": ("train", "--out"),
    "resume": ("train", "--resume"),
    "train with data": ("train", "--data", "mnist", "--data-dir"),
    "fine-tune": ("train", "--fine-tune"),
    "load": ("list", "--load"),
    "evaluate": ("evaluate",),
}

# What the public functions do with a path, all of which refuse these places.
_CALLS = {
    "plot_augmented": _plot_augmented,
    "plot_curves": _plot_curves,
    "plot_model": _plot_model,
    "train": _train,
    "load_data": _load_folder,
    "load_data with data_dir": _load_mnist,
    "open_run": _open_run,
    "resume": _resume,
}
