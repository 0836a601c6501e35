"""Compare the memory that DenseNets train in, with and without ``memory_efficient``.

``python scripts/benchmark_memory.py`` prints for each network the most memory that a step of
training takes (forward, backward, an update by SGD with momentum) and its time, each network in a
process of its own, which take their steps in turn. The memory of a step is the process's peak
without what it had before the first step; the ratio of the whole peaks is given beside it. Linux
only: it reads ``/proc``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from benchmarks.tables import cpu, table
from benchmarks.turns import in_turn

SIDES = ("plain", "efficient")
CASES = {
    "densenet_121-224": ("densenet_121", 224, 16),
    "densenet_121-160": ("densenet_121", 160, 8),
    "cifar_densenet_bc_100_12": ("cifar_densenet_bc_100_12", 32, 64),
}
# The last three are relative to the plain network.
HEADING = ["network", "images", "batch", "", "peak MB", "step MB", "ms", "peak", "step", "time"]


class Process:
    """A process that trains one network; it takes a step whenever it is told to."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, __file__, "--train", *map(str, arguments)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Process:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def step(self) -> list[int]:
        """Return the bytes before the first step, and the most so far, after one more step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("step", file=self._process.stdin, flush=True)
        return [int(word) for word in self._process.stdout.readline().split()]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5, help="steps of each (default: 5)")
    parser.add_argument("--precision", default="float32", help="the Keras policy")
    parser.add_argument("--train", nargs=4, help=argparse.SUPPRESS)  # what a process is for
    options = parser.parse_args()
    if options.train:
        name, size, batch, side = options.train
        train(name, int(size), int(batch), side, options.precision)
        return
    rows = [row for case in options.cases for row in compared(case, options)]
    print(f"{cpu()}, {options.precision}\n\n{table(HEADING, rows)}")


def compared(case: str, options: argparse.Namespace) -> list[list[str]]:
    """Return the rows of a network: plain, then efficient."""
    name, size, batch = CASES[case]
    arguments = (name, size, batch)
    policy = ("--precision", options.precision)
    with (
        Process(*arguments, SIDES[0], *policy) as plain,
        Process(*arguments, SIDES[1], *policy) as efficient,
    ):
        seconds = in_turn([plain.step, efficient.step], options.rounds)
        memory = [process.step() for process in (plain, efficient)]
    figures = [
        (peak, peak - before, time) for (before, peak), time in zip(memory, seconds, strict=True)
    ]
    return [
        [
            *(name, f"{size} x {size}", str(batch), side),
            *(f"{peak / 2**20:,.0f}", f"{step / 2**20:,.0f}", f"{time * 1000:,.0f}"),
            *(f"{one / other:.2f}" for one, other in zip(figure, figures[0], strict=True)),
        ]
        for side, figure in zip(SIDES, figures, strict=True)
        for peak, step, time in [figure]
    ]


def train(name: str, size: int, batch: int, side: str, precision: str) -> None:
    """Take a step for each line of standard input, and report the memory."""
    from keras_convnets.cli import startup

    startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

    import keras
    import numpy as np

    from keras_convnets import create_model

    keras.config.set_dtype_policy(precision)
    model = create_model(name, (3, size, size), memory_efficient=side == "efficient")
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).normal(size=(batch, size, size, 3)).astype("float32")
    labels = np.zeros(batch, "int32")
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = peak()
    for _ in sys.stdin:
        model.train_on_batch(images, labels)
        print(before, peak(), flush=True)


def peak() -> int:
    """Return the most bytes of memory that this process has had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
