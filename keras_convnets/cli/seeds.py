"""``train`` for several seeds."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from keras_convnets.cli.boundary import INTERRUPTED
from keras_convnets.cli.streams import outlive_output
from keras_convnets.printable import printable
from keras_convnets.training import run_folder
from keras_convnets.training.run.request import ResumeRequest, RunRequest


def is_several(chosen: argparse.Namespace) -> bool:
    """Return whether the options are about runs of several seeds."""
    from keras_convnets.training.side_by_side import seeds

    return "seeds" in chosen or ("resume" in chosen and seeds.is_several(chosen.resume))


def train(request: RunRequest | ResumeRequest, chosen: argparse.Namespace) -> int:
    """Train a run for each seed, and print all of them side by side."""
    from keras_convnets.training.side_by_side import seeds

    outlive_output()
    if isinstance(request, ResumeRequest):
        folder = request.out
        code = seeds.resume(request, getattr(chosen, "load", ()), _say)
    else:
        folder = request.folder
        code = seeds.begin(request, chosen.seeds, _say)
    if code == INTERRUPTED:
        again = f"keras-convnets train --resume {shlex.quote(str(folder))}"
        _say(f"interrupted; go on with {again}")
    elif folder.is_dir():
        _report(folder)
    return code


def _report(folder: Path) -> None:
    from keras_convnets.training.side_by_side.figure import plot_runs
    from keras_convnets.training.side_by_side.runs import runs

    found = runs(folder)
    print(f"\n{found.to_text()}", flush=True)
    if any(run.epochs for run in found.runs):
        plot_runs(found, folder / run_folder.ALL_CURVES)
        _say(f"written to {folder}: {run_folder.ALL_CURVES}, and a folder for each seed")


def _say(line: str) -> None:
    print(printable(line), flush=True)
