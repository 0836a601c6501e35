"""The ``serve`` command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from keras_convnets import files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.classifiers import add_preprocessing, add_weights, check_one, opened
from keras_convnets.cli.options import add_load
from keras_convnets.cli.streams import say
from keras_convnets.shipping.engines.kinds import KINDS
from keras_convnets.shipping.serve.address import Address, check_installed
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.training import run_folder

_SUFFIXES = tuple(kind.suffix for kind in KINDS if kind.suffix)


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "serve",
        help="classify images on a page and over HTTP",
        description="Serve a model until Ctrl-C: a page where a person drops or takes a "
        "photograph, and a JSON endpoint for programs, with the bodies of TensorFlow Serving too.",
        allow_abbrev=False,
    )
    command.add_argument(
        "run",
        type=Path,
        nargs="?",
        help="the folder of a finished run, a .keras file, or an exported .onnx, .tflite, .xml or "
        "SavedModel folder",
    )
    add_weights(command)
    add_preprocessing(command)
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to serve on (default: 127.0.0.1, which only this machine can reach)",
    )
    command.add_argument(
        "--port", type=int, default=8000, help="0 for any that is free (default: 8000)"
    )
    _add_limits(command)
    command.add_argument("--access-log", action="store_true", help="print a line for each request")
    add_load(command)
    command.set_defaults(command=_serve)


def _add_limits(command: Any) -> None:
    for name, what in (
        ("batch_size", "images that the model takes at once"),
        ("queue", "images that may wait; more are refused with 503"),
        ("max_bytes", "bytes of a request; more are refused with 413"),
        ("max_pixels", "pixels of an image; more are refused with 413"),
    ):
        usual = getattr(Limits, name)
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=usual,
            metavar="N",
            help=f"{what} (default: {usual:,})",
        )


def _serve(chosen: argparse.Namespace) -> int:
    check_installed()
    check_one("serve", chosen.run, chosen)
    with Address(chosen.host, chosen.port) as address:
        startup.start_engine(chosen.load, reads_images=True)
        names = ("batch_size", "queue", "max_bytes", "max_pixels")
        limits = Limits(**{name: getattr(chosen, name) for name in names})
        served = _served(chosen)
        from keras_convnets.shipping.serve.server import serve

        def started() -> None:
            print(f"{served.name} on {address} (Ctrl-C ends it)", flush=True)

        if not address.is_local:
            say(
                f"keras-convnets: note: whoever reaches {address} can use it, for it asks for no "
                "password and does not encrypt. Put it behind a proxy that does."
            )
        serve(served, address, limits, started, _log if chosen.access_log else None)
    return DONE


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _served(chosen: argparse.Namespace) -> Any:
    """Return what the arguments name, ready to serve."""
    if chosen.run is None or not _is_exported(chosen.run):
        from keras_convnets.shipping.serve.served import of_classifier

        return of_classifier(opened(chosen.run, chosen), chosen.batch_size)
    if chosen.preprocessing is not None:
        raise ValueError(
            f"preprocessing: received {files.shown(chosen.preprocessing)} with an exported file, "
            "which knows how its images are prepared; expected none. Leave --preprocessing out."
        )
    from keras_convnets.shipping.engines.opening import open_engine
    from keras_convnets.shipping.serve.exported import of_engine

    return of_engine(open_engine(chosen.run), chosen.batch_size)


def _is_exported(given: Path) -> bool:
    """Return whether a path is that of an exported file."""
    if given.suffix in _SUFFIXES:
        return True
    return (given / "saved_model.pb").is_file() and not run_folder.is_run(given)
