"""Compare how fast networks predict here, in Keras and in PyTorch, in turn.

``python scripts/benchmark_predict.py`` prints a row for each network and batch size: the time of
the compiled function (``tf.function``, called with a tensor), and how many times as long the others
take. What prepares pixels or reads files is compared with the same before the function; an
evaluation of several batches, with as many calls. All take turns in one process; a ratio is the
median over the rounds. In the small network, the overhead shows. Last, it prints what memory and
threads 200 calls leave. torchvision's column needs PyTorch and torchvision.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
import numpy as np
import tensorflow as tf
from benchmarks.tables import cpu, show, table
from benchmarks.torch_side import inference, network, torch_and_torchvision
from benchmarks.turns import Call, rounds_within
from PIL import Image

from keras_convnets import classify, create_model
from keras_convnets.images import decoding
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.predict import predict
from keras_convnets.inference.trained import TrainedModel

# Rows and columns of the images, and torchvision's name. The large network has small images, for 64
# of 224 x 224 take seconds; so its overhead shows more.
NETWORKS = {"cifar_resnet_20": (32, None), "resnet_v1_5_50": (128, "resnet50")}
BATCHES = {1: 32, 8: 8, 64: 2}  # and the batches in a row
READY, PIXELS, FILES, SEVERAL = "ready", "pixels", "files", "several"  # what the function is given
COLUMNS = {
    "classify, ready": READY,
    "classify, pixels": PIXELS,
    "predict, files": FILES,
    "evaluate": SEVERAL,
    "model.predict": READY,
    "torchvision": READY,
}
HEADING = ("network", "images", "function, ms", *COLUMNS)
CALLS = 200
FOLDER = tempfile.TemporaryDirectory()


def main() -> None:
    """Print a row for each network and batch size, then memory and threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batches", nargs="*", type=int, choices=BATCHES, default=list(BATCHES))
    parser.add_argument("--seconds", type=float, default=3, help="for each row, if 3 rounds fit")
    parser.add_argument("--precision", default="float32", help="Keras' dtype policy")
    options = parser.parse_args()
    keras.config.set_dtype_policy(options.precision)
    print(f"{cpu()}; {options.precision}\n")
    widest = max((_called(name) for name in NETWORKS), key=len)
    show(HEADING, rows(options), (widest,))
    if Path("/proc/self/status").exists():
        report_memory()


def rows(options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield a row for each network and batch size."""
    for name in options.networks:
        side, other = NETWORKS[name]
        model = create_model(name, (3, side, side))
        for batch in options.batches:
            pixels = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), np.uint8)
            calls = functions(model, pixels) | contenders(model, pixels)
            calls |= of_torch(other, pixels, options.precision)
            spinning = {place for place, call in enumerate(calls) if call == "torchvision"}
            times = rounds_within(list(calls.values()), options.seconds, spinning=spinning)
            cells = compared(dict(zip(calls, times, strict=True)))
            yield [_called(name), str(batch), *cells]


def _called(name: str) -> str:
    side, _ = NETWORKS[name]
    return f"{name}, {side} x {side}"


def compared(seconds: dict[str, list[float]]) -> list[str]:
    """Return the milliseconds of the function, and the ratio to it of each column."""
    cells = [f"{1000 * median(seconds[READY]):.2f}"]
    for name, function in COLUMNS.items():
        pairs = zip(seconds.get(name, ()), seconds[function], strict=name in seconds)
        found = [ours / bare for ours, bare in pairs]
        cells.append(f"{median(found):.2f}" if found else "")
    return cells


def functions(model: keras.Model, pixels: np.ndarray) -> dict[str, Call]:
    """Return the calls of the compiled function, by what it is given."""
    preprocessing = Preprocessing(3, *pixels.shape[1:3])
    images, names, batches = preprocessing(pixels), write(pixels), BATCHES[len(pixels)]
    bare = tf.function(lambda x: model(x, training=False), [tf.TensorSpec(images.shape)])

    def files() -> np.ndarray:
        return np.stack([decoding.read_image(name) for name in names])

    return {
        READY: lambda: bare(images).numpy(),
        PIXELS: lambda: bare(preprocessing(pixels)).numpy(),
        FILES: lambda: bare(preprocessing(files())).numpy(),
        SEVERAL: lambda: [bare(images).numpy() for _ in range(batches)],
    }


def contenders(model: keras.Model, pixels: np.ndarray) -> dict[str, Call]:
    """Return the calls that are compared with the function."""
    preprocessing = Preprocessing(3, *pixels.shape[1:3])
    images, names, batches = preprocessing(pixels), write(pixels), BATCHES[len(pixels)]
    array, labels = images.numpy(), np.zeros(len(pixels), np.int32)
    run = TrainedModel(model, preprocessing, tuple(map(str, range(model.output_shape[-1]))))
    pairs = tf.data.Dataset.from_tensors((images, labels)).repeat(batches)
    return {
        "classify, ready": lambda: classify(model, images, prepared=True),
        "classify, pixels": lambda: classify(model, pixels, preprocessing),
        "predict, files": lambda: predict(run, names),
        "evaluate": lambda: evaluate(model, pairs),
        "model.predict": lambda: model.predict(array, batch_size=len(array), verbose=0),
    }


def of_torch(name: str | None, pixels: np.ndarray, precision: str) -> dict[str, Call]:
    """Return the call of torchvision's network, if it has that and is installed."""
    if name is None:
        return {}
    try:
        torch, torchvision = torch_and_torchvision()
    except Exception as error:
        print(f"torchvision is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return {}
    array = Preprocessing(3, *pixels.shape[1:3])(pixels).numpy()
    other = network(torch, torchvision, name, array.shape[1])
    return {"torchvision": inference(torch, other, array, precision)}


def write(pixels: np.ndarray) -> list[str]:
    """Write images as files that go when the process ends, and return their names."""
    names = [f"{FOLDER.name}/{len(pixels)}-{number}.png" for number in range(len(pixels))]
    for name, image in zip(names, pixels, strict=True):
        Image.fromarray(image).save(name)
    return names


def report_memory() -> None:
    """Print the memory and the threads before and after many calls with batches of many sizes."""
    model, preprocessing = create_model("cifar_resnet_20"), Preprocessing(3, 32, 32)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)

    def calls(count: int) -> tuple[float, int]:
        for number in range(count):
            classify(model, pixels[: 1 + number % 64], preprocessing)
        gc.collect()
        status = dict(
            line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
        )
        return int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"])

    before, after = calls(64), calls(CALLS)
    rows = [
        ["memory, MiB", *(f"{memory:,.0f}" for memory, _ in (before, after))],
        ["threads", *(f"{threads}" for _, threads in (before, after))],
    ]
    print(
        f"\nclassify, batches of 1 to 64\n\n{table(['', 'before', f'after {CALLS} calls'], rows)}"
    )


if __name__ == "__main__":
    main()
