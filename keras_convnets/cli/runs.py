"""The ``runs`` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.options import add_format, print_found
from keras_convnets.printable import printable

_ORDERS = ("name", "best", "last", "time")


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "runs",
        help="compare runs",
        description="Print runs side by side: network, data, recipe, seed, accuracies and time, "
        "with the mean and the standard deviation over the seeds of runs that are alike but for "
        "it.",
        allow_abbrev=False,
    )
    command.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        default=[Path("runs")],
        help="a run, or a folder that holds runs (default: runs)",
    )
    add_format(command)
    command.add_argument(
        "--sort", choices=_ORDERS, default="name", help="of the rows (default: name)"
    )
    command.add_argument(
        "--means", action="store_true", help="one row for all seeds in place of one for each"
    )
    command.add_argument(
        "--curves", type=Path, metavar="FILE", help="draw all curves: .svg, .png or .pdf"
    )
    command.add_argument(
        "--commands", action="store_true", help="print the command that repeats each run instead"
    )
    command.set_defaults(command=_runs)


def _runs(chosen: argparse.Namespace) -> int:
    from keras_convnets.training.side_by_side.runs import runs

    if chosen.commands and (chosen.format != "table" or chosen.means):
        raise ValueError(
            "commands: received --format or --means with it; expected neither, for it prints a "
            "command for each run. --format json has the commands too."
        )
    found = runs(chosen.folders, chosen.sort, chosen.means)
    if chosen.curves is not None:
        from keras_convnets.training.side_by_side.figure import plot_runs

        plot_runs(found, chosen.curves)
    if chosen.commands:
        for folder, how in found.commands().items():
            print(f"# {printable(folder)}\n{printable(how)}")
    else:
        print_found(found, chosen.format)
    return DONE
