"""Folders of small images of several kinds."""

import numpy as np
from PIL import Image

CLASSES = ("lily", "rose", "tulip")
SUFFIXES = (".png", ".JPG", ".jpeg", ".bmp", ".gif")


def write(path, number, size=(20, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path, "JPEG" if path.suffix == ".JPG" else None)


def write_classes(folder, each=10, classes=CLASSES, size=lambda number: (20 + number, 24)):
    for label, name in enumerate(classes):
        for number in range(each):
            path = folder / name / f"{number}{SUFFIXES[number % len(SUFFIXES)]}"
            write(path, 100 * label + number, size(number))
    return folder
