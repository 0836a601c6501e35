"""Measure what reading images costs: JPEGs of three sizes, and the pipeline's share of a step.

``python scripts/benchmark_input.py`` prints the CPU time an image takes on one processor, from a
JPEG to a batch of 224 x 224, and the same the plain way: the whole image decoded, then cropped,
then resized as ``tf.image.resize`` does it. Both take turns in one process. Then it prints which
share of a training step the pipeline takes, for arrays of CIFAR's size and for photographs, and
the seconds of the first and the second look at a folder of many files.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import contextlib
import itertools
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
import numpy as np
import tensorflow as tf
from benchmarks.tables import cpu, table
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_convnets import create_model
from keras_convnets.images import decoding
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Encoded, Images, from_array, on_cpu
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training import load_data
from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches

SIZES = {(500, 375): 160, (1600, 1200): 48, (4000, 3000): 8}  # images a turn of each
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OWN = Preprocessing(3, 224, 224, 255.0, MEAN, STD, "crop")
OF_WEIGHTS = Preprocessing(3, 224, 224, 255.0, MEAN, STD, "crop", shorter_side=256)
BATCH, QUALITY = 8, 90
CIFAR_IMAGES, CIFAR_BATCH = 50_000, 128

Took = tuple[float, float]  # seconds: elapsed, and CPU time over all processors


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--files", type=int, default=50_000, help="in the folder (default: 50,000)")
    parser.add_argument("--only", choices=("decoding", "share", "folder"))
    options = parser.parse_args()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    print(cpu())
    with tempfile.TemporaryDirectory() as place:
        if options.only in (None, "decoding"):
            report_decoding(Path(place), options.rounds)
        if options.only in (None, "share"):
            report_shares(Path(place), options.rounds)
        if options.only in (None, "folder"):
            report_folder(Path(place), options.files)


def photographs(place: Path, cols: int, rows: int, count: int) -> Images:
    """Return JPEGs of the two photographs of scikit-learn, each again and again."""
    paths = []
    for number, pixels in enumerate(load_sample_images().images):
        path = place / f"{cols}x{rows}-{number}.jpg"
        image = Image.fromarray(pixels).resize((cols, rows), Image.Resampling.BICUBIC)
        image.save(path, quality=QUALITY)
        paths.append(os.fsencode(path))
    names = on_cpu(np.array([paths[number % 2] for number in range(count)], object))
    return Images(
        labels=np.arange(count, dtype=np.int32) % 2,
        read=lambda number: decoding.read(names[number]),
        array=None,
        describe=str,
        encoded=Encoded(lambda many: decoding.read_encoded(tf.gather(names, many))),
    )


def report_decoding(place: Path, rounds: int) -> None:
    """Print the CPU time of an image for JPEGs of each size."""
    rows = []
    for (cols, height), count in SIZES.items():
        images = photographs(place, cols, height, count)
        for what, ours, plain in (
            ("training", training(images), plain_training(images)),
            ("evaluation", evaluation(images, OWN), plain_evaluation(images)),
            ("evaluation, as torchvision", evaluation(images, OF_WEIGHTS), None),
        ):
            sides = [side for side in (plain, ours) if side is not None]
            with one_processor():
                took = [1000 * seconds / count for seconds in cpu_in_turn(sides, rounds)]
            before = [f"{took[0]:.2f}", f"{took[0] / took[1]:.2f}"] if plain else ["", ""]
            rows.append([f"{cols} x {height}", what, before[0], f"{took[-1]:.2f}", before[1]])
    heading = ["JPEG", "for", "plain, ms an image", "ours, ms an image", "times as fast"]
    print(f"\n{table(heading, rows)}", flush=True)


def training(images: Images) -> tf.data.Dataset:
    """Return an epoch of random crops."""
    data = Data("photographs", images, images, images, ("a", "b"), OWN, "resized-crop")
    return training_batches(data, BATCH, seed=0, epoch=0)


def evaluation(images: Images, preprocessing: Preprocessing) -> tf.data.Dataset:
    """Return all images for evaluation."""
    return evaluation_batches(images, preprocessing, BATCH)


def plain_training(images: Images) -> tf.data.Dataset:
    """Return an epoch of random crops, prepared the plain way."""
    augmentation = AUGMENTATIONS["resized-crop"]
    numbers = np.random.default_rng(0).random((len(images), augmentation.numbers), np.float32)

    def read(number: Any, numbers: Any) -> tuple[Any, Any]:
        image = augmentation.cut_out(images.read(number), numbers)
        image = tf.image.resize(tf.cast(image, tf.float32) / 255, (224, 224), antialias=True)
        return (image - MEAN) / STD, numbers

    rows = tf.data.Dataset.from_tensor_slices((np.arange(len(images)), numbers))
    batches = rows.map(read, tf.data.AUTOTUNE).batch(BATCH, drop_remainder=True)
    return batches.map(augmentation.shifted).prefetch(tf.data.AUTOTUNE)


def plain_evaluation(images: Images) -> tf.data.Dataset:
    """Return all images for evaluation, prepared the plain way."""

    def read(number: Any) -> Any:
        image = tf.cast(images.read(number), tf.float32) / 255
        sides = tf.cast(tf.shape(image)[:2], tf.float32)
        sizes = tf.cast(tf.round(sides * 256 / tf.reduce_min(sides)), tf.int32)
        image = tf.image.resize(image, sizes, antialias=True)
        top, left = tf.unstack((sizes - 224) // 2)
        return (image[top : top + 224, left : left + 224] - MEAN) / STD

    rows = tf.data.Dataset.range(len(images))
    return rows.map(read, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Keep all threads on one processor, where the system can: two of one core slow each other."""
    tasks, allowed = Path("/proc/self/task"), getattr(os, "sched_getaffinity", lambda _: None)(0)

    def keep(processors: set[int]) -> None:
        for task in tasks.iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), processors)

    if allowed is None or not tasks.exists():
        yield
        return
    keep({min(allowed)})
    try:
        yield
    finally:
        keep(allowed)


