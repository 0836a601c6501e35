"""The command line, ``keras-convnets``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from keras_convnets._version import __version__
from keras_convnets.cli import evaluate, inspect, train
from keras_convnets.cli.options import BAD_INPUT, DONE, INTERRUPTED, Parser
from keras_convnets.errors import RunStopped


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0, 1 for a run that had to stop, 2 for bad input, 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    chosen = _parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    if isinstance(sys.stdout, io.TextIOWrapper):  # print ? for what a terminal cannot show
        sys.stdout.reconfigure(errors="replace")
    try:
        code = chosen.command(chosen)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except RunStopped as stop:
        print(f"keras-convnets: stopped: {' '.join(str(stop).split())}", file=sys.stderr)
        return stop.exit_code
    except ValueError as error:
        print(f"keras-convnets: error: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("keras-convnets: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> Parser:
    parser = Parser(
        prog="keras-convnets",
        description="Classical convolutional networks in Keras 3.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"keras-convnets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    inspect.add_to(commands)
    train.add_to(commands)
    evaluate.add_to(commands)
    return parser
