"""The command ``explain``: what a model looked at in images, as a figure or a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from keras_convnets import checks, files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.classifiers import add_preprocessing, add_weights, check_one, opened
from keras_convnets.cli.options import add_load, print_json
from keras_convnets.cli.streams import say
from keras_convnets.printable import printable
from keras_convnets.training import run_folder

_METHODS = (
    *("grad_cam", "grad_cam_plus_plus", "score_cam", "guided_saliency"),
    *("integrated_gradients", "occlusion"),
)
_SUFFIXES = (".svg", ".png", ".pdf", ".html")
_MOST = 24  # images of a figure
_BATCH_SIZE = 32


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "explain",
        help="draw what a model looked at in images",
        description="Draw images and what the score of their class comes from in them, as a "
        "figure (.svg, .png, .pdf) or a page (.html). Print the classes, their probabilities and "
        "where the maps are largest.",
        usage="%(prog)s RUN IMAGE... FIGURE [options], or %(prog)s --weights FILE IMAGE... FIGURE "
        "[options]",
        allow_abbrev=False,
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="path",
        help="the folder of a finished run or a .keras file (but not with --weights), then images "
        "and folders of images, then the file to write",
    )
    command.rest = "paths"
    add_weights(command)
    add_preprocessing(command)
    command.add_argument("--method", choices=_METHODS, default="grad_cam", help="default: grad_cam")
    command.add_argument(
        "--layer",
        metavar="NAME",
        help="a stage or a layer, whose feature maps are looked at (default: the last stage)",
    )
    command.add_argument(
        "--class", dest="of_class", metavar="NAME", help="default: the predicted one of each image"
    )
    command.add_argument(
        "--output", metavar="NAME", help="of a model with several outputs (default: the first)"
    )
    _add_options(command)
    command.add_argument(
        "--batch-size",
        type=int,
        default=_BATCH_SIZE,
        metavar="N",
        help=f"images that the model takes at once (default: {_BATCH_SIZE})",
    )
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help="of the output"
    )
    add_load(command)
    command.set_defaults(command=_explain)


def _add_options(command: Any) -> None:
    for name, words in (
        ("channels", "of score_cam: the most channels to try"),
        ("steps", "of integrated_gradients: the most steps"),
        ("patch", "of occlusion: the side of the covered square in pixels"),
        ("stride", "of occlusion: the pixels from one place to the next"),
    ):
        command.add_argument(f"--{name}", type=int, metavar="N", help=words)


def _explain(chosen: argparse.Namespace) -> int:
    checks.positive_integer("batch_size", chosen.batch_size, "images that fit into the memory")
    run, images, figure = _paths(chosen)
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.explaining.explain import explain

    _check_few(images)
    model = opened(run, chosen)
    names = ("channels", "steps", "patch", "stride")
    given = {name: getattr(chosen, name) for name in names}
    found = explain(
        model,
        images,
        chosen.method,
        layer=chosen.layer,
        output=chosen.output,
        class_index=_class(chosen.of_class, model.class_names),
        batch_size=chosen.batch_size,
        **{name: value for name, value in given.items() if value is not None},
    )
    found.plot(figure)
    if chosen.format == "json":
        print_json(found.to_dict())
    else:
        print(found.table().to_text())
        print(printable(figure))
    sys.stdout.flush()  # so that the lines below come last on a terminal
    for line in found.notes:
        say(f"keras-convnets: note: {line}")
    return DONE


def _paths(chosen: argparse.Namespace) -> tuple[str | None, list[str], Path]:
    """Return the run, none beside weights; the images; and the file to write."""
    paths = list(chosen.paths)
    run = None
    if paths and (chosen.weights is None or run_folder.is_run(Path(paths[0]))):
        run = paths.pop(0)
    check_one("explain", run, chosen)
    if len(paths) < 2:
        received = f"{files.shown(paths[0])} alone" if paths else "none"
        raise ValueError(
            f"images: received {received}; expected images, then the file to write. Name both."
        )
    figure = Path(paths.pop())
    if figure.suffix not in _SUFFIXES:
        raise ValueError(
            f"figure: received {files.shown(figure)} last; expected a file to write, which ends in "
            f"{', '.join(_SUFFIXES)}. Name one after the images."
        )
    files.check_place(figure)
    return run, paths, figure


def _check_few(images: list[str]) -> None:
    """Refuse more images than a figure shows, before they are computed."""
    from keras_convnets.images.kinds import SUFFIXES
    from keras_convnets.images.listing import walk

    count = 0
    for path in images:
        inside = [Path(name) for name, _ in walk(path)] if Path(path).is_dir() else []
        count += len([one for one in inside if one.suffix.lower() in SUFFIXES]) or 1
    if count > _MOST:
        raise ValueError(
            f"images: received {count:,} for one figure; expected at most {_MOST}. Name fewer."
        )


def _class(given: str | None, names: tuple[str, ...]) -> int | str | None:
    """Return the name of a class, or its label where a number names none."""
    is_label = given is not None and given not in names and given.isdecimal()
    return int(given) if given is not None and is_label else given
