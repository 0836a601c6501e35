"""Measure how fast networks train and predict on the accelerator that Keras' backend sees.

``python scripts/benchmark_gpu.py`` prints images a second, the share of the device's peak and the
most memory in use, of training (``model.fit``, SGD with momentum) and of inference (the network as
a compiled function), for each batch size. The images are random and stay on the device, so that
reading them is left out; on TensorFlow, ``fit`` copies each batch to the device.

Each network and phase has a process of its own: its memory is its own, and what fails stops nothing
else. ``--torchvision`` compares with torchvision's networks: autocast, channels last, uncompiled.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks import gpu_torch
from benchmarks.gpu_rows import PHASES, Row, as_table
from benchmarks.gpu_work import Work

NETWORKS = ("resnet_v1_5_50", "vgg_16", "googlenet_bn", "densenet_121", "cifar_resnet_20")
BATCHES = (64, 128, 256, 512)
PRECISIONS = ("mixed_bfloat16", "mixed_float16", "float32")


def main() -> int:
    """Print the table, and return 1 if something but memory was in the way of a row."""
    options = parsed()
    if options.one:
        for row in Work(**json.loads(options.one)).rows():
            print("row", json.dumps(dataclasses.asdict(row)), flush=True)
        return 0
    measured = Work.rows if options.small else apart
    rows = [row for work in works(options) for row in measured(work)]
    others = None
    if options.torchvision:
        others = [row for work in works(options, True) for row in measured(work)]
    print(f"{' '.join(dict.fromkeys(row.device for row in rows))}, {options.precision}\n")
    print(as_table(rows, options.precision, others))
    return 1 if any(row.failed for row in (*rows, *(others or ()))) else 0


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES, metavar="N")
    parser.add_argument("--size", type=int, help="rows and columns (default: the network's own)")
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--steps", type=int, default=10, help="least steps of a window (10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of a window (1)")
    parser.add_argument("--windows", type=int, default=3, help="take the median of as many (3)")
    parser.add_argument("--torchvision", action="store_true", help="compare with its networks")
    parser.add_argument("--small", action="store_true", help="a short try, for any processor")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.small:
        options.networks, options.batches, options.size = ("cifar_resnet_20",), (4,), 32
        options.steps, options.seconds, options.windows = 2, 0.0, 1
    return options


def works(options: argparse.Namespace, of_torchvision: bool = False) -> Iterator[Work]:
    """Yield what each process has to do."""
    for network in options.networks:
        for phase in options.phases:
            if not of_torchvision or network in gpu_torch.NAMES:
                yield Work(
                    network=network,
                    phase=phase,
                    batches=sorted(options.batches),
                    size=options.size,
                    precision=options.precision,
                    steps=options.steps,
                    seconds=options.seconds,
                    windows=options.windows,
                    of_torchvision=of_torchvision,
                )


def apart(work: Work) -> Iterator[Row]:
    """Yield the rows of a process of its own, and what it ended with for those it did not get to.

    Each row is also written to standard error as it comes.
    """
    command = [sys.executable, __file__, "--one", json.dumps(dataclasses.asdict(work))]
    missing = list(work.batches)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if line.startswith("row "):
                row = Row(**json.loads(line.removeprefix("row ")))
                missing.remove(row.batch)
                print(line, end="", file=sys.stderr, flush=True)
                yield row
    for batch in missing:
        yield Row(work.network, work.phase, batch, reason=f"exit code {process.returncode}")


if __name__ == "__main__":
    sys.exit(main())
