"""Compare how fast, and in how much memory, weights are loaded here and by PyTorch, in turn.

``python scripts/benchmark_weights.py`` writes the weights of a ResNet-50 (102 MB) in each format,
loads them in turn in one process, and prints the median seconds, the peak of the memory beyond what
the process had, and the ratios to PyTorch. Machines differ and are shared: read the ratios, not the
seconds. It needs PyTorch and torchvision.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from keras_convnets.cli import startup

startup.start_engine()  # like the command

import safetensors.torch
import torch

from keras_convnets import create_model, load_weights
from keras_convnets.weights.formats import formats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import torchvision_models

OURS, THEIRS = "resnet_v1_5_50", "resnet50"
READING, LOADING = "reading", "into a model"

Way = Callable[[Path], Any]
Took = tuple[float, float]  # seconds, and MB


def main() -> None:
    """Print a table of each format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="loads of each (default: 5)")
    rounds = parser.parse_args().rounds
    model = create_model(OURS)
    network = getattr(torchvision_models.load()[1], THEIRS)(weights=None)
    with tempfile.TemporaryDirectory() as folder:
        for name, file in written(network, Path(folder)).items():
            print(f"\n{name}, {file.stat().st_size / 1e6:.0f} MB, {rounds} rounds")
            print(f"{'':<16}{'':<16}{'s':>8}{'/ PyTorch':>12}{'peak MB':>12}{'/ PyTorch':>12}")
            for what, ways in sides(name, model, network).items():
                report(what, file, ways, rounds)


def written(network: torch.nn.Module, folder: Path) -> dict[str, Path]:
    """Write the weights in each format, and return the files by the names of the formats."""
    state = network.state_dict()
    files = {"legacy stream": "old.pth", "zip": "new.pth", "safetensors": "new.safetensors"}
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "new.pth")
    safetensors.torch.save_file(state, folder / "new.safetensors")
    return {name: folder / file for name, file in files.items()}


def sides(name: str, model: Any, network: torch.nn.Module) -> dict[str, tuple[Way, Way]]:
    """Return our way and PyTorch's of reading a file, and of loading it into a model."""
    read: Way = safetensors.torch.load_file
    if name != "safetensors":
        read = lambda file: torch.load(file, weights_only=True)  # noqa: E731
    return {
        READING: (formats.read, read),
        LOADING: (
            lambda file: load_weights(model, file),
            lambda file: network.load_state_dict(read(file)),
        ),
    }


def report(what: str, file: Path, ways: tuple[Way, Way], rounds: int) -> None:
    """Load a file in both ways in turn, after a round that does not count; print the medians."""
    took: list[list[Took]] = [[], []]
    for number in range(rounds + 1):
        for way, times in zip(ways, took, strict=True):
            found = once(way, file)
            if number:
                times.append(found)
    seconds, memory = ([median(column) for column in zip(*side, strict=True)] for side in took)
    rows = zip(("keras_convnets", "PyTorch"), (seconds, memory), strict=True)
    for package, (second, megabytes) in rows:
        ratios = second / memory[0], megabytes / memory[1]
        print(
            f"{what:<16}{package:<16}{second:>8.3f}{ratios[0]:>12.2f}{megabytes:>12.0f}"
            f"{ratios[1]:>12.2f}",
            flush=True,
        )


def once(way: Way, file: Path) -> Took:
    """Return the seconds of a load, and the peak of the memory beyond what the process had."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start = status("VmRSS"), time.perf_counter()
    found = way(file)
    seconds = time.perf_counter() - start
    peak = max(1.0, status("VmHWM") - before)
    del found
    return seconds, peak


def status(field: str) -> float:
    """Return a figure of this process in MB, as the system has it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1e3


if __name__ == "__main__":
    main()
