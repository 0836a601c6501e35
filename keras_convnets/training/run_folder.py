"""The folder of a training run: made whole for each run, every file in it written whole."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from keras_convnets import files

MODEL, HISTORY, CURVES = "model.keras", "history.csv", "curves.png"
START = "start.keras"  # the model before its first step, with which an unfinished run resumes
PICTURE, CONFIG, CHECKPOINT = "model.svg", "config.json", "checkpoint.npz"
REPORT, LOGS = "report.html", "logs"

COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")

History = Mapping[str, Sequence[float]]


def default(model: str, data: str) -> Path:
    """Return a folder named after what is trained, and when."""
    data = data.rstrip("/").replace(":", "-").rsplit("/", 1)[-1]
    return Path("runs") / f"{model}-{data}-{datetime.now():%Y%m%d-%H%M%S}"


def is_run(folder: Path) -> bool:
    """Return whether a run was begun in a folder."""
    return (folder / CONFIG).is_file()


def check_free(folder: Path) -> None:
    """Refuse a folder that exists, so that no run overwrites another's files, or cannot be made."""
    if folder.exists():
        raise ValueError(
            f"out: received {str(folder)!r}, which exists; expected a new folder. Name another "
            "one, or move that one away."
        )
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ValueError(
            f"out: received {str(folder)!r}, but {str(above)!r} is not a folder that you may write "
            "to. Name a folder in another place."
        )


@contextlib.contextmanager
def creating(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, which gets its name when it is complete, and goes if it never is.

    Raises:
        ValueError: the folder exists, or cannot be made.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ValueError(
            f"out: received {str(folder)!r}, which cannot be made: {error.strerror}. Name a folder "
            "in a place that you may write to."
        ) from error
    try:
        yield made
        made.chmod(0o777 & ~_umask())  # mkdtemp's folder is its owner's alone
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sweep(folder: Path) -> None:
    """Remove what a killed run had half written, under names of its own."""
    for file in (MODEL, START, HISTORY, CURVES, PICTURE, CONFIG, CHECKPOINT, REPORT):
        for left in folder.glob(f".{file}.*"):
            shutil.rmtree(left, ignore_errors=True)


def read_config(folder: Path) -> dict[str, Any]:
    """Return what was run.

    Raises:
        ValueError: the folder is not a run's.
    """
    file = folder / CONFIG
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"run: there is no {str(file)!r}; expected the folder of a run, such as "
            "runs/resnet_18-digits-…. Name one that keras-convnets train has made."
        ) from None
    except (OSError, ValueError) as error:
        raise ValueError(
            f"run: cannot read {str(file)!r} ({error}); expected what keras-convnets train wrote."
        ) from error


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write what was run, for people and programs."""
    with files.replacing(folder / CONFIG) as path:
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_history(folder: Path, history: History) -> None:
    """Write a row an epoch: its number from 1, then the losses and metrics."""
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
