"""The options of ``train`` about where a run stops and goes on."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from keras_convnets.training.recipe.settings import Settings

_MOST_SEEDS = 1000
_UNITS = (3600, 60, 1)  # seconds


def add_to(group: Any) -> None:
    """Add the options."""
    group.add_argument("--resume", type=Path, metavar="RUN", help="resume an unfinished run")
    group.add_argument(
        "--continue",
        dest="continues",
        action="store_true",
        help="resume the run in --out if it was begun, else start it",
    )
    group.add_argument(
        "--checkpoint-steps",
        type=int,
        metavar="N",
        help=f"steps between checkpoints within an epoch (default: {Settings.checkpoint_steps})",
    )
    group.add_argument(
        "--time-limit",
        type=_seconds,
        metavar="TIME",
        help="end after so long, such as 90s, 30m or 1h30m, with a checkpoint to resume from",
    )
    group.add_argument(
        "--keep-best",
        action=argparse.BooleanOptionalAction,
        help="keep the model with the best validation accuracy beside the last (default: if the "
        "validation images are not the test images)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="of all that is random (default: 0)")
    group.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N|A,B,...",
        help="a run for each seed, one after another, in folders seed-A of --out: the seeds 0 to "
        "N - 1, or those that are listed",
    )
    group.add_argument(
        "--deterministic", action="store_true", help="let TensorFlow compute deterministically"
    )


def _seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that an option names: their number, or a list of them."""
    try:
        numbers = [int(number) for number in text.split(",") if number.strip()]
    except ValueError:
        numbers = []
    is_number = len(numbers) == 1 and "," not in text
    found = tuple(range(min(numbers[0], _MOST_SEEDS + 1)) if is_number else numbers)
    if not 0 < len(found) <= _MOST_SEEDS or len(set(found)) < len(found) or min(found) < 0:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected how many, such as 3, or different ones, such as 0,1,2"
        )
    return found


def _seconds(text: str) -> float:
    """Return the seconds of a time such as ``1h30m``."""
    found = re.fullmatch(
        r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6}(?:\.\d{1,6})?)s)?", text, re.ASCII
    )
    counts = found.groups(default="0") if found else ()
    seconds = sum(float(count) * unit for count, unit in zip(counts, _UNITS, strict=False))
    if not seconds:
        raise argparse.ArgumentTypeError(
            f"received {text!r}; expected a time with its unit, such as 90s, 30m, 2h or 1h30m"
        )
    return seconds
