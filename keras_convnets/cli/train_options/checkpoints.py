"""The options of ``train`` about where a run stops and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_convnets.training.recipe.settings import Settings


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
    group.add_argument("--seed", type=int, metavar="N", help="of all that is random (default: 0)")
    group.add_argument(
        "--deterministic", action="store_true", help="let TensorFlow compute deterministically"
    )
