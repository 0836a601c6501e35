"""The secret that the machines of a run share, in a file of its own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_SHORTEST, _LONGEST = 16, 4096  # bytes
_HOW = "Make one by: head -c 32 /dev/urandom | base64 > secret; chmod 600 secret"


def read_secret(path: str | os.PathLike[str]) -> bytes:
    """Return the secret in a file, without the white space around it.

    The file must be a regular file that others may not read, nor its group if it is this user's
    own, as ``ssh`` demands of its keys.

    Args:
        path: the file.

    Raises:
        ValueError: the file cannot be read, others may read it, or it holds too little or too much;
            the message never contains the secret.
    """
    shown = f"{os.fspath(path)!r:.300}"
    try:
        # A fifo without a writer must not hold the run up.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(Path(path).expanduser(), flags)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"secret_file: cannot read {shown} ({reason}); expected a file with the secret of the "
            f"run. {_HOW}."
        ) from None
    try:
        _check_file(shown, os.fstat(descriptor))
        found = os.read(descriptor, _LONGEST + 1)
    finally:
        os.close(descriptor)
    secret = found.strip()
    if not _SHORTEST <= len(secret) <= _LONGEST or len(found) > _LONGEST:
        size = "more than" if len(found) > _LONGEST else "a secret of"
        raise ValueError(
            f"secret_file: {shown} has {size} {min(len(secret), _LONGEST)} bytes; expected "
            f"{_SHORTEST} to {_LONGEST}, for a short one can be guessed. {_HOW}."
        )
    return secret


def _check_file(shown: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(
            f"secret_file: {shown} is not a regular file; expected one with the secret of the run. "
            f"{_HOW}."
        )
    if os.name != "posix":  # no such modes
        return
    is_own = found.st_uid == os.getuid()
    if found.st_mode & (0o077 if is_own else 0o007):
        raise ValueError(
            f"secret_file: others may read or write {shown} (its mode is "
            f"{stat.S_IMODE(found.st_mode):04o}); expected this user alone. Run: chmod 600 "
            f"{shown}, and on Kubernetes set defaultMode: 0440."
        )
