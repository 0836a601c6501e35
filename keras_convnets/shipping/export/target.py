"""The file that is written: refused before any work where it cannot be written at the end."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from keras_convnets import checks, files
from keras_convnets.replacing_all import replacing_all
from keras_convnets.shipping.card.place import CARD, is_others
from keras_convnets.shipping.engines.kinds import (
    OPENVINO,
    PRECISIONS,
    SAVED_MODEL,
    Kind,
    check_installed,
    kind_of,
)

LEAST_CALIBRATION = 16
"""The images that 8-bit integers need, to see which values occur."""
_INT8 = "int8"
_OF_SAVED_MODEL = {
    *(
        "saved_model.pb",
        "fingerprint.pb",
        "keras_metadata.pb",
        "variables",
        "assets",
        "assets.extra",
    ),
    CARD,
}
_REPLACE = "Name another, or replace it by --overwrite (overwrite=True)"


def check_file(path: Path, precision: str, is_calibrated: bool, overwrite: bool) -> Kind:
    """Return the kind of the file to write; refuse what can be refused without the model.

    Raises:
        ValueError: no kind has its suffix, something is not installed, the kind has no such
            precision, or the path cannot be written.
    """
    kind = kind_of(path)
    checks.choice("precision", precision, PRECISIONS)
    if precision not in kind.precisions:
        raise ValueError(
            f"precision: received {precision!r} for {files.shown(path)}; expected "
            f"{' or '.join(map(repr, kind.precisions))}, which files of {kind.runtime} can have. "
            "Choose one, or another kind of file."
        )
    if is_calibrated != (precision == _INT8):
        if is_calibrated:
            what = f"received images for the precision {precision!r}; expected none"
            remedy = f"Leave --calibrate (calibrate) out, or ask for {_INT8!r}"
        else:
            what = (
                f"received none; expected at least {LEAST_CALIBRATION} images for the precision "
                f"{_INT8!r}, to see which values occur"
            )
            remedy = "Pass some of those that the model was trained on by --calibrate (calibrate)"
        raise ValueError(f"calibrate: {what}. {remedy}.")
    _check_target(path, kind, overwrite)
    check_installed(kind, True, precision)
    return kind


def _check_target(path: Path, kind: Kind, overwrite: bool) -> None:
    """Refuse a path that cannot be written, or where something stands that is not to be replaced.

    A folder is replaced only if it holds nothing but a SavedModel.
    """
    _check_parent(path)
    for one in parts(path, kind):
        if os.path.lexists(one):
            _check_existing(one, kind, overwrite)


def parts(path: Path, kind: Kind) -> tuple[Path, ...]:
    """Return the files of an export, or its folder.

    Examples:
        >>> from keras_convnets.shipping.engines.kinds import OPENVINO
        >>> [part.name for part in parts(Path("net.xml"), OPENVINO)]
        ['net.xml', 'net.bin']
    """
    return (path, path.with_suffix(".bin")) if kind is OPENVINO else (path,)


def size(path: Path, kind: Kind) -> int:
    """Return the bytes of an export."""
    found = [path] if kind is not SAVED_MODEL else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in (*found, *parts(path, kind)[1:]))


def replaced(path: Path, kind: Kind) -> contextlib.AbstractContextManager[Path]:
    """Return a context in which an export is written to a temporary path, which it yields."""
    return replacing_all(path) if kind in (SAVED_MODEL, OPENVINO) else files.replacing(path)


def _check_parent(path: Path) -> None:
    parent = path.absolute().parent
    if not path.name:
        raise _refused(path, "which is no name of a new folder", "Name one, such as net")
    if not parent.is_dir():
        what = "whose folder is a file" if parent.exists() else "whose folder does not exist"
        raise _refused(path, what, f"Make it first: mkdir -p {parent}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise _refused(path, "in a folder that you may not write to", "Name another folder")


def _check_existing(path: Path, kind: Kind, overwrite: bool) -> None:
    if path.is_dir() != (kind is SAVED_MODEL):
        is_a = "a folder" if path.is_dir() else "a file"
        wants = "a folder for a SavedModel" if kind is SAVED_MODEL else f"a file {kind.suffix}"
        raise _refused(path, f"which is {is_a}", f"Name {wants} that does not exist")
    if not overwrite:
        raise _refused(path, "which exists", _REPLACE)
    if kind is not SAVED_MODEL:
        if not path.is_file() or not os.access(path, os.W_OK):
            raise _refused(path, "which may not be replaced", "Name another")
        return
    theirs = [CARD] if is_others(path / CARD) else []
    others = theirs or sorted(set(os.listdir(path)) - _OF_SAVED_MODEL)
    if others:
        what = f"a folder that also holds {files.shown(others[0])}"
        raise _refused(path, what, "Name another; only a SavedModel is replaced")


def _refused(path: Path, what: str, remedy: str) -> ValueError:
    return ValueError(
        f"path: received {files.shown(path)}, {what}; expected a new name in a folder that exists. "
        f"{remedy}."
    )
