"""A LiteRT file has files zipped onto its end, as TensorFlow Lite's metadata has them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from keras_convnets.files import replacing
from keras_convnets.readers import model_notes
from keras_convnets.readers.damage import opened
from keras_convnets.shipping.engines.writing.entries import ABOUT, KEY, LABELS

_LABELS = "labels.txt"  # as TensorFlow Lite's own tools call it


def embed(path: Path, entries: dict[str, str]) -> None:
    """Write our description, and labels in lines, into an archive after the model.

    The files in it are not compressed, so that they can be mapped into memory.
    """
    with replacing(path) as new:
        with opened(path) as stream, new.open("wb") as copy:
            kept = model_notes.of_litert(stream)
            stream.seek(0)
            shutil.copyfileobj(stream, copy)
            copy.truncate(model_notes.end_of_model(stream))
        texts = {KEY["litert"]: entries[ABOUT]}
        if LABELS in entries:
            texts[_LABELS] = entries[LABELS]
        others = {name: kept[name] for name in kept if name not in (KEY["litert"], _LABELS)}
        with zipfile.ZipFile(new, "a", zipfile.ZIP_STORED) as archive:
            for name, text in (others | texts).items():
                archive.writestr(zipfile.ZipInfo(name), text)  # the same bytes at any time
