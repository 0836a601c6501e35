"""A SavedModel has a folder for what is no part of it: ``assets.extra``."""

from __future__ import annotations

from pathlib import Path

from keras_convnets.files import replacing
from keras_convnets.shipping.engines.writing.entries import ABOUT, KEY, LABELS


def embed(path: Path, entries: dict[str, str]) -> None:
    """Write our description, and labels in lines, into a folder beside the graph."""
    target = path / KEY["saved_model"]
    target.parent.mkdir(exist_ok=True)
    labels = target.parent / "labels.txt"
    labels.unlink(missing_ok=True)
    if LABELS in entries:
        with replacing(labels) as new:
            new.write_text(entries[LABELS], encoding="utf-8")
    with replacing(target) as new:
        new.write_text(entries[ABOUT], encoding="utf-8")
