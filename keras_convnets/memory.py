"""Memory: how much this process can still take, and errors of its exhaustion in one line."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

from keras_convnets.errors import OutOfMemoryError

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

_UNKNOWN = 2**62  # bytes

# How the backends report it, in errors of several types. What is out may also be the disk, or the
# number of open files, for which TensorFlow has the same type of error.
_SAID = re.compile(
    "out of memory|OOM when allocating|RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY|bad_alloc"
    "|failed to allocate|unable to allocate|can.t allocate memory|cannot allocate memory"
    "|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
    "|Status: 1, message: could not",  # of oneDNN, whose status 1 it is
    re.IGNORECASE,
)
_FREE = re.compile(r"^(MemAvailable|SwapFree): *(\d+)", re.MULTILINE)
_BACKENDS = ("tensorflow", "jax", "jaxlib", "torch")
_OTHER_RESOURCES = re.compile("no space left|quota exceeded|too many open files", re.IGNORECASE)


def is_exhausted(error: BaseException) -> bool:
    """Return whether an error means that memory is exhausted, of the machine or of a GPU.

    Examples:
        >>> is_exhausted(MemoryError()), is_exhausted(ValueError("out of memory"))
        (True, False)
        >>> is_exhausted(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"))
        True
    """
    if isinstance(error, MemoryError | OutOfMemoryError):
        return True
    if isinstance(error, ValueError) or _OTHER_RESOURCES.search(str(error)):
        return False
    of_backend = type(error).__module__.split(".")[0] in _BACKENDS
    if of_backend and type(error).__name__ == "ResourceExhaustedError":
        return True
    can_be = of_backend or isinstance(error, RuntimeError | OSError)
    return can_be and _SAID.search(str(error)) is not None


def words(error: BaseException) -> str:
    """Return what an error says about memory, without the graph that TensorFlow shows with it."""
    if isinstance(error, OutOfMemoryError):
        return str(error).rstrip(".")
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if _SAID.search(line)] or lines or [""]
    return (said[0] or type(error).__name__)[:200]


@contextlib.contextmanager
def explained(asked: str, remedy: str) -> Iterator[None]:
    """Turn an exhausted memory within the context into one line.

    Args:
        asked: what was asked for: "a step of 64 images of 3 x 224 x 224".
        remedy: what to do about it: "Pass a smaller batch_size".

    Raises:
        OutOfMemoryError: the memory was exhausted.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemoryError) or not is_exhausted(error):
            raise
        raise OutOfMemoryError(f"out of memory in {asked} ({words(error)}). {remedy}.") from error


def check(needed: int, asked: str, remedy: str) -> None:
    """Refuse what cannot possibly fit into the memory that is left.

    Args:
        needed: a lower bound of the bytes that it takes.
        asked: what was asked for, as in `explained`.
        remedy: what to do about it.

    Raises:
        OutOfMemoryError: the memory that is left is smaller.
    """
    left = available()
    if needed > left:
        raise OutOfMemoryError(
            f"memory: {asked} would take at least {needed / 1e9:,.1f} GB; there are "
            f"{left / 1e9:,.1f} GB left. {remedy}."
        )


def available(root: Path = Path("/")) -> int:
    """Return the bytes that this process can still take: at most, never less than it gets.

    That is the machine's free memory with its swap, the limit of the control group (of a container,
    a batch system or a service), and the limit of the address space (``ulimit -v``).

    Args:
        root: where the system's files are.
    """
    size, resident = _sizes(root)
    free, swap = _machine(root)
    bounds = [free + swap, *(limit - resident + swap for limit in _control_groups(root))]
    if resource and (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
        bounds.append(limit - size)
    return max(0, min(bounds))


def _machine(root: Path) -> tuple[int, int]:
    """Return the bytes of memory and of swap that are free."""
    try:
        found = dict(_FREE.findall(_read(f"{root}/proc/meminfo")))
        return 1024 * int(found["MemAvailable"]), 1024 * int(found["SwapFree"])
    except (OSError, LookupError, ValueError):
        return _UNKNOWN, 0


def _sizes(root: Path) -> tuple[int, int]:
    """Return the bytes of this process: of its address space, and in memory."""
    try:
        size, resident, *_ = _read(f"{root}/proc/self/statm").split()
        return mmap.PAGESIZE * int(size), mmap.PAGESIZE * int(resident)
    except (OSError, ValueError):
        return 0, 0


def _control_groups(root: Path) -> Iterator[int]:
    """Yield the limits of the control groups that this process is in, of either version."""
    try:
        lines = _read(f"{root}/proc/self/cgroup").splitlines()
    except OSError:
        return
    for _, kinds, place in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if kinds and "memory" not in kinds.split(","):
            continue
        top = f"{root}/sys/fs/cgroup/{'memory' if kinds else ''}"
        name = "memory.limit_in_bytes" if kinds else "memory.max"
        parts = [part for part in place.split("/") if part]
        for depth in range(len(parts), -1, -1):  # a limit of a group above holds as well
            with contextlib.suppress(OSError, ValueError):  # "max" means none
                yield int(_read("/".join([top, *parts[:depth], name])))


def _read(path: str) -> str:
    """Return the text of a file of the system, faster than `Path` does: each prediction asks."""
    with open(path, "rb", buffering=0) as file:
        return os.fsdecode(file.read())
