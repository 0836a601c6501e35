"""Who holds the lock of a run, as the file of the lock says."""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
import time
from pathlib import Path

from keras_convnets import files
from keras_convnets.training import stored

LOCK = ".lock"

_MOST_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class Holder:
    """Who holds a lock, as the file says: only to be believed while the lock is held.

    Attributes:
        pid: the number of the process.
        host: the name of its machine.
        since: since when.
        token: a word that no other holder has.
    """

    pid: int
    host: str
    since: str
    token: str

    @classmethod
    def me(cls) -> Holder:
        """Return this process."""
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(os.getpid(), socket.gethostname(), since, secrets.token_hex(8))

    @property
    def has_ended(self) -> bool:
        """Whether it was a process of this machine that is no more."""
        return self.host == socket.gethostname() and not _is_running(self.pid)

    def __str__(self) -> str:
        if (self.pid, self.host) == (os.getpid(), socket.gethostname()):
            return f"this process, since {self.since:.40}"
        return f"process {self.pid} on {self.host:.100}, since {self.since:.40}"


def holder_in(folder: Path) -> Holder | None:
    """Return whom the file names; ``None`` if it is not there, or names nobody."""
    try:
        return stored.read(Holder, stored.parse(files.read_regular(folder / LOCK, _MOST_BYTES)))
    except (OSError, ValueError):
        return None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's, or no process can have this number
        return True
    return True
