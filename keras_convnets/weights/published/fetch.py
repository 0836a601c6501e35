"""Where a published file is: in a folder of the user's, in Keras' cache, or still to be fetched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
import urllib.error
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_convnets import files
from keras_convnets.printable import cut, one_line
from keras_convnets.readers.damage import DamagedFile, opened
from keras_convnets.weights.published import hub
from keras_convnets.weights.published.local_files import of_file
from keras_convnets.weights.published.published import Published, find, is_name

FOLDER = "KERAS_CONVNETS_WEIGHTS"
"""The environment variable that names the user's folder of weights."""

_CACHE = "models"  # where keras.applications keeps its files, within Keras' folder
_SECONDS = 60.0  # without an answer
_CHUNK = 1 << 20
_LONGEST = 200  # characters of a reason


def resolve(
    weights: str | os.PathLike[str], networks: Sequence[str] = ()
) -> tuple[Path, Published | None]:
    """Return the file that weights are in, and what is known of it if it is a published one.

    Args:
        weights: a file, a folder of timm's hub, or the name of published weights.
        networks: the networks that may have them; none if the weights tell.

    Raises:
        ValueError: there are no such published weights, they can be neither found nor fetched, or
            the file is not the one that was published.
    """
    path = Path(weights)
    if os.path.isfile(path / hub.MODEL):
        path = path / hub.MODEL
    if isinstance(weights, str) and _is_meant_as_name(weights) and not os.path.isfile(path):
        published = _found(weights, networks)
        return locate(published), published
    row = of_file(path)
    if row is not None and os.path.isfile(path):
        check_hash(path, row)
    return path, row


def _is_meant_as_name(weights: str) -> bool:
    """Return whether weights are called so, or by a word that is no path: a slip in a name."""
    path = Path(weights)
    is_word = path.name == weights and not path.suffix and not os.path.exists(weights)
    return is_word or is_name(weights)


def _found(name: str, networks: Sequence[str]) -> Published:
    for network in networks[1:]:
        with contextlib.suppress(ValueError):
            return find(name, network)
    return find(name, networks[0] if networks else None)


def locate(row: Published) -> Path:
    """Return the local file of published weights, which is fetched if it is not there yet.

    It is looked for in the folder that the environment variable ``KERAS_CONVNETS_WEIGHTS`` names,
    then in Keras' cache, into which it is fetched.

    Raises:
        ValueError: the file cannot be fetched, or is not the one that was published.
    """
    place = found(row)
    if place is not None:
        check_hash(place, row)
        return place
    cached = cache() / row.file
    _fetch(row, cached)
    return cached


def found(row: Published) -> Path | None:
    """Return where the file of published weights is on this machine; ``None`` if it is not.

    Raises:
        ValueError: the environment variable names no folder.
    """
    places = (*_places(row), cache() / row.file)
    return next((place for place in places if os.path.isfile(place)), None)


def folders() -> list[Path]:
    """Return the folders in which files are looked for."""
    named = os.environ.get(FOLDER)
    return [*([Path(named).expanduser()] if named else []), cache()]


def _places(row: Published) -> Iterator[Path]:
    """Yield where a file may be in the user's folder, that of the hub's cache included."""
    named = os.environ.get(FOLDER)
    if not named:
        return
    folder = Path(named).expanduser()
    if not os.path.isdir(folder):
        raise ValueError(
            f"{FOLDER}: received {files.shown(named)}, which is no folder; expected one of files "
            "of weights. Name one that exists, or unset the variable."
        )
    yield folder / row.file
    source, _, name = row.name.partition("/")
    if name:
        yield folder / name / hub.MODEL
        yield from sorted(folder.glob(f"models--{source}--{name}/snapshots/*/{hub.MODEL}"))


def cache() -> Path:
    """Return the folder in which Keras keeps the weights that it has fetched."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path("~/.keras").expanduser()) / _CACHE


def check_hash(path: Path, row: Published, fetched: bool = False) -> None:
    """Refuse a file that is not the one that was published, if its hash is.

    Raises:
        ValueError: it has another hash, or cannot be read.
    """
    kind, _, digits = row.hash.partition(":")
    if not kind:
        return
    digest = hashlib.new(kind, usedforsecurity=False)
    try:
        with opened(path) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except (OSError, DamagedFile) as error:
        raise ValueError(f"weights: cannot read {files.shown(path)} ({_reason(error)}).") from error
    if not digest.hexdigest().startswith(digits):
        what = f"what {row.address} returned" if fetched else files.shown(path)
        raise ValueError(
            f"weights: {what} is not the file that was published as {row.file}: its {kind} is "
            f"{digest.hexdigest()[: len(digits)]}; expected {digits}. Fetch it again from "
            f"{row.address}, or give a file of your own another name."
        )


def _fetch(row: Published, place: Path) -> None:
    """Fetch a file into Keras' cache; it is there only once it is whole and the right one."""
    import keras  # which takes seconds, and is needed for nothing else here

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(place) as part:
            with _from_the_network(row):
                keras.utils.get_file(
                    part.name, row.address, cache_dir=part.parent, cache_subdir="."
                )
            check_hash(part, row, fetched=True)
            _check_kind(part, row)
    except (OSError, files.NotWritten) as error:
        what = getattr(error, "what", _reason(error))
        raise ValueError(f"{_missing(row)} ({what}). {_remedy(row)}") from error


@contextlib.contextmanager
def _from_the_network(row: Published) -> Iterator[None]:
    """Explain what fails in a line; show progress beside the results, on standard error."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SECONDS)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except Exception as error:  # keras.utils.get_file raises Exception itself
        if isinstance(error.__context__, urllib.error.HTTPError):
            error.__context__.close()  # it holds the connection
        raise ValueError(f"{_missing(row)} ({_reason(error)}). {_remedy(row)}") from error
    finally:
        socket.setdefaulttimeout(before)


def _check_kind(path: Path, row: Published) -> None:
    """Refuse a page, which networks answer with that ask for a login first."""
    with path.open("rb") as stream:
        if stream.read(1) == b"<":
            raise ValueError(f"{_missing(row)} (it returned a web page). {_remedy(row)}")


def _missing(row: Published) -> str:
    return f"weights: cannot fetch {row.name!r} of {row.network} from {row.address}"


def _remedy(row: Published) -> str:
    return (
        f"Put the file, as {row.file}, into {files.shown(cache())}, or into any folder that the "
        f"environment variable {FOLDER} names."
    )


def _reason(error: BaseException) -> str:
    text = one_line(str(error)) or type(error).__name__
    return cut(text.rpartition(" -- ")[2] or text, _LONGEST)
