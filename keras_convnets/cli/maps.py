"""The ``maps`` command: feature maps, kernels, and the statistics of activations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.classifiers import (
    add_preprocessing,
    add_weights,
    check_one,
    found_for,
    opened,
)
from keras_convnets.cli.options import add_format, add_load, print_found
from keras_convnets.cli.streams import say
from keras_convnets.printable import printable
from keras_convnets.training import run_folder


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "maps",
        help="draw what the layers of a model respond to",
        description="Draw the feature maps of a layer for an image, or the kernels of a "
        "convolution; or print the statistics of all activations by stage, with dead units.",
        usage="%(prog)s RUN IMAGE OUT [--layer NAME] [options], %(prog)s RUN OUT --kernels, "
        "%(prog)s RUN IMAGE... --statistics; or --weights FILE in place of RUN",
        allow_abbrev=False,
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="path",
        help="the folder of a finished run or a .keras file (but not with --weights), the image, "
        "and the figure to write: .svg, .png or .pdf",
    )
    command.rest = "paths"
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--layer", metavar="NAME", help="a layer (default: the last stage's; of kernels, the first)"
    )
    where.add_argument("--stage", metavar="NAME", help="the last layer of a stage, or its kernels")
    command.add_argument(
        "--channels", type=int, metavar="N", help="draw the N strongest channels (default: all)"
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("--kernels", action="store_true", help="draw the kernels of a convolution")
    what.add_argument(
        "--statistics",
        action="store_true",
        help="print mean, deviation, zeros and dead units of each stage, over one or more images",
    )
    command.add_argument(
        "--output", type=int, metavar="N", help="with --kernels: draw those of output channel N"
    )
    add_weights(command)
    add_preprocessing(command)
    add_format(command)
    add_load(command)
    command.set_defaults(command=_maps)


def _maps(chosen: argparse.Namespace) -> int:
    run, paths = _run_and_paths(chosen)
    check_one("maps", run, chosen)
    _check_options(chosen)
    images, out = _images_and_figure(chosen, paths)
    startup.start_engine(chosen.load, reads_images=True)
    if out is not None:
        from keras_convnets.analysis.drawing import figure_file

        files.check_place(figure_file(out))
    if out is None:
        _print_statistics(opened(run, chosen), images, chosen)
        return DONE
    if chosen.kernels:
        _draw_kernels(found_for(run, chosen).model, chosen, out)
    else:
        _draw_maps(opened(run, chosen), images, chosen, out)
    print(printable(out))
    return DONE


def _run_and_paths(chosen: argparse.Namespace) -> tuple[str | None, list[str]]:
    """Return the run, none beside weights, and the other paths."""
    paths = list(chosen.paths)
    if paths and (chosen.weights is None or run_folder.is_run(Path(paths[0]))):
        return paths[0], paths[1:]
    return None, paths


def _check_options(chosen: argparse.Namespace) -> None:
    """Refuse options that another choice leaves without effect."""
    is_maps = not chosen.kernels and not chosen.statistics
    for option, is_given, is_right, where in (
        ("channels", chosen.channels is not None, is_maps, "feature maps"),
        ("output", chosen.output is not None, chosen.kernels, "--kernels"),
        ("format", chosen.format != "table", chosen.statistics, "--statistics"),
        ("layer", chosen.layer is not None, not chosen.statistics, "feature maps and --kernels"),
        ("stage", chosen.stage is not None, not chosen.statistics, "feature maps and --kernels"),
    ):
        if is_given and not is_right:
            raise ValueError(
                f"{option}: received --{option} {getattr(chosen, option)}; expected it only with "
                f"{where}. Leave it out."
            )


def _images_and_figure(
    chosen: argparse.Namespace, paths: list[str]
) -> tuple[list[str], Path | None]:
    """Return the images, and the file of the figure if there is to be one."""
    if chosen.statistics:
        if not paths:
            raise ValueError("images: received none; expected the files of some. Name one.")
        return paths, None
    count = 1 if chosen.kernels else 2
    if len(paths) != count:
        expected = "the figure to write" if chosen.kernels else "an image, then the figure to write"
        raise ValueError(
            f"maps: received {len(paths)} paths beside the model; expected {expected}. Name "
            "them in this order: keras-convnets maps --help."
        )
    return paths[:-1], Path(paths[-1])


def _prepared(of: Any, images: list[str]) -> Any:
    """Return images as the model takes them."""
    import numpy as np

    from keras_convnets.inference.compiled import kept
    from keras_convnets.inference.read_images import ReadImages, takes_channels_first

    read = ReadImages(takes_channels_first(kept(of.model)))
    batches = read.batches(images, of.preprocessing, 1)
    for kind, lines in (("note", read.doubtful), ("left out", read.skipped)):
        for line in lines:
            say(f"keras-convnets: {kind}: {line}")
    if batches is None:
        raise ValueError(
            f"images: received {files.shown(images[0])}, which holds no images; expected the files "
            "of some. Name one."
        )
    return np.concatenate([np.asarray(batch) for batch in batches])


def _print_statistics(of: Any, images: list[str], chosen: argparse.Namespace) -> None:
    from keras_convnets.explaining.inside.statistics import activation_statistics

    print_found(activation_statistics(of.model, _prepared(of, images)), chosen.format)


def _draw_maps(of: Any, images: list[str], chosen: argparse.Namespace, out: Path) -> None:
    from keras_convnets.analysis.drawing import write_themed
    from keras_convnets.explaining.inside.feature_maps import feature_maps

    batch = _prepared(of, images)
    if len(batch) > 1:
        raise ValueError(
            f"maps: received {len(batch):,} images in {files.shown(images[0])}; expected one. Name "
            "one of them."
        )
    maps = feature_maps(of.model, batch, _where(chosen))
    write_themed(maps.figure(channels=chosen.channels), out)


def _draw_kernels(model: Any, chosen: argparse.Namespace, out: Path) -> None:
    from keras_convnets.analysis.drawing import write_themed
    from keras_convnets.explaining.inside.kernels import kernels

    write_themed(kernels(model, _where(chosen)).figure(chosen.output), out)


def _where(chosen: argparse.Namespace) -> str | None:
    return chosen.stage if chosen.layer is None else chosen.layer
