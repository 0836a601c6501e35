"""The ``weights`` command."""

from __future__ import annotations

import argparse
from typing import Any

from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.options import add_format, print_found


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "weights",
        help="list published weights",
        description="List the published files of trained weights, or print all that is known of "
        "some: their addresses, how images are prepared, and where they are on this machine.",
        allow_abbrev=False,
    )
    command.add_argument(
        "name",
        nargs="?",
        help="a network, a name or a file in the list, or a glob pattern such as 'resnet*' "
        "(default: all)",
    )
    add_format(command)
    command.set_defaults(command=_weights)


def _weights(chosen: argparse.Namespace) -> int:
    from keras_convnets.weights.published import listing, published

    rows = published.rows() if chosen.name is None else listing.chosen(chosen.name)
    if len(rows) == 1 and chosen.format == "table":
        print(listing.as_text(rows[0]))
    elif chosen.name is None or chosen.format == "table":
        print_found(listing.listing(rows), chosen.format)
    else:
        print_found(listing.details(rows), chosen.format)
    return DONE
