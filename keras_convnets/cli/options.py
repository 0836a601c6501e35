"""Options shared by several commands, and their parser."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from keras_convnets.printable import to_json

_SIGNED = re.compile(r"-[\d.]")  # how no option begins
_TO = {"table": "text", "md": "markdown", "csv": "csv", "json": "dict"}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are reported like all errors of the command.

    Attributes:
        rest: the positional argument that takes any number of words, also between and after the
            options, where argparse takes none.
    """

    rest: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments; return the namespace and those that are unknown."""
        found, unknown = super().parse_known_args(args and _joined(args), namespace)
        if self.rest is not None:
            getattr(found, self.rest).extend(word for word in unknown if word[:1] != "-")
            unknown = [word for word in unknown if word[:1] == "-"]
        return found, unknown

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def _joined(words: Sequence[str]) -> list[str]:
    """Return words in which a value such as ``-1-1``, which argparse takes for an option, is one.

    Examples:
        >>> _joined(["--preprocessing", "-1-1", "--seed", "3", "--", "--a", "-1"])
        ['--preprocessing=-1-1', '--seed', '3', '--', '--a', '-1']
    """
    end = words.index("--") if "--" in words else len(words)
    found: list[str] = []
    for word in words[:end]:
        before = found[-1] if found else ""
        if before.startswith("--") and "=" not in before and _SIGNED.match(word):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return [*found, *words[end:]]


def add_format(command: Any) -> None:
    command.add_argument("--format", choices=list(_TO), default="table", help="of the output")


def add_load(command: Any) -> None:
    """Add ``--load``, the files that ``startup.start_engine`` imports."""
    command.add_argument(
        "--load",
        type=Path,
        action="append",
        metavar="FILE",
        help="a Python file with builders or layers of your own; may be repeated",
    )


def add_shape(command: Any, default: str) -> None:
    command.add_argument(
        "--input-shape",
        type=shape,
        metavar="C,ROWS,COLS",
        help=f"channels, rows and columns (default: {default})",
    )


def console_width() -> int | None:
    """Return the columns of the console; ``None`` if the output goes to a file or a program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_found(found: Any, output_format: str, **options: Any) -> None:
    """Print a result that has tables, in the requested format."""
    if output_format == "json":
        print_json(found.to_dict(**options))
    else:
        print(getattr(found, f"to_{_TO[output_format]}")(**options))


def print_json(value: Any) -> None:
    """Print JSON, in letters that standard output has."""
    text = to_json(value)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    print(text)


def shape(text: str) -> tuple[int | None, ...]:
    """Parse a shape such as ``3,224,224``; ``none`` leaves a size open."""
    try:
        return tuple(None if size.strip() == "none" else int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected channels,rows,cols, such as 3,224,224"
        ) from None
