"""The seconds of the first and the second look at a folder of many files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.photographs import OWN, QUALITY
from benchmarks.tables import show
from keras_convnets.training import load_data


def report_folder(place: Path, count: int) -> None:
    """Print the seconds of the first and the second look at a folder of many JPEGs."""
    make_folder(place, count)
    os.environ["KERAS_HOME"] = str(place / "cache")
    time.sleep(3)  # what has just been written is not kept
    print()
    show([f"{count:,} JPEGs of 160 x 120", "seconds", "seconds of CPU"], _looks(place / "folder"))


def make_folder(place: Path, count: int) -> None:
    """Write a folder of JPEGs in ten classes."""
    source = place / "one.jpg"
    Image.fromarray(load_sample_images().images[0]).resize((160, 120)).save(source, quality=QUALITY)
    contents = source.read_bytes()
    folders = [place / "folder" / str(label) for label in range(10)]
    for folder in folders:
        folder.mkdir(parents=True)
    for number in range(count):
        (folders[number % 10] / f"{number}.jpg").write_bytes(contents)


def _looks(folder: Path) -> Iterator[list[str]]:
    for look in ("first look", "second look"):
        elapsed, processors = time.perf_counter(), time.process_time()
        load_data(f"folder:{folder}", preprocessing=OWN)
        elapsed, processors = time.perf_counter() - elapsed, time.process_time() - processors
        yield [look, f"{elapsed:.1f}", f"{processors:.1f}"]
