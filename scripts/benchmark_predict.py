"""Compare how fast networks predict here, in Keras and in PyTorch, in turn.

``python scripts/benchmark_predict.py`` prints milliseconds, and the ratio to the last compiled
function (``tf.function``, called with a tensor) above: with images that are ready for the network,
then with what comes before it (the preparation of pixels, the reading of files), then several
batches in a row. One network is large; in the other, the overhead shows. Last, it prints what
memory and threads 200 calls leave. torchvision's row needs PyTorch and torchvision.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import gc
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
import numpy as np
import tensorflow as tf
from benchmarks.tables import cpu, table
from benchmarks.torch_side import inference, network, torch_and_torchvision
from benchmarks.turns import Call, in_turn
from PIL import Image

from keras_convnets import classify, create_model
from keras_convnets.images import decoding
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.predict import predict
from keras_convnets.inference.trained import TrainedModel

# Rows and columns of the images, and torchvision's name; for each batch size, the rounds, and the
# batches of an evaluation. Large batches of large images take long; there, one look must do.
NETWORKS = {
    "cifar_resnet_20": (32, None, {1: (40, 64), 8: (25, 16), 64: (8, 4)}),
    "resnet_v1_5_50": (224, "resnet50", {1: (6, 16), 8: (2, 4), 64: (1, 1)}),
}
BARE = "compiled function"  # which the ways after it, up to the next, are compared with
CALLS = 200
FOLDER = tempfile.TemporaryDirectory()


def main() -> None:
    """Print a table for each network, then memory and threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batches", nargs="*", type=int, choices=(1, 8, 64), default=[1, 8, 64])
    parser.add_argument("--rounds", type=int, help="calls of each (default: by network and batch)")
    parser.add_argument("--precision", default="float32", help="Keras' dtype policy")
    options = parser.parse_args()
    keras.config.set_dtype_policy(options.precision)
    print(f"{cpu()}; {options.precision}")
    for name in options.networks:
        report(name, options)
    if Path("/proc/self/status").exists():
        report_memory()


def report(name: str, options: argparse.Namespace) -> None:
    """Print the table of a network: a row for each way, two columns for each batch size."""
    side, torchvision_name, sizes = NETWORKS[name]
    model = create_model(name, (3, side, side))
    columns: dict[str, list[str]] = {}
    for batch in options.batches:
        rounds, batches = sizes[batch]
        pixels = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), np.uint8)
        rounds = options.rounds or rounds
        took = timed(contenders(model, pixels, torchvision_name, options.precision), rounds)
        took |= timed(evaluations(model, pixels, batches), min(3, rounds))
        bare = took[BARE]
        for way, seconds in took.items():
            bare = seconds if way.startswith(BARE) else bare
            columns.setdefault(way, []).extend([f"{1000 * seconds:.2f}", f"{seconds / bare:.2f}"])
    heading = [text for batch in options.batches for text in (f"batch {batch}, ms", "times")]
    rows = [[way, *cells] for way, cells in columns.items()]
    print(f"\n{name}, {side} x {side}\n\n{table(['', *heading], rows)}", flush=True)


def timed(contenders: Iterator[tuple[str, Call]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each call, in turn."""
    calls = dict(contenders)
    return dict(zip(calls, in_turn(list(calls.values()), rounds, 1), strict=True))


def contenders(
    model: keras.Model, pixels: np.ndarray, torchvision_name: str | None, precision: str
) -> Iterator[tuple[str, Call]]:
    """Yield each way to predict, with the call that does it; the compared one first."""
    preprocessing = Preprocessing(3, *pixels.shape[1:3])
    images = preprocessing(pixels)
    array = images.numpy()
    bare = tf.function(lambda x: model(x, training=False), [tf.TensorSpec(images.shape)])
    yield BARE, lambda: bare(images).numpy()
    yield "classify, prepared images", lambda: classify(model, images, prepared=True)
    yield "model.predict_on_batch", lambda: model.predict_on_batch(array)
    yield "model.predict", lambda: model.predict(array, batch_size=len(array), verbose=0)
    if torchvision_name is not None:
        yield from of_torch(torchvision_name, array, precision)

    def prepared(read: Callable[[], np.ndarray]) -> Call:
        return lambda: bare(preprocessing(read())).numpy()

    yield f"{BARE}, preparation", prepared(lambda: pixels)
    yield "classify, pixels", lambda: classify(model, pixels, preprocessing)
    names = write(pixels)
    read = prepared(lambda: np.stack([decoding.read_image(name) for name in names]))
    yield f"{BARE}, reading of files", read
    run = TrainedModel(model, preprocessing, tuple(map(str, range(model.output_shape[-1]))))
    yield "predict, files", lambda: predict(run, names)


def evaluations(model: keras.Model, pixels: np.ndarray, batches: int) -> Iterator[tuple[str, Call]]:
    """Yield the compiled function on several batches, and an evaluation of as many."""
    images = Preprocessing(3, *pixels.shape[1:3])(pixels)
    bare = tf.function(lambda x: model(x, training=False), [tf.TensorSpec(images.shape)])
    yield f"{BARE}, several batches", lambda: [bare(images).numpy() for _ in range(batches)]
    labels = np.zeros(len(images), np.int32)
    pairs = tf.data.Dataset.from_tensors((images, labels)).repeat(batches)
    pairs = pairs.apply(tf.data.experimental.assert_cardinality(batches))
    yield "evaluate, several batches", lambda: evaluate(model, pairs)


def of_torch(name: str, array: np.ndarray, precision: str) -> Iterator[tuple[str, Call]]:
    """Yield torchvision's network, if it is installed."""
    try:
        torch, torchvision = torch_and_torchvision()
    except Exception as error:
        print(f"\ntorchvision is left out: {type(error).__name__}: {error}")
        return
    other = network(torch, torchvision, name, array.shape[1])
    yield "torchvision", inference(torch, other, array, precision)


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
