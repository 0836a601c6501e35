"""The ``benchmark`` command."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from keras_convnets import checks, files
from keras_convnets.cli import startup
from keras_convnets.cli.boundary import DONE
from keras_convnets.cli.options import (
    add_format,
    add_load,
    add_shape,
    console_width,
    print_found,
)
from keras_convnets.cli.streams import say
from keras_convnets.printable import printable, to_json
from keras_convnets.training import run_folder

_SECONDS = 3.0
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "benchmark",
        help="time a model in every runtime that is installed",
        description="Print how long a batch of images takes in every engine that is installed, in "
        "turn: Keras predict, TensorFlow compiled, by XLA and folded, ONNX Runtime, LiteRT and "
        "OpenVINO, for which models are exported; with their memory, the size of their files, and "
        "whether they say the same.",
        allow_abbrev=False,
    )
    command.add_argument(
        "models",
        nargs="+",
        metavar="RUN|NAME|FILE",
        help="the folder of a finished run, a network, a .keras file, or an exported file: .onnx, "
        ".tflite, .xml, the folder of a SavedModel",
    )
    command.add_argument(
        "--engines",
        type=_words,
        metavar="LIST",
        help="of predict, compiled, xla, folded, onnx, litert, openvino, saved_model (default: all "
        "that are installed but the last)",
    )
    command.add_argument(
        "--batch",
        type=_numbers,
        default=[1],
        metavar="N,N",
        help="images at once; several are measured one after the other (default: 1)",
    )
    command.add_argument(
        "--precision",
        type=_words,
        default=["float32"],
        metavar="LIST",
        help="of the exported files: float32, float16, bfloat16, int8 (default: float32)",
    )
    command.add_argument(
        "--threads", type=int, metavar="N", help="of each engine (default: as many as processors)"
    )
    command.add_argument(
        "--seconds",
        type=float,
        default=_SECONDS,
        metavar="S",
        help=f"that each engine is timed for each number of images (default: {_SECONDS:g})",
    )
    command.add_argument(
        "--no-memory", action="store_true", help="leave out the memory, which takes a process each"
    )
    add_shape(command, "the network's own")
    command.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw the times too: .svg, .png or .pdf"
    )
    command.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the JSON to a new file too",
    )
    add_format(command)
    command.add_argument(
        "--json", dest="format", action="store_const", const="json", help="as --format json"
    )
    add_load(command)
    command.set_defaults(command=_benchmark)


def _benchmark(chosen: argparse.Namespace) -> int:
    names = _checked(chosen)
    startup.start_engine(chosen.load)
    from keras_convnets.analysis.drawing import figure_file
    from keras_convnets.shipping.benchmark.benchmark import benchmark
    from keras_convnets.shipping.benchmark.figure import plot_benchmark

    if chosen.figure is not None:
        figure_file(chosen.figure)
    found = benchmark(
        {name: _given(name, chosen.input_shape) for name in names},
        chosen.engines,
        chosen.batch,
        chosen.precision,
        input_shape=chosen.input_shape,
        threads=chosen.threads,
        seconds=chosen.seconds,
        memory=not chosen.no_memory,
        tell=_tell if sys.stderr.isatty() else None,
    )
    width = {"width": console_width()} if chosen.format == "table" else {}
    print_found(found, chosen.format, **width)
    sys.stdout.flush()  # what cannot be written below leaves the table
    if chosen.save is not None:
        with files.replacing(chosen.save) as path:
            path.write_text(to_json(found.to_dict()) + "\n", encoding="utf-8")
    if chosen.figure is not None:
        plot_benchmark(found, chosen.figure)
    _into_cards(found, names)
    return DONE


def _into_cards(found: Any, names: list[str]) -> None:
    """Write the times of exported files into the model cards beside them, and say so."""
    from keras_convnets.shipping.card.beside import add_speeds
    from keras_convnets.shipping.card.facts import Speed

    on = f"{found.machine.threads} threads of {found.machine.cpu}"
    for name in filter(_is_exported, names):
        rows = [row for row in found.measurements if row.model == name]
        try:
            card = add_speeds(name, [Speed(row.batch, row.median, row.p95, on) for row in rows])
        except ValueError as error:
            say(f"keras-convnets: note: the model card does not have the times: {error}")
        else:
            if card is not None:
                say(f"keras-convnets: note: {printable(card)} has the times of {printable(name)}")


def _checked(chosen: argparse.Namespace) -> list[str]:
    """Return the models, once all that can be is checked before TensorFlow is imported."""
    from keras_convnets.shipping.benchmark import ways

    checks.positive_number("seconds", chosen.seconds, "how long each engine is timed, such as 3")
    checks.positive_integers("batch", chosen.batch, "numbers of images, such as 1,8")
    ways.chosen(chosen.engines)
    if chosen.threads is not None:
        threads = checks.positive_integer("threads", chosen.threads, "a number, such as 2")
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    for file in filter(None, (chosen.save, chosen.figure)):
        files.check_place(file)
    if chosen.save is not None and os.path.lexists(chosen.save):
        raise ValueError(
            f"save: received {files.shown(chosen.save)}, which exists; expected the name of a new "
            "file. Name another, or remove it."
        )
    for name in chosen.models:
        if chosen.models.count(name) > 1:
            raise ValueError(
                f"models: received {files.shown(name)} twice; expected each once. Leave one out."
            )
    return chosen.models


def _given(name: str, input_shape: Any) -> Any:
    """Return a model, or the path of an exported file."""
    from keras_convnets.saved_models import is_file, load_model
    from keras_convnets.training.run.saved_run import open_run
    from keras_convnets.zoo import create_model

    if run_folder.is_run(Path(name)):
        return open_run(name).model
    if _is_exported(name):
        return Path(name)
    return load_model(name) if is_file(name) else create_model(name, input_shape)


def _is_exported(name: str) -> bool:
    """Return whether a name is that of an exported file, or of a folder that is no run."""
    from keras_convnets.shipping.engines.kinds import KINDS

    path = Path(name)
    is_folder = path.is_dir() and not run_folder.is_run(path)
    return is_folder or path.suffix in {kind.suffix for kind in KINDS if kind.suffix}


def _tell(words: str) -> None:
    say(f"keras-convnets: {printable(words)}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _numbers(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected numbers of images, such as 1,8"
        ) from None
