"""The command that lists published accuracies, and draws them over the multiply-adds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets.cli.options import add_format, print_found


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "accuracy", help="print the published accuracies of networks", allow_abbrev=False
    )
    command.add_argument(
        "pattern", nargs="?", default="*", help="a glob pattern, such as 'resnet*'"
    )
    command.add_argument(
        "--data", choices=("imagenet", "cifar10"), default="imagenet", help="default: imagenet"
    )
    command.add_argument(
        "--weights",
        metavar="PATTERN",
        help="a glob pattern of published weights, such as torchvision_v2 (default: a network's "
        "first)",
    )
    command.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw them over the multiply-adds, too: svg, png or pdf",
    )
    add_format(command)
    command.set_defaults(command=_accuracy)


def _accuracy(chosen: argparse.Namespace) -> int:
    from keras_convnets.accuracies.listed import published_accuracies

    what = chosen.pattern, chosen.data, chosen.weights
    found = published_accuracies(*what)
    if chosen.plot is not None:
        from keras_convnets.accuracies.chart import plot_accuracies

        plot_accuracies(chosen.plot, *what)
    print_found(found, chosen.format)
    return 0
