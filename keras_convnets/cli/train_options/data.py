"""The options of ``train`` about its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def add_to(group: Any) -> None:
    """Add the options."""
    group.add_argument(
        "--data",
        metavar="NAME",
        help="digits, mnist, fashion_mnist, cifar10, cifar100, folder:PATH of class folders, or a "
        "name that tensorflow-datasets knows (default: digits)",
    )
    group.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="where the data's files are already"
    )
    group.add_argument(
        "--validation-split",
        type=float,
        metavar="X",
        help="share of the training images (default: 0, the test)",
    )
    group.add_argument("--image-size", type=int, metavar="N", help="rows and columns to resize to")
    group.add_argument(
        "--channels", type=int, choices=(1, 3), help="convert the images to grey (1) or colour (3)"
    )
    group.add_argument("--strict", action="store_true", help="refuse files that are not images")
