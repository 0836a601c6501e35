"""The options of ``train`` about where and how fast it computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_convnets.training.distribute.cluster import STRATEGIES


def add_to(group: Any) -> None:
    """Add the options."""
    group.add_argument("--strategy", choices=STRATEGIES, help="which devices train (default: auto)")
    group.add_argument("--workers", metavar="HOST:PORT,...", help="all machines, the chief first")
    group.add_argument("--index", type=int, metavar="N", help="which of them this one is, from 0")
    group.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="a secret that all of them have, by which they recognise each other",
    )
    group.add_argument(
        "--sync-bn", action="store_true", help="batch normalisation over all devices' images"
    )
    group.add_argument(
        "--memory-efficient",
        action="store_true",
        help="train dense blocks in less memory: compute again what is cheap to compute",
    )
    group.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="the numbers to compute with; weights are float32 (default: float32)",
    )
    group.add_argument("--jit", action="store_true", help="compile the step with XLA")
    group.add_argument(
        "--steps-per-execution",
        type=int,
        metavar="N",
        help="steps before TensorFlow returns to Python (default: 1)",
    )
