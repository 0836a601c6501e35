"""The lecture's figures as a folder of files for slides."""

from __future__ import annotations

import fnmatch
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_convnets import files
from keras_convnets.lecture.figures import FIGURES, LectureFigure
from keras_convnets.received import shown

FORMATS = ("svg", "pdf")


def chosen(patterns: Sequence[str]) -> tuple[LectureFigure, ...]:
    """Return the figures whose name, or the page that shows them, matches one of the glob patterns.

    Raises:
        ValueError: nothing matches one of them.

    Examples:
        >>> [figure.name for figure in chosen(["depth", "lenet*"])]
        ['lenet_5', 'vgg_16', 'vgg_costs']
    """
    for pattern in patterns:
        if not any(_matches(figure, pattern) for figure in FIGURES):
            pages = ", ".join(dict.fromkeys(figure.page for figure in FIGURES))
            raise ValueError(
                f"--only: received {shown(pattern)}, which matches no figure; expected a glob "
                f"pattern of a figure's name or a page: {pages}. keras-convnets figures --list "
                "lists all."
            )
    return tuple(
        figure for figure in FIGURES if any(_matches(figure, pattern) for pattern in patterns)
    )


def _matches(figure: LectureFigure, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in (figure.name, figure.page))


def write_figures(
    folder: str | os.PathLike[str],
    figures: Sequence[LectureFigure],
    told: Callable[[LectureFigure], None] = lambda figure: None,
) -> None:
    """Write figures to a new folder, each as SVG and as PDF; nothing is left of half of them.

    Args:
        folder: the folder to make.
        figures: the figures.
        told: is called with each figure before it is drawn.

    Raises:
        ValueError: the folder exists, or cannot be made.
    """
    target = Path(folder)
    if os.path.lexists(target):
        raise ValueError(
            f"folder: received {files.shown(target)}, which exists; expected a new folder. Name "
            "another one, or move that one away."
        )
    with (
        files.explained(target),
        tempfile.TemporaryDirectory(
            prefix=f".{files.short(target.name)}.", dir=target.parent, ignore_cleanup_errors=True
        ) as temporary,
    ):
        made = Path(temporary) / "figures"
        made.mkdir()
        for figure in figures:
            told(figure)
            for suffix in FORMATS:
                figure.draw(made / f"{figure.name}.{suffix}")
        made.rename(target)
