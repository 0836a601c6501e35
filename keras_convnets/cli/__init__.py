"""The command line, ``keras-convnets``."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from keras_convnets import startup
from keras_convnets._version import __version__
from keras_convnets.training import run_folder
from keras_convnets.training.settings import Settings

INTERRUPTED = 130
_FORMATS = {"table": "text", "md": "markdown", "csv": "csv", "json": "dict"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a sign gets a ? for it
        sys.stdout.reconfigure(errors="replace")
    try:
        code = chosen.command(chosen)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who reads the output, as head does, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ValueError as error:
        print(f"keras-convnets: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("keras-convnets: interrupted", file=sys.stderr)
        return INTERRUPTED


def _list(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    from keras_convnets.catalogue import listing
    from keras_convnets.registry import list_models

    names = list_models(chosen.pattern)
    if not names:
        raise ValueError(f"pattern: no network's name matches {chosen.pattern!r}.")
    _print(listing(names, with_costs=chosen.cost), chosen.format)
    return 0


def _summary(chosen: argparse.Namespace) -> int:
    _open(chosen).summary()
    return 0


def _plot(chosen: argparse.Namespace) -> int:
    model = _open(chosen)
    from keras_convnets.analysis.plot import plot_model

    plot_model(
        model,
        chosen.file,
        detail=chosen.detail,
        show_shapes=not chosen.no_shapes,
        show_cost=not chosen.no_cost,
        fold_repeats=not chosen.no_fold,
        expand_nested=chosen.expand_nested,
        rankdir=chosen.rankdir,
        dpi=chosen.dpi,
    )
    print(chosen.file)
    return 0


def _cost(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    from keras_convnets.analysis.cost import cost

    model = _open_for(chosen.name, chosen.input_shape, chosen.num_outputs)
    _print(cost(model, chosen.input_shape), chosen.format, by=chosen.by)
    return 0


def _receptive_field(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    from keras_convnets.analysis.receptive_field import ReceptiveFields, receptive_field

    shape = chosen.input_shape
    model = _open_for(chosen.name, shape, chosen.num_outputs)
    if chosen.layer is None:
        fields = receptive_field(model, input_shape=shape)
    else:
        field = receptive_field(model, chosen.layer, input_shape=shape)
        fields = ReceptiveFields({chosen.layer: field})
    _print(fields, chosen.format)
    return 0


def _compare(chosen: argparse.Namespace) -> int:
    startup.start_engine()
    from keras_convnets.side_by_side import compare

    shape = chosen.input_shape
    _print(compare([_open_for(name, shape) for name in chosen.names], shape), chosen.format)
    return 0


def _print(found: Any, output_format: str, **options: str) -> None:
    """Print what has tables, in the format asked for."""
    if output_format == "json":
        print(json.dumps(found.to_dict(**options), indent=2, ensure_ascii=False))
    else:
        print(getattr(found, f"to_{_FORMATS[output_format]}")(**options))


def _open(chosen: argparse.Namespace) -> Any:
    startup.start_engine()
    from keras_convnets.side_by_side import open_model

    return open_model(chosen.name, chosen.input_shape, chosen.num_outputs)


def _train(chosen: argparse.Namespace) -> int:
    settings = Settings(chosen.epochs, chosen.batch_size, chosen.learning_rate, chosen.seed)
    out = chosen.out or run_folder.default(chosen.model, "digits")
    run_folder.check_free(out)
    startup.start_engine()
    import keras
    from rich.console import Console

    from keras_convnets.axes import current_format
    from keras_convnets.registry import create_model, one_output
    from keras_convnets.training.data import digits
    from keras_convnets.training.run import train

    keras.utils.set_random_seed(settings.seed)
    data = digits(settings, current_format())
    model = create_model(
        chosen.model, data.image_shape, len(data.class_names), **one_output(chosen.model)
    )
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


def _open_for(name: str, input_shape: Any, num_outputs: Any = None) -> Any:
    """Return the model to look at for a shape: a network is built for it, a saved model is not."""
    from keras_convnets.side_by_side import is_file, open_model

    return open_model(name, None if is_file(name) else input_shape, num_outputs)


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
    _add_looks(commands)
    _add_train(commands)
    return parser


def _add_list(commands: Any) -> None:
    command = commands.add_parser("list", help="list the networks", allow_abbrev=False)
    command.add_argument(
        "pattern", nargs="?", default="*", help="a glob pattern, such as 'resnet*'"
    )
    command.add_argument(
        "--cost", action="store_true", help="build each to count parameters and multiply-adds"
    )
    _add_format(command)
    command.set_defaults(command=_list)


def _add_looks(commands: Any) -> None:
    """Add the commands that look at one model or more."""
    summary = commands.add_parser("summary", help="print a network's layers", allow_abbrev=False)
    summary.set_defaults(command=_summary)
    plot = commands.add_parser("plot", help="draw a network's graph", allow_abbrev=False)
    plot.set_defaults(command=_plot)
    cost = commands.add_parser("cost", help="print what a network costs", allow_abbrev=False)
    cost.set_defaults(command=_cost)
    field = commands.add_parser(
        "receptive-field", help="print which pixels each layer sees", allow_abbrev=False
    )
    field.set_defaults(command=_receptive_field)
    compare = commands.add_parser("compare", help="print costs side by side", allow_abbrev=False)
    compare.set_defaults(command=_compare)
    for command in (summary, plot, cost, field):
        command.add_argument(
            "name", help="a network, as keras-convnets list names it, or a .keras file"
        )
        _add_shape(command, "those that the network is published for")
        command.add_argument(
            "--num-outputs", type=int, help="outputs (default: as many as published)"
        )
    compare.add_argument("names", nargs="+", metavar="name", help="networks, .keras files")
    _add_shape(compare, "each network's own")
    for command in (cost, field, compare):
        _add_format(command)
    by = ("layer", "block", "stage")
    cost.add_argument("--by", choices=by, default="block", help="what a row is (default: block)")
    field.add_argument("--layer", help="a layer's name (default: all layers)")
    _add_drawing(plot)


def _add_format(command: Any) -> None:
    command.add_argument("--format", choices=list(_FORMATS), default="table", help="of the output")


def _add_shape(command: Any, default: str) -> None:
    command.add_argument(
        "--input-shape",
        type=_shape,
        metavar="C,ROWS,COLS",
        help=f"channels, rows and columns (default: {default})",
    )


def _add_drawing(plot: Any) -> None:
    plot.add_argument("file", type=Path, help="the figure: .svg, .png, .pdf, .dot or .html")
    details = ("stage", "block", "layer")
    plot.add_argument("--detail", choices=details, default="block", help="default: block")
    plot.add_argument("--no-fold", action="store_true", help="draw each of several alike blocks")
    plot.add_argument("--no-shapes", action="store_true", help="leave out the tensors' shapes")
    plot.add_argument("--no-cost", action="store_true", help="leave out parameters, multiply-adds")
    plot.add_argument("--expand-nested", action="store_true", help="take models within apart")
    directions = ("TB", "LR", "BT", "RL")
    plot.add_argument("--rankdir", choices=directions, default="TB", help="default: TB")
    plot.add_argument("--dpi", type=int, default=120, help="dots per inch of a png (default: 120)")


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
