"""The commands of ``keras-convnets``: their parser, and the one that the arguments choose."""

from __future__ import annotations

import argparse

from keras_convnets._version import __version__
from keras_convnets.cli import (
    accuracy,
    augment,
    benchmark,
    convert,
    evaluate,
    explain,
    export,
    figures,
    inspect,
    maps,
    runs,
    serve,
    train,
    weights,
)
from keras_convnets.cli.options import Parser


def run(arguments: list[str]) -> int:
    """Run the command that the arguments describe, and return its exit code."""
    chosen = _parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    return chosen.command(chosen)


def _parser() -> Parser:
    parser = Parser(
        prog="keras-convnets",
        description="Classical convolutional networks in Keras 3.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"keras-convnets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    inspect.add_to(commands)
    accuracy.add_to(commands)
    figures.add_to(commands)
    train.add_to(commands)
    augment.add_to(commands)
    runs.add_to(commands)
    evaluate.add_to(commands)
    maps.add_to(commands)
    explain.add_to(commands)
    weights.add_to(commands)
    convert.add_to(commands)
    export.add_to(commands)
    benchmark.add_to(commands)
    serve.add_to(commands)
    return parser
