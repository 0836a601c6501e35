"""The sizes of many image files, from their headers: no pixels are decoded.

Only what is certain is told: the size of a regular file that begins as a JPEG or PNG of 8 or 16
bits, and ends as one. Of all others, whether they can be read is known when they are decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from keras_convnets import files
from keras_convnets.images import contents, headers
from keras_convnets.images.exif import UPRIGHT

_HEAD, _LONG_HEAD, _TAIL = 2**14, 2**18, 12  # bytes
_TOGETHER = 64  # files a task


class Look(NamedTuple):
    """What was found of a file.

    Attributes:
        size: its rows and columns; ``None`` if only decoding can tell.
        state: what `state` returns of it; ``None`` if there is no such file.
        turns: whether it may be a JPEG that is to be turned upright.
    """

    size: tuple[int, int] | None
    state: tuple[int, ...] | None
    turns: bool = False


def looks(paths: Iterable[str]) -> list[Look]:
    """Return what the headers of files tell, in order."""

    def several(some: tuple[str, ...]) -> list[Look]:
        return [_look(path) for path in some]

    left = iter(paths)
    some = iter(lambda: tuple(islice(left, _TOGETHER)), ())
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:  # they wait for the disk
        return [look for found in pool.map(several, some) for look in found]


def state(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes whenever a file does."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _look(path: str) -> Look:
    try:
        head, tail, status = files.ends(path, _HEAD, _TAIL)
        if headers.is_jpeg_before_its_frame(head):  # after a small picture, as cameras write
            head, tail, status = files.ends(path, _LONG_HEAD, _TAIL)
    except (OSError, ValueError):
        return Look(None, None)
    header = headers.certain(head, tail)
    if status.st_size > contents.MOST_BYTES or header is None:
        return Look(None, state(status), headers.may_turn(head))
    turns = header.orientation != UPRIGHT
    try:
        contents.checked_header(head)
    except contents.RefusedImageError:  # the reason is told when it is decoded
        return Look(None, state(status), turns)
    return Look(header.shown if header.rows and header.cols else None, state(status), turns)
