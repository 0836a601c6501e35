"""The command line, ``keras-convnets``: the one file that knows both the networks and the tools."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from keras_convnets import startup
from keras_convnets._version import __version__
from keras_convnets.training import run_folder
from keras_convnets.training.settings import Settings

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.command(chosen)
    except ValueError as error:
        print(f"keras-convnets: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("keras-convnets: interrupted", file=sys.stderr)
        return INTERRUPTED


def _list(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    import keras
    from rich.console import Console
    from rich.table import Table

    from keras_convnets.registry import find, list_models

    table = Table("name", "builder", "parameters", "source", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for name in list_models(chosen.pattern):
        network = find(name)
        # Only the shapes are asked for, so the weights are not made.
        with keras.StatelessScope(initialize_variables=False):
            parameters = _build(network.published.name).count_params()
        table.add_row(name, network.builder.__name__, f"{parameters:,}", network.published.source)
    if not table.row_count:
        raise ValueError(f"pattern: no network's name matches {chosen.pattern!r}.")
    Console(soft_wrap=True).print(table)
    return 0


def _summary(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    _build(chosen.name, chosen.input_shape, chosen.num_outputs).summary()
    return 0


def _plot(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    from keras_convnets.analysis.plot import plot_model

    plot_model(_build(chosen.name, chosen.input_shape, chosen.num_outputs), chosen.file)
    print(chosen.file)
    return 0


def _train(chosen: argparse.Namespace) -> int:
    settings = Settings(chosen.epochs, chosen.batch_size, chosen.learning_rate, chosen.seed)
    out = chosen.out or run_folder.default(chosen.model, "digits")
    run_folder.check_free(out)
    startup.start_engine()
    import keras
    from rich.console import Console

    from keras_convnets.axes import current_format
    from keras_convnets.training.data import digits
    from keras_convnets.training.run import train

    keras.utils.set_random_seed(settings.seed)
    data = digits(settings, current_format())
    model = _build(chosen.model, data.image_shape, len(data.class_names))
    console = Console(highlight=False)
    console.print(
        f"{model.name}: {model.count_params():,} parameters\n"
        f"{data.name}: {data.train_images:,} training and {data.test_images:,} test images of "
        f"{' x '.join(map(str, data.image_shape))}"
    )
    outcome = train(model, data, out, settings, console)
    if outcome.test_accuracy is not None:
        console.print(f"test accuracy {outcome.test_accuracy:.2%} after {outcome.epochs} epochs")
    if outcome.interrupted:
        console.print(f"interrupted: {outcome.epochs} of {settings.epochs} epochs are finished")
    console.print(f"written to {outcome.folder}:", soft_wrap=True)
    for file in sorted(outcome.folder.iterdir()):
        console.print(f"  {file.name}")
    return INTERRUPTED if outcome.interrupted else 0


def _build(name: str, input_shape: Any = None, num_outputs: Any = None) -> Any:
    from keras_convnets.registry import create_model

    return create_model(name, input_shape, num_outputs)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error of the command."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"keras-convnets: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="keras-convnets",
        description="Classical convolutional networks in Keras 3.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"keras-convnets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_list(commands)
    _add_summary_and_plot(commands)
    _add_train(commands)
    return parser


def _add_list(commands: Any) -> None:
    command = commands.add_parser("list", help="list the networks", allow_abbrev=False)
    command.add_argument(
        "pattern", nargs="?", default="*", help="a glob pattern, such as 'resnet*'"
    )
    command.set_defaults(command=_list)


def _add_summary_and_plot(commands: Any) -> None:
    summary = commands.add_parser("summary", help="print a network's layers", allow_abbrev=False)
    summary.set_defaults(command=_summary)
    plot = commands.add_parser("plot", help="draw a network's graph", allow_abbrev=False)
    plot.set_defaults(command=_plot)
    for command in (summary, plot):
        command.add_argument("name", help="a network, as keras-convnets list names it")
        command.add_argument(
            "--input-shape",
            type=_shape,
            metavar="C,ROWS,COLS",
            help="channels, rows and columns (default: those that the network is published for)",
        )
        command.add_argument(
            "--num-outputs", type=int, help="outputs (default: as many as published)"
        )
    plot.add_argument("file", type=Path, help="the picture: .svg, .png, .pdf or .dot")


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train",
        help="train a network on handwritten digits",
        description="Train a network on scikit-learn's handwritten digits, which need no download.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--model", default="resnet_18", help="a network's name")
    command.add_argument("--epochs", type=int, default=Settings.epochs, help="passes over the data")
    command.add_argument(
        "--batch-size", type=int, default=Settings.batch_size, help="images a step"
    )
    command.add_argument(
        "--learning-rate",
        type=float,
        default=Settings.learning_rate,
        help="at the start; it falls to 0 along half a cosine",
    )
    command.add_argument("--seed", type=int, default=Settings.seed, help="of all that is random")
    command.add_argument("--out", type=Path, help="the folder to make", default=argparse.SUPPRESS)
    command.set_defaults(command=_train, out=None)


def _shape(text: str) -> tuple[int | None, ...]:
    """Read ``3,224,224``; ``none`` stands for a size that is left open."""
    try:
        return tuple(None if size.strip() == "none" else int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected channels,rows,cols, such as 3,224,224"
        ) from None
