"""The command that writes the figures of the lecture in the docs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.cli import startup


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "figures", help="write the figures of the tour for slides", allow_abbrev=False
    )
    command.add_argument(
        "folder", nargs="?", type=Path, help="a new folder, for an svg and a pdf of each figure"
    )
    command.add_argument(
        "--only",
        action="append",
        metavar="PATTERN",
        help="a glob pattern of figures, or the name of a page of the tour (default: all); may be "
        "given several times",
    )
    command.add_argument("--list", action="store_true", help="list the figures and draw none")
    command.set_defaults(command=_figures)


def _figures(chosen: argparse.Namespace) -> int:
    if (chosen.folder is None) != chosen.list:
        received = "both a folder and --list" if chosen.list else "no folder"
        raise ValueError(f"figures: received {received}; expected one of the two. Name a folder.")
    startup.start_engine(draws=not chosen.list)
    from keras_convnets.lecture import folder

    figures = folder.chosen(chosen.only or ["*"])
    if chosen.list:
        width = max(len(figure.name) for figure in figures)
        for figure in figures:
            print(f"{figure.name:{width}}   {figure.page:13}   {figure.says}")
        return 0
    folder.write_figures(
        chosen.folder, figures, lambda figure: print(f"drawing {figure.name}", flush=True)
    )
    count = f"{len(figures)} figure{'s' * (len(figures) != 1)}"
    print(f"{count}, as svg and pdf: {files.shown(chosen.folder)}")
    return 0
