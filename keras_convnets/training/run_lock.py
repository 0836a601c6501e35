"""The lock of a run: at most one process trains it.

The system takes the lock away when its process ends, however it ends, so that a killed process
leaves none. ``fcntl.flock`` alone decides: that the file of the lock exists means nothing, and what
it contains only tells others who holds the lock. So those who try do not truncate it (as some
libraries for locks do), and where a file system has no locks, no other kind takes their place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import stat
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from keras_convnets import files
from keras_convnets.errors import RunStopped
from keras_convnets.training.lock_holder import LOCK, Holder, holder_in

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_UNNAMED = "another process, which the lock does not name"
_PATIENCE = 10.0  # seconds for the lock of a process that has ended to go away
_PAUSE = 0.05
_TAKEN = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


class LockedError(ValueError):
    """Another process holds the lock of a run."""


class RunLock:
    """The lock of a run's folder, held from `acquire` to `release`.

    Attributes:
        folder: the folder; to be set anew by whoever renames it.
        is_exclusive: whether others are kept out; false where the file system has no locks.
    """

    def __init__(self, folder: Path, descriptor: int, holder: Holder, is_exclusive: bool) -> None:
        self.folder, self.is_exclusive = folder, is_exclusive
        self._descriptor: int | None = descriptor
        self._holder = holder
        _held.add(self)

    def check(self) -> None:
        """Refuse to go on unless the folder is still there, and still this process's.

        Raises:
            RunStopped: it was moved, removed or replaced.
        """
        if self._descriptor is None or holder_in(self.folder) != self._holder:
            raise RunStopped(
                f"{files.shown(self.folder)}, the folder of this run, was moved, removed, replaced "
                "or taken by another process; nothing more is written to it. If it was moved, "
                "go on with --resume where it is now."
            )
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)  # what cleans up unused files leaves it alone

    def release(self) -> None:
        """Let others have the folder; the file goes away."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            if holder_in(self.folder) == self._holder:
                (self.folder / LOCK).unlink()
        os.close(descriptor)
        _held.discard(self)

    def forget(self) -> None:
        """Give up this process's share in the lock of the process that it was forked from."""
        if self._descriptor is not None:
            os.close(self._descriptor)  # without unlocking it, which would be for both
            self._descriptor = None


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


@contextlib.contextmanager
def holding(folder: Path, wanted: bool = True) -> Iterator[RunLock | None]:
    """Hold the lock of a run within a context.

    Args:
        folder: the folder of the run.
        wanted: whether to lock it at all: only one of several machines does.

    Raises:
        LockedError: another process trains the run; the error says which.
        ValueError: the folder may not be written to.
    """
    lock = acquire(folder) if wanted else None
    try:
        yield lock
    finally:
        if lock is not None:
            lock.release()


def acquire(folder: Path, patience: float = _PATIENCE) -> RunLock:
    """Return the lock of a run's folder, now held by this process.

    Args:
        folder: the folder.
        patience: seconds to wait for the lock of a process that has ended, which may take a moment
            to go away. A process that is there is not waited for.

    Raises:
        LockedError: another process holds it; the error says which.
        ValueError: the folder may not be written to.
    """
    end = time.monotonic() + patience
    while True:
        lock = _attempt(folder)
        if lock is not None:
            return lock
        holder = holder_in(folder)
        if holder is None or not holder.has_ended or time.monotonic() > end:
            who = holder or _UNNAMED
            raise LockedError(
                f"run: {files.shown(folder)} is being trained by {who}; expected a run that no "
                "other process is training. Wait until that one ends, or stop it."
            )
        time.sleep(_PAUSE)


def holder(folder: Path) -> Holder | str | None:
    """Return who trains the run in a folder; ``None`` if nobody does, as far as is known."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return (holder_in(folder) or _UNNAMED) if error.errno in _TAKEN else None
    except AttributeError:
        pass
    finally:
        os.close(descriptor)
    return None


def _attempt(folder: Path) -> RunLock | None:
    """Return the lock of a folder; ``None`` if another process has it."""
    while True:
        descriptor = _opened(folder / LOCK)
        try:
            is_exclusive = _locked(descriptor)
            if is_exclusive is None:
                os.close(descriptor)
                return None
            holder = Holder.me()
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(dataclasses.asdict(holder)).encode())
        except OSError as error:
            os.close(descriptor)
            raise _not_lockable(folder / LOCK, error.strerror or str(error)) from error
        if holder_in(folder) == holder:
            return RunLock(folder, descriptor, holder, is_exclusive)
        os.close(descriptor)  # the holder before has removed this file: there is another one now


def _opened(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(file, flags, 0o666)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        reason = "it is not a regular file"
    except OSError as error:
        reason = error.strerror or str(error)
    raise _not_lockable(file, reason)


def _not_lockable(file: Path, reason: str) -> ValueError:
    return ValueError(
        f"run: cannot lock {files.shown(file)}: {reason}. Training writes to the folder of the "
        "run: move away what is in the way, or copy the run to a place that you may write to."
    )


def _locked(descriptor: int) -> bool | None:
    """Lock a file; return ``None`` if another process has, and false if nobody can."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return None
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True
