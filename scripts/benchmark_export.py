"""Compare exported networks with ``model.predict``, ONNX Runtime and PyTorch, in turn.

``python scripts/benchmark_export.py`` times batches of 8 images of 224 x 224, all in one process
and with the same threads: ResNet-50 beside ``model.predict`` and beside ONNX Runtime with the file
that PyTorch exports of torchvision's network of the same weights; DenseNet-121 beside
``torch.jit.freeze``. A ratio is the median over the rounds. It needs PyTorch and torchvision.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import numpy as np
from benchmarks.tables import cpu, table
from benchmarks.torch_side import network, torch_and_torchvision

from keras_convnets import create_model, fold
from keras_convnets.inference.compiled import forward, to_numpy
from keras_convnets.shipping.benchmark.comparing import difference
from keras_convnets.shipping.benchmark.machine import processors
from keras_convnets.shipping.engines.kinds import LITERT, ONNX, OPENVINO
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.graph import graph_of
from keras_convnets.shipping.export.writers import write
from keras_convnets.weights.transfer.transfer import load_weights

NETWORKS = {"resnet_v1_5_50": "resnet50", "densenet_121": "densenet121"}
PREDICT, TORCH_ONNX, FROZEN = "model.predict", "torchvision's in ONNX Runtime", "torch.jit.freeze"
BEST, FOLDED = "the fastest exported", "TensorFlow, folded"
REST = 0.05  # seconds, in which the threads of the one before stop to spin
GOALS = {
    "resnet_v1_5_50": {TORCH_ONNX: 1.0, PREDICT: 0.55},
    "densenet_121": {FROZEN: 0.85},
}
Run = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    print(f"{cpu()}; {options.batch} images of 3 x 224 x 224, float32")
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, Path(folder), options.batch, options.rounds)


def compare(name: str, folder: Path, batch: int, rounds: int) -> None:
    """Print the times of a network and their ratios to those that it is measured by."""
    images = np.random.default_rng(0).standard_normal((batch, 224, 224, 3), np.float32)
    runs, exported = contenders(name, folder)
    first = runs[PREDICT](images)
    differences = {which: difference(run(images), first) for which, run in runs.items()}
    times = in_turn(runs, images, rounds)
    best = min(exported, key=lambda which: median(times[which]))
    others = [which for which in runs if which not in (FOLDED, *exported)]
    rows = [
        [
            *(which, f"{1000 * median(times[which]):.0f}", f"{differences[which]:.0e}"),
            *(f"{ratio(times[which], times[other]):.2f}" for other in others),
        ]
        for which in runs
    ]
    print(f"\n{name}\n")
    print(table(["", "ms", "difference", *(f"/ {other}" for other in others)], rows))
    for other, goal in GOALS[name].items():
        found = ratio(times[best], times[other])
        outcome = "met" if found <= goal else "NOT met"
        print(
            f"{BEST}, {best}, / {other}: {found:.3f} (goal: at most {goal}: {outcome})", flush=True
        )


def contenders(name: str, folder: Path) -> tuple[dict[str, Run], list[str]]:
    """Return functions of a batch, channels last, and which of them run exports."""
    torch, torchvision = torch_and_torchvision()
    torch.manual_seed(0)
    other = network(torch, torchvision, NETWORKS[name], 224).eval()
    torch.save(other.state_dict(), folder / "weights.pth")
    model = create_model(name)
    load_weights(model, folder / "weights.pth")
    ours = _exported(model, folder)
    runs = {PREDICT: lambda batch: model.predict(batch, batch_size=len(batch), verbose=0)}
    runs |= _of_torch(torch, torch.nn.Sequential(other, torch.nn.Softmax(-1)).eval(), folder)
    compiled = forward(model)
    runs["TensorFlow, compiled"] = lambda batch: to_numpy(compiled(batch))
    return runs | ours, [which for which in ours if which != FOLDED]


def _exported(model: Any, folder: Path) -> dict[str, Run]:
    folded = fold(model)
    graph, function = graph_of(folded), forward(folded)
    runs: dict[str, Run] = {FOLDED: lambda batch: to_numpy(function(batch))}
    for kind in (ONNX, OPENVINO, LITERT):
        path = folder / f"ours{kind.suffix}"
        write(kind, graph, path, "float32")
        runs[kind.runtime] = open_engine(path, processors()).run
    return runs


def _of_torch(torch: Any, model: Any, folder: Path) -> dict[str, Run]:
    path, example = folder / "torchvision.onnx", torch.zeros(2, 3, 224, 224)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no other package is the old one
        torch.onnx.export(
            model,
            (example,),
            path,
            dynamo=False,
            input_names=["images"],
            output_names=["out"],
            dynamic_axes={"images": {0: "batch"}, "out": {0: "batch"}},
        )
        with torch.no_grad():
            frozen = torch.jit.freeze(torch.jit.trace(model, example))
    engine = open_engine(path, processors())

    def run_frozen(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return frozen(torch.from_numpy(first(batch))).numpy()

    return {TORCH_ONNX: lambda batch: engine.run(first(batch)), FROZEN: run_frozen}


def first(batch: np.ndarray) -> np.ndarray:
    """Return a batch with its channels first, in which torchvision's networks are exported."""
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def in_turn(runs: dict[str, Run], images: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each, each after a rest, each round in another order.

    Moving the channels for torchvision takes about a millisecond, which counts.
    """
    names = list(runs)
    took: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        # In a fixed order each would always run after the same other one, and in its cache.
        for name in random.Random(number).sample(names, len(names)):
            time.sleep(REST)
            start = time.perf_counter()
            runs[name](images)
            if number:
                took[name].append(time.perf_counter() - start)
    return took


def ratio(ours: list[float], others: list[float]) -> float:
    """Return the median over the rounds."""
    return median(one / other for one, other in zip(ours, others, strict=True))


if __name__ == "__main__":
    main()
