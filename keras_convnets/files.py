"""Atomic file writes, and what the system says about files.

A file is either written completely or left unchanged. Only regular files are read: a pipe or a
device could block forever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from keras_convnets.printable import cut_middle

_LONGEST = 200  # characters of a path in an error
_PREFIX = 60  # bytes of a file's name in that of its temporary folder

# TensorFlow and HDF5 report the system's errors as text, with other exceptions than OSError.
_OF_THE_SYSTEM = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.EACCES,
    errno.EPERM,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ESTALE,
    errno.ENOENT,
)
_FULL = {os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}


class NotWritten(ValueError):  # noqa: N818 - names an event, as RunStopped does
    """A file could not be written; the one before it is unchanged.

    Attributes:
        what: the file and the reason, without what to do.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}")
        self.what = what


@contextlib.contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path to write to, and put the file in the place of ``target`` at the end.

    The path has the same suffix as the target, because writers choose the format by it. If the body
    raises, an existing file at ``target`` is left unchanged. A link stays, and the file that it
    leads to is replaced; a file that is replaced keeps its permissions.

    Raises:
        NotWritten: the path is not that of a file, the folder may not be written to, or the disk
            is full.
    """
    with explained(target):
        place, mode = _place(target)
        prefix = f".{short(place.name)}."
        folder = tempfile.TemporaryDirectory(
            prefix=prefix, dir=place.parent, ignore_cleanup_errors=True
        )
        with folder:
            written = Path(folder.name) / f"new{place.suffix}"
            yield written
            if mode is not None:
                written.chmod(mode)
            written.replace(place)


def check_place(target: str | os.PathLike[str]) -> None:
    """Check that a file can be written, before the long work whose result it will have.

    Raises:
        NotWritten: its folder does not exist or may not be written to, or it is no file.
    """
    with explained(target):
        place, _ = _place(target)
        if not os.access(place.parent, os.W_OK):
            number = errno.EACCES if place.parent.is_dir() else errno.ENOENT
            raise OSError(number, os.strerror(number))


def _place(target: str | os.PathLike[str]) -> tuple[Path, int | None]:
    """Return the path of the file itself, and the permissions of one that exists."""
    place = Path(os.path.realpath(target) if os.path.islink(target) else target)
    try:
        found = place.stat()
    except FileNotFoundError:
        return place, None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return place, stat.S_IMODE(found.st_mode)


@contextlib.contextmanager
def explained(target: str | os.PathLike[str]) -> Iterator[None]:
    """Say what the system refuses in the context, which writes a file or a folder, in one line.

    Raises:
        NotWritten: the system refused something.
    """
    try:
        yield
    except Exception as error:
        found = reason(error)
        if found is None:
            raise
        remedy = (
            "Make room there, or name a file on another disk."
            if found in _FULL
            else "Name a file in a folder that exists and that you may write to."
        )
        raise NotWritten(f"cannot write {shown(target)}: {found}", remedy) from error


def reason(error: BaseException) -> str | None:
    """Return why the system refused something, in its words; ``None`` for any other error.

    Examples:
        >>> reason(OSError(28, "No space left on device", "model.svg"))
        'No space left on device'
        >>> reason(RuntimeError("unable to close file, errno = 28, error message = '...'"))
        'No space left on device'
        >>> reason(ValueError("embedded null byte"))
        'embedded null byte'
        >>> reason(KeyError("name"))
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = str(error)
    if isinstance(error, UnicodeEncodeError):
        return "its name cannot be encoded"
    if isinstance(error, ValueError):  # a path with NUL; any other is meant for the user as it is
        return "embedded null byte" if "null byte" in said or "null character" in said else None
    if number := re.search(r"errno = ([0-9]+)", said):
        return os.strerror(int(number[1]))
    if not isinstance(error, OSError) and type(error).__module__.split(".")[0] != "tensorflow":
        return None
    known = (os.strerror(number) for number in _OF_THE_SYSTEM)
    words = next((words for words in known if words in said), None)
    return words or (said.split("\n")[0] or None if isinstance(error, OSError) else None)


def shown(path: str | os.PathLike[str]) -> str:
    """Return a path as an error shows it: in quotes, and shortened if it is very long."""
    return cut_middle(repr(os.fspath(path)), _LONGEST)


def short(name: str) -> str:
    """Return the start of a file's name, to which some letters can be added."""
    name = name[:_PREFIX]
    while len(os.fsencode(name)) > _PREFIX:
        name = name[:-1]
    return name


def absolute(what: str, path: str | os.PathLike[str]) -> Path:
    """Return a path that is valid from any working folder, with ``~`` replaced.

    Args:
        what: the name of the argument, for the error.
        path: the path.

    Raises:
        ValueError: there is no such user, or the working folder no longer exists.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(
            f"{what}: received {shown(path)}, but no home folder is known for it; expected a path "
            "that exists. Name it without ~."
        ) from error
    except OSError as error:
        raise ValueError(
            f"{what}: received {shown(path)}, but the working folder no longer exists. Change to "
            "one that does, or name the whole path."
        ) from error


def open_regular(file: str | bytes | os.PathLike[str]) -> BinaryIO:
    """Open a regular file, or one that a link leads to.

    Opening a pipe would wait for its writer, opening some devices has effects, and reading others
    never ends.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is not a regular file; the error says so in a few words.
    """
    return open(_opened(file)[0], "rb")


def read_regular(file: str | bytes | os.PathLike[str], most: int) -> bytes:
    """Return the contents of a regular file, or of one that a link leads to.

    Args:
        file: the file.
        most: the most bytes that it may have.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not a regular file, or larger; the error says so in a few words.
    """
    descriptor, status = _opened(file)
    size = status.st_size
    with open(descriptor, "rb", buffering=0) as stream:
        if size > most:
            raise ValueError(f"it has {size:,} bytes; expected at most {most:,}")
        parts = []
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def ends(
    file: str | bytes | os.PathLike[str], head: int, tail: int
) -> tuple[bytes, bytes, os.stat_result]:
    """Return the first and the last bytes of a regular file, and what the system says of it.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not a regular file; the error says so in a few words.
    """
    descriptor, status = _opened(file)
    with open(descriptor, "rb", buffering=0) as stream:
        # No more than its size: reading some files of the system blocks, or never ends.
        first = stream.read(min(head, status.st_size)) or b""
        if status.st_size <= max(head, tail):
            return first, first[-tail:], status
        stream.seek(-tail, os.SEEK_END)
        return first, stream.read(tail) or b"", status


def _opened(file: str | bytes | os.PathLike[str]) -> tuple[int, os.stat_result]:
    """Return the descriptor of a regular file, and what the system says of it."""
    _check_regular(os.stat(file))
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(file, flags | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        _check_regular(status)  # another file may have taken its place
    except ValueError:
        os.close(descriptor)
        raise
    return descriptor, status


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "folder" if stat.S_ISDIR(status.st_mode) else "pipe, socket or device"
        raise ValueError(f"it is a {kind}; expected a file")
