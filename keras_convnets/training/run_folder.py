"""The folder of a training run; the folder and each file in it are created atomically."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.printable import to_json
from keras_convnets.shipping.card.place import CARD
from keras_convnets.training import run_lock
from keras_convnets.training.lock_holder import LOCK
from keras_convnets.training.run_lock import RunLock

MODEL, HISTORY, CURVES = "model.keras", "history.csv", "curves.png"
BEST = "best.keras"  # the model of the best epoch so far
START = "start.keras"  # the model before its first step, needed to resume a run
PICTURE, CONFIG, CHECKPOINT = "model.svg", "config.json", "checkpoint.npz"
REPORT, LOGS, METRICS = "report.html", "logs", "metrics.json"
ALL_CURVES = "curves.svg"  # of the runs of several seeds, in the folder that holds them

COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")

_RANDOM = 8  # letters that tempfile.mkdtemp adds to a prefix

History = Mapping[str, Sequence[float]]


def default(model: str, data: str) -> Path:
    """Return a folder named after the model, the data and the time."""
    data = data.rstrip("/").replace(":", "-").rsplit("/", 1)[-1]
    name = f"{files.short(model)}-{files.short(data)}"  # a name has at most 255 bytes
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"


def is_run(folder: Path) -> bool:
    """Return whether a run was started in a folder, even if its configuration is damaged."""
    return os.path.lexists(folder / CONFIG)


def is_finished(folder: Path) -> bool:
    """Return whether the run in a folder is finished: it keeps its start as long as it is not."""
    return (folder / MODEL).is_file() and not (folder / START).is_file()


def epochs(folder: Path) -> int:
    """Return the number of finished epochs of a run."""
    lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
    return max(0, len(lines) - 1)


def check_free(folder: Path) -> None:
    """Refuse a folder that exists, to protect another run's files, or that cannot be created."""
    with _refusing(folder):
        if os.path.lexists(folder):
            who = run_lock.holder(folder)
            raise ValueError(
                f"out: received {files.shown(folder)}, which exists"
                f"{f' and is being trained by {who}' if who else ''}; expected a new folder. Name "
                "another one, or move that one away."
            )
        if folder.parts[0].startswith("~") and not os.path.lexists(folder.parts[0]):
            raise ValueError(
                f"out: received {files.shown(folder)}; expected a path without ~, which the shell "
                "has not replaced by a home folder. Name the whole path."
            )
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folder.lstat()  # raises what lexists() hides, such as a name that is too long
        above = next(parent for parent in folder.absolute().parents if os.path.lexists(parent))
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            raise ValueError(
                f"out: received {files.shown(folder)}, but {files.shown(above)} is not a folder "
                "that you may write to. Name a folder in another place."
            )


@contextlib.contextmanager
def _refusing(folder: Path) -> Iterator[None]:
    """Refuse a folder that the system does not let us create."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = files.reason(error)
        if reason is None:
            raise
        raise ValueError(
            f"out: received {files.shown(folder)}, which cannot be made: {reason}. Name a folder "
            "in a place that you may write to."
        ) from error


@contextlib.contextmanager
def creating(folder: Path) -> Iterator[RunLock]:
    """Yield the lock of a temporary folder to fill; rename it on success, remove it on failure.

    The lock is still held in the end; whoever calls this releases it. It also tells the next run in
    the same place which temporary folders nobody fills any more.

    Raises:
        ValueError: the folder exists or cannot be created.
    """
    check_free(folder)
    new = missing_above(folder)
    try:
        with _refusing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            sweep_beside(folder)
            lock = _filling(folder)
        try:
            yield lock
            with _refusing(folder):
                lock.folder.chmod(0o777 & ~_umask())  # mkdtemp makes a private folder
                check_free(folder)
                lock.folder.rename(folder)
                lock.folder = folder
        except BaseException:
            shutil.rmtree(lock.folder, ignore_errors=True)
            lock.release()
            raise
    except BaseException:
        _remove_empty(new)
        raise


def missing_above(folder: Path) -> list[Path]:
    """Return the folders above a new one that have to be created too, the innermost first."""
    return [above for above in folder.parents if not os.path.lexists(above)]


def _filling(folder: Path) -> RunLock:
    """Make a temporary folder next to a run to be, and lock it before another run sweeps it up."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
        try:
            return run_lock.acquire(made, patience=0)
        except run_lock.LockedError:
            continue  # another run takes it for one that nobody fills
        except BaseException:
            was_there = os.path.isdir(made)
            shutil.rmtree(made, ignore_errors=True)
            if was_there:
                raise


def _prefix(folder: Path) -> str:
    return f".{files.short(folder.name)}."


def sweep_beside(folder: Path) -> None:
    """Remove what killed processes left of runs that they were making in the place of a folder."""
    prefix = _prefix(folder)
    with contextlib.suppress(OSError), os.scandir(folder.parent) as entries:
        for entry in entries:
            random = entry.name.removeprefix(prefix)
            if len(random) == _RANDOM == len(entry.name) - len(prefix) and entry.is_dir(
                follow_symlinks=False
            ):
                _sweep_unfinished(Path(entry.path))


def _sweep_unfinished(made: Path) -> None:
    """Remove a temporary folder of `creating`, unless a process is filling it."""
    if not os.path.lexists(made / LOCK):
        with contextlib.suppress(OSError):  # it is not empty: something else has made it
            made.rmdir()
        return
    with contextlib.suppress(ValueError):
        lock = run_lock.acquire(made, patience=0)
        shutil.rmtree(made, ignore_errors=True)
        lock.release()


def remove(folder: Path, above: list[Path]) -> None:
    """Remove the folder of a run that has not taken a step, and those that were made for it."""
    shutil.rmtree(folder, ignore_errors=True)
    _remove_empty(above)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # another run has started there
            folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sweep(folder: Path) -> None:
    """Remove temporary files that a killed run left incomplete."""
    for file in (
        MODEL,
        BEST,
        START,
        HISTORY,
        CURVES,
        PICTURE,
        CONFIG,
        CHECKPOINT,
        REPORT,
        METRICS,
        CARD,
    ):
        for left in folder.glob(f".{file}.*"):
            shutil.rmtree(left, ignore_errors=True)


def write_history(folder: Path, history: History) -> None:
    """Write one row per epoch: its number from 1, then the losses and metrics."""
    with (
        files.replacing(folder / HISTORY) as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        for epoch, values in enumerate(zip(*history.values(), strict=True), start=1):
            writer.writerow([epoch, *values])


def write_model(folder: Path, model: Any, name: str = MODEL) -> None:
    """Write the model, to load with ``keras.models.load_model``."""
    with files.replacing(folder / name) as path:
        model.save(path)


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write the metrics of a finished run, as ``keras-convnets evaluate --format json`` does."""
    with files.replacing(folder / METRICS) as path:
        path.write_text(to_json(metrics) + "\n", encoding="utf-8")


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_files(folder: Path) -> None:
    """Refuse the folder of a run in which something else has the place of a file to be written.

    Raises:
        ValueError: the error names it.
    """
    for name in (MODEL, BEST, HISTORY, CURVES, PICTURE, CHECKPOINT, REPORT, METRICS, CARD, LOGS):
        found, is_logs = folder / name, name == LOGS
        is_right = found.is_dir() if is_logs else found.is_file()
        if os.path.lexists(found) and not is_right:
            raise ValueError(
                f"run: {files.shown(found)} is not a {'folder' if is_logs else 'file'}, as it is "
                "in the folder of a run. Move it away."
            )