def cpu_in_turn(sides: list[tf.data.Dataset], rounds: int) -> list[float]:
    """Return the median CPU seconds of reading each data set, after a warm-up round.

    Its start, which is the same for any number of images, is left out: it is read once, and three
    times in one go.
    """
    took: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, seconds in zip(sides, took, strict=True):
            once, thrice = cpu_of(side), cpu_of(side.repeat(3))
            if number:
                seconds.append((thrice - once) / 2)
    return [median(seconds) for seconds in took]


def cpu_of(batches: tf.data.Dataset) -> float:
    """Return the CPU seconds of reading all batches."""
    start = time.process_time()
    for _ in batches:
        pass
    return time.process_time() - start


def report_shares(place: Path, rounds: int) -> None:
    """Print the pipeline's share of a step, for arrays of CIFAR's size and for photographs."""
    photos = photographs(place, 500, 375, 1000)
    data = Data("photographs", photos, photos, photos, ("a", "b"), OWN, "resized-crop")
    rows = [
        share("cifar_resnet_20", cifar_sized(), CIFAR_BATCH, 20, rounds),
        share("resnet_v1_5_50", data, BATCH, 3, rounds),
    ]
    heading = ["network", "images", "batch", "ms a step", "with the pipeline", "its share of CPU"]
    print(f"\n{table(heading, rows)}", flush=True)


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
    without, within = [], []
    for number in range(rounds + 1):
        alone = seconds_a_step(model, itertools.repeat(one), steps)
        fed = seconds_a_step(model, feed(), steps)
        if number:
            without.append(alone)
            within.append(fed)
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


def cifar_sized() -> Data:
    """Return random images, in the number and size of CIFAR."""
    random = np.random.default_rng(0)
    images = from_array(
        random.integers(0, 256, (CIFAR_IMAGES, 32, 32, 3), np.uint8),
        random.integers(0, 10, CIFAR_IMAGES),
        str,
    )
    preprocessing = Preprocessing(3, 32, 32, 255.0, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))
    return Data("arrays", images, images, images, tuple("0123456789"), preprocessing, "crop-flip")


def report_folder(place: Path, count: int) -> None:
    """Print the seconds of the first and the second look at a folder of many JPEGs."""
    source = place / "one.jpg"
    Image.fromarray(load_sample_images().images[0]).resize((160, 120)).save(source, quality=QUALITY)
    for number in range(count):
        folder = place / "folder" / f"{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / f"{number}.jpg")
    os.environ["KERAS_HOME"] = str(place / "cache")
    time.sleep(3)  # what has just been written is not kept
    rows = []
    for look in ("first look", "second look"):
        elapsed, processors = time.perf_counter(), time.process_time()
        load_data(f"folder:{place / 'folder'}", preprocessing=OWN)
        elapsed, processors = time.perf_counter() - elapsed, time.process_time() - processors
        rows.append([look, f"{elapsed:.1f}", f"{processors:.1f}"])
    heading = [f"{count:,} JPEGs of 160 x 120", "seconds", "seconds of CPU"]
    print(f"\n{table(heading, rows)}", flush=True)


if __name__ == "__main__":
    main()
