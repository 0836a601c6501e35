"""The ``augment`` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets import checks
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.train_options import data, recipe
from keras_convnets.printable import printable
from keras_convnets.training.recipe.recipes import RECIPES, find
from keras_convnets.training.run.request_parts import DataRequest


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "augment",
        help="draw augmented training images",
        description="Draw the first 16 training images of a run after their augmentations, as the "
        "network gets them, with their classes.",
        allow_abbrev=False,
    )
    command.add_argument("file", type=Path, help="the figure: .svg, .png or .pdf")
    data.add_to(command)
    recipe.add_augmentation(command)
    command.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"draw the augmentation of a recipe: {', '.join(RECIPES)}",
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the run (default: 0)")
    command.set_defaults(command=_augment, data="digits", validation_split=0.0)


def _augment(chosen: argparse.Namespace) -> int:
    named = find(chosen.recipe).augmentation if chosen.recipe is not None else None
    seed = checks.seed(chosen.seed)
    request = DataRequest(
        chosen.data,
        chosen.data_dir,
        chosen.validation_split,
        chosen.image_size,
        chosen.channels,
        chosen.strict,
        named if chosen.augmentation is None else chosen.augmentation,
    )
    startup.start_engine(reads_images=True)
    from keras_convnets.analysis.drawing import figure_file
    from keras_convnets.training import load_data, plot_augmented

    figure_file(chosen.file)
    plot_augmented(load_data(**vars(request), seed=seed), chosen.file, seed)
    print(printable(chosen.file))
    return DONE
