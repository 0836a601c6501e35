"""The folder of a training run: made new for each run, every file in it written whole."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from keras_convnets import files

MODEL, HISTORY, CURVES = "model.keras", "history.csv", "curves.png"
PICTURE, CONFIG = "model.svg", "config.json"

History = Mapping[str, Sequence[float]]


def default(model: str, data: str) -> Path:
    """Return a folder named after what is trained, and when."""
    return Path("runs") / f"{model}-{data}-{datetime.now():%Y%m%d-%H%M%S}"


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


def create(folder: Path) -> None:
    """Make the folder, and the folders above it."""
    check_free(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ValueError(
            f"out: received {str(folder)!r}, which cannot be made: {error.strerror}. Name a folder "
            "in a place that you may write to."
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


def write_model(folder: Path, model: Any) -> None:
    """Write the model, to load with ``keras.models.load_model``."""
    with files.replacing(folder / MODEL) as path:
        model.save(path)
