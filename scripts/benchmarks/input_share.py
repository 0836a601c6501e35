"""The share of a training step that the preparation of its images takes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import keras

from benchmarks.photographs import cifar_sized, for_training, photographs
from benchmarks.tables import show
from keras_convnets import create_model
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches

BATCH, CIFAR_BATCH = 8, 128
HEADING = ("network", "images", "batch", "ms a step", "with the pipeline", "its share of CPU")
WIDEST = ("cifar_resnet_20", "3 x 224 x 224, photographs")  # cells

Took = tuple[float, float]  # seconds: elapsed, and CPU time over all processors


def report_shares(place: Path, rounds: int) -> None:
    """Print the pipeline's share of a step, for arrays of CIFAR's size and for photographs."""
    photos = for_training(photographs(place, 500, 375, 1000))
    cases = (
        ("cifar_resnet_20", cifar_sized(), CIFAR_BATCH, 10),
        ("resnet_v1_5_50", photos, BATCH, 2),
    )
    print()
    show(HEADING, (share(*case, rounds) for case in cases), WIDEST)


def share(network: str, data: Data, batch: int, steps: int, rounds: int) -> list[str]:
    """Return the row of a network: a step with one batch again and again, and with the pipeline.

    The share is that of the CPU time, which is the same on a machine busy with other work.
    """
    model = create_model(network, data.image_shape, len(data.class_names))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    epochs = itertools.count()

    def feed() -> Iterator[Any]:
        return iter(training_batches(data, batch, seed=0, epoch=next(epochs)))

    one = next(feed())
    model.train_on_batch(*one)  # which also compiles it
    without, within = [], []
    for _ in range(rounds):
        without.append(seconds_a_step(model, itertools.repeat(one), steps))
        within.append(seconds_a_step(model, feed(), steps))
    elapsed = [1000 * median(took[0] for took in side) for side in (without, within)]
    of_cpu = median(1 - a[1] / b[1] for a, b in zip(without, within, strict=True))
    size = " x ".join(map(str, data.image_shape))
    times = [f"{milliseconds:.1f}" for milliseconds in elapsed]
    return [network, f"{size}, {data.name}", str(batch), *times, f"{of_cpu:.1%}"]


def seconds_a_step(model: keras.Model, feed: Iterator[Any], steps: int) -> Took:
    """Return the mean seconds of several steps, after one that fills the pipeline."""
    model.train_on_batch(*next(feed))
    elapsed, processors = time.perf_counter(), time.process_time()
    for _ in range(steps):
        model.train_on_batch(*next(feed))
    elapsed, processors = time.perf_counter() - elapsed, time.process_time() - processors
    return elapsed / steps, processors / steps
