"""The options of ``train`` about its data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(group: Any) -> None:
    """Add the options."""
    group.add_argument(
        "--data",
        metavar="NAME",
        help="digits, mnist, fashion_mnist, cifar10, cifar100, folder:PATH of class folders, "
        "csv:FILE of paths and labels, or a name that tensorflow-datasets knows (default: digits)",
    )
    group.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="where the data's files are already; of csv:FILE, where its paths start",
    )
    group.add_argument(
        "--validation-split",
        type=float,
        metavar="X",
        help="share of the training images to validate on, such as 0.1 (default: 0, which "
        "validates on the test images)",
    )
    group.add_argument(
        "--image-size",
        type=_size,
        metavar="N|ROWS,COLS",
        help="rows and columns to resize to, such as 224 or 192,256",
    )
    group.add_argument(
        "--channels", type=int, metavar="N", help="convert the images to grey (1) or colour (3)"
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="refuse files that are no images, in place of leaving them out",
    )


def _size(text: str) -> int | tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected rows and columns, such as 224 or 192,256"
        ) from None
    return sizes[0] if len(sizes) == 1 else sizes
