"""The CPU time of an image on one processor, from a JPEG to a batch, ours and the plain way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.photographs import OF_WEIGHTS, OWN, for_training, photographs
from benchmarks.plain_input import plain_evaluation, plain_training
from benchmarks.processors import one_processor
from benchmarks.tables import show
from benchmarks.turns import in_turn
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.pipeline import training_batches

# Columns and rows, images beyond the first batch, and images in a batch.
SIZES = ((500, 375, 160, 8), (1600, 1200, 32, 8), (4000, 3000, 8, 2))
HEADING = ("JPEG", "for", "plain, CPU ms an image", "ours, CPU ms an image", "times as fast")

Pipeline = Callable[[Images, int], tf.data.Dataset]


def report_decoding(place: Path, rounds: int) -> None:
    """Print the CPU time of an image for JPEGs of each size."""
    print()
    show(HEADING, _rows(place, rounds), ("4000 x 3000", "evaluation, as torchvision"))


def _rows(place: Path, rounds: int) -> Iterator[list[str]]:
    for cols, height, count, batch in SIZES:
        images = photographs(place, cols, height, count + batch)
        for what, ours, plain in (
            ("training", _training, plain_training),
            ("evaluation", _evaluation(OWN), plain_evaluation),
            ("evaluation, as torchvision", _evaluation(OF_WEIGHTS), None),
        ):
            pipelines = [ours] if plain is None else [plain, ours]
            took = milliseconds(pipelines, images, batch, rounds)
            before = ["", ""] if plain is None else [f"{took[0]:.2f}", f"{took[0] / took[-1]:.2f}"]
            yield [f"{cols} x {height}", what, before[0], f"{took[-1]:.2f}", before[1]]


def milliseconds(
    pipelines: Sequence[Pipeline], images: Images, batch: int, rounds: int
) -> list[float]:
    """Return the median CPU time of an image in each pipeline.

    The start of a pipeline, which is the same for any number of images, is left out: an epoch of
    one batch is subtracted from that of all images.
    """
    few, calls = images.subset(np.arange(batch)), []
    for pipeline in pipelines:
        calls += [_reading(pipeline(few, batch)), _reading(pipeline(images, batch))]
    with one_processor():
        for first in calls[::2]:
            first()
        seconds = in_turn(calls, rounds, warm_ups=0, clock=time.process_time)
    more = len(images) - batch
    return [1000 * (seconds[at + 1] - seconds[at]) / more for at in range(0, len(calls), 2)]


def _reading(batches: tf.data.Dataset) -> Callable[[], None]:
    def read() -> None:
        for _ in batches:
            pass

    return read


def _training(images: Images, batch: int) -> tf.data.Dataset:
    return training_batches(for_training(images), batch, seed=0, epoch=0)


def _evaluation(preprocessing: Preprocessing) -> Pipeline:
    return lambda images, batch: evaluation_batches(images, preprocessing, batch)
