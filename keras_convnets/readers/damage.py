"""What all readers share: opening a file, reading as many bytes as there are, and its damage."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from keras_convnets import files
from keras_convnets.printable import cut, one_line

if TYPE_CHECKING:  # the command line lists names without NumPy
    import numpy as np

_CHUNK = 1 << 20
_LONGEST = 200  # characters of a reason
_NO_DIRECTORY = "File is not a zip file"  # as zipfile says, though it begins as one
_INFLATED = 256 << 20
_NO_WORDS: dict[type[BaseException], str] = {
    MemoryError: "it needs more memory than there is",
    RecursionError: "it is nested too deeply",
}


class DamagedFile(ValueError):  # noqa: N818 - what a file is
    """A file is not what it should be. The message is one line that says why."""


class Readable(Protocol):
    """A stream of bytes, such as a file or what a file inflates to."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most ``size`` bytes, and none at the end."""


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Turn whatever a reader raises into `DamagedFile`, lack of memory included."""
    try:
        yield
    except DamagedFile:
        raise
    except Exception as error:
        raise DamagedFile(reason(error)) from error


def reason(error: BaseException) -> str:
    """Return the first line of an error's message; a short one that can be printed."""
    if type(error) in _NO_WORDS:
        return _NO_WORDS[type(error)]
    if isinstance(error, zipfile.BadZipFile) and str(error) == _NO_DIRECTORY:
        return "its end is cut off or damaged, where a zip file lists its contents"
    if isinstance(error, KeyError):
        return f"it lacks {shown(str(error))}"
    strerror = error.strerror if isinstance(error, OSError) else None
    lines = [line for line in (strerror or str(error)).splitlines() if line.strip()]
    return shown(lines[0].strip().rstrip(".")) if lines else type(error).__name__


def shown(text: object) -> str:
    """Return text from a file as a part of a line."""
    return cut(one_line(str(text)[: _LONGEST + 1]), _LONGEST)


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a regular file and nothing else: a pipe or a device could block forever.

    Raises:
        FileNotFoundError: there is no such file.
        NotADirectoryError: likewise, because its folder is a file.
        DamagedFile: it cannot be opened, or is not a regular file.
    """
    try:
        stream = files.open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError) as error:
        raise DamagedFile(reason(error)) from error
    with stream:
        yield stream


def size_of(stream: BinaryIO) -> int:
    """Return the bytes of an open file."""
    return os.fstat(stream.fileno()).st_size


def whole(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the contents of a regular file.

    Raises:
        FileNotFoundError: there is no such file.
        NotADirectoryError: likewise, because its folder is a file.
        DamagedFile: it cannot be read, is not a regular file, or has more than ``most`` bytes.
    """
    try:
        return files.read_regular(path, most)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError, MemoryError) as error:
        raise DamagedFile(reason(error)) from error


def allowed(size: int) -> int:
    """Return to how many bytes a file of ``size`` bytes may inflate.

    The files that are meant to be read inflate to at most five times their size, and small ones
    to less than 256 MiB.
    """
    return _INFLATED + 4 * size


def take(stream: Readable, size: int) -> bytearray:
    """Read exactly ``size`` bytes; the memory taken grows with the bytes that are there."""
    found = bytearray()
    while len(found) < size:
        chunk = stream.read(min(_CHUNK, size - len(found)))
        if not chunk:
            raise DamagedFile(f"it ends after {len(found):,} of {size:,} bytes")
        found += chunk
    return found


def block(stream: BinaryIO, size: int) -> np.ndarray:
    """Read exactly ``size`` bytes of a file, which must be there, into memory taken once."""
    left = size_of(stream) - stream.tell()
    if not 0 <= size <= left:
        raise DamagedFile(f"it ends after {max(left, 0):,} of {size:,} bytes")
    import numpy as np

    found = np.empty(size, np.uint8)
    read = stream.readinto(found)  # type: ignore[attr-defined]
    if read != size:  # another process has cut it
        raise DamagedFile(f"it ends after {read:,} of {size:,} bytes")
    return found


class Limited:
    """A stream from which at most a number of bytes can be read.

    Args:
        stream: the stream.
        most: how many bytes may be read from it.
    """

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream, self._most, self._left = stream, most, most

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes, and none at the end."""
        size = _CHUNK if size < 0 else min(size, _CHUNK)
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise DamagedFile(f"it inflates to more than {self._most:,} bytes")
        return chunk

    def finish(self) -> None:
        """Read to the end, where the checksum of a compressed stream is."""
        while self.read():
            pass
