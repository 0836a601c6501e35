"""The ``export`` command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.classifiers import (
    Given,
    add_preprocessing,
    check_one,
    found_for,
    prepared,
)
from keras_convnets.cli.options import add_load, print_json
from keras_convnets.own_networks import is_file
from keras_convnets.training import run_folder


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "export",
        help="write a model for another runtime, and prove that it says the same",
        description="Write a model for production: OUT is a file .onnx (ONNX Runtime), .tflite "
        "(LiteRT) or .xml (OpenVINO), or the folder of a SavedModel (TensorFlow). It is opened by "
        "its own runtime and compared with the model on images; if it does not say the same, "
        "nothing is left behind.",
        allow_abbrev=False,
    )
    command.add_argument(
        "model",
        metavar="RUN|NAME|FILE",
        help="the folder of a finished run, a .keras file, a name that keras-convnets weights "
        "lists, a file of weights, or the name of a network with --weights",
    )
    command.add_argument("out", type=Path, metavar="OUT", help="the file or folder to write")
    command.add_argument(
        "--weights", metavar="FILE", help="the weights of a network: a file, or a published name"
    )
    command.add_argument(
        "--best", action="store_true", help="the model of a run's best epoch, not of its last"
    )
    command.add_argument(
        "--precision",
        default="float32",
        metavar="TYPE",
        help="float32, float16, bfloat16 or int8 (default: float32)",
    )
    command.add_argument(
        "--calibrate",
        metavar="DATA",
        help="for int8, the data whose training images choose the ranges of its integers, such "
        "as fashion_mnist or folder:PATH",
    )
    _add_check(command)
    command.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="let the file take images of any size, uint8, and prepare them itself",
    )
    command.add_argument(
        "--no-fold", action="store_true", help="keep batch normalisations as layers"
    )
    add_preprocessing(command)
    command.add_argument("--overwrite", action="store_true", help="replace what exists at OUT")
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help="of the output"
    )
    add_load(command)
    command.set_defaults(command=_export)


def _add_check(command: Any) -> None:
    command.add_argument(
        "--check",
        metavar="DATA",
        help="the data whose test images the file and the model are compared on (default: up to "
        "1,000 test images of the run; without a run, of the data of --calibrate, or else "
        "synthetic images)",
    )
    command.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="where the files of the data are, those of the run's own too",
    )
    command.add_argument(
        "--tolerance",
        type=float,
        metavar="X",
        help="the largest difference of a probability, relative to the largest of its image "
        "(default: 0.0001 for float32, more for lower precisions)",
    )


def _found(chosen: argparse.Namespace) -> Any:
    """Return the run, or the model with what the user says of it."""
    name, weights = chosen.model, chosen.weights
    is_one = run_folder.is_run(Path(name)) or Path(name).is_dir() or is_file(name)
    if is_one:
        chosen.model = None
    elif weights is None:  # the name of weights, which tell their network
        chosen.model, chosen.weights = None, name
    run = name if is_one else None
    check_one("export", run, chosen)
    return found_for(run, chosen)


def _labelled(found: Any, name: str | None, split: str | None, chosen: argparse.Namespace) -> Any:
    """Return labelled images of some data, prepared for the model."""
    if not isinstance(found, Given):
        return found.load_images(name, chosen.data_dir, split)
    from keras_convnets.training.data.loading import load_labelled

    model = prepared(found)
    return load_labelled(str(name), chosen.data_dir, split, model.preprocessing, model.class_names)


def _check(found: Any, chosen: argparse.Namespace) -> Any:
    """Return the images to compare on; ``None`` for those that `export` takes by itself."""
    if chosen.check is not None:
        return _labelled(found, chosen.check, None, chosen)
    if not isinstance(found, Given):
        if chosen.data_dir is None:
            return None
        from keras_convnets.shipping.export.usual import of_run

        return of_run(found, None, chosen.data_dir)
    if chosen.calibrate is not None:
        from keras_convnets.shipping.export.usual import some_of

        return some_of(_labelled(found, chosen.calibrate, None, chosen))
    if chosen.data_dir is not None:
        raise ValueError(
            f"data_dir: received {files.shown(chosen.data_dir)} and no name of data; expected it "
            "with --check, with --calibrate, or with a run. Name the data, or leave --data-dir out."
        )
    return None


def _export(chosen: argparse.Namespace) -> int:
    from keras_convnets.shipping.export.target import check_file

    # Before TensorFlow is imported, which takes seconds.
    check_file(chosen.out, chosen.precision, chosen.calibrate is not None, chosen.overwrite)
    startup.start_engine(chosen.load, reads_images=True)
    from keras_convnets.shipping.export.export import export

    found = _found(chosen)
    calibrate = None
    if chosen.calibrate is not None:
        calibrate = _labelled(found, chosen.calibrate, "train", chosen)
    report = export(
        found.model if isinstance(found, Given) else found,  # a run knows how it was trained
        chosen.out,
        fold=not chosen.no_fold,
        with_preprocessing=chosen.with_preprocessing,
        precision=chosen.precision,
        calibrate=calibrate,
        check=_check(found, chosen),
        preprocessing=found.preprocessing,
        class_names=found.class_names,
        tolerance=chosen.tolerance,
        overwrite=chosen.overwrite,
    )
    if chosen.format == "json":
        print_json(report.to_dict())
    else:
        print(report)
    return DONE
