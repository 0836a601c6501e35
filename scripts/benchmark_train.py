"""Compare how fast networks train with keras.applications' and torchvision's, in turn.

``python scripts/benchmark_train.py`` prints the images per second of the training step (forward,
backward, an update by SGD with momentum; no L2 penalty) and their ratios, all from one process;
then the data pipeline's share of a step. Machines differ and are shared: read the ratios, not the
seconds. torchvision's rows need PyTorch and torchvision.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import dataclasses
import gc
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
import numpy as np
from benchmarks import torch_side
from benchmarks.turns import in_turn

from keras_convnets import create_model
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches

# Our networks, keras.applications' and torchvision's of the same name. keras.applications strides
# in the first convolution of ResNet-50's bottlenecks, torchvision in the second.
NETWORKS = {
    "resnet_50": (("resnet_v1_50_keras", "resnet_v1_5_50"), "ResNet50", "resnet50"),
    "densenet_121": (("densenet_121",), "DenseNet121", "densenet121"),
    "vgg_16": (("vgg_16",), "VGG16", "vgg16"),
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
CLASSES = 1000
CIFAR_IMAGES, CIFAR_BATCH, CIFAR_STEPS = 50_000, 128, 20

Step = Callable[[], object]
Took = tuple[float, float]  # seconds: elapsed, and CPU time over all processors


@dataclasses.dataclass(frozen=True)
class Contender:
    """A network of a package, its trainable parameters, and a training step."""

    package: str
    network: str
    parameters: int
    step: Step


def main() -> None:
    """Print the table of each network, and the pipeline's share of a step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--size", type=int, default=160, help="rows and columns (default: 160)")
    parser.add_argument("--batch", type=int, default=8, help="images a step (default: 8)")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each (default: 5)")
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--jit", action="store_true", help="compile the Keras models with XLA")
    parser.add_argument("--no-pipeline", action="store_true", help="leave its share out")
    options = parser.parse_args()
    keras.config.set_dtype_policy(options.precision)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each model's step is a new function
    for name in options.networks:
        report(name, options)
    if not options.no_pipeline:
        report_pipeline(options.rounds, options.jit)


def report(name: str, options: argparse.Namespace) -> None:
    """Time the training step of each package alternately; print medians and ratios."""
    entered = list(contenders(name, options))
    took = in_turn([one.step for one in entered], options.rounds)
    speeds = [options.batch / seconds for seconds in took]
    packages = list(dict.fromkeys(one.package for one in entered))[1:]
    size = f"{options.size} x {options.size}, batch {options.batch}, {options.precision}"
    print(f"\n{name}, {size}{', jit' if options.jit else ''}, {options.rounds} rounds")
    heading = f"{'package':<20}{'network':<20}{'parameters':>12}{'s a step':>10}{'images/s':>10}"
    print(heading + "".join(f"{f'/ {package}':>22}" for package in packages))
    for one, seconds, speed in zip(entered, took, speeds, strict=True):
        row = (
            f"{one.package:<20}{one.network:<20}{one.parameters:>12,}{seconds:>10.3f}{speed:>10.2f}"
        )
        others = [speeds[[other.package for other in entered].index(p)] for p in packages]
        print(row + "".join(f"{speed / other:>22.2f}" for other in others), flush=True)
    entered.clear()
    keras.backend.clear_session()
    gc.collect()


def contenders(name: str, options: argparse.Namespace) -> Iterator[Contender]:
    """Yield ours, keras.applications' and, if it is installed, torchvision's."""
    ours, application, of_torchvision = NETWORKS[name]
    shape = (3, options.size, options.size)
    for network in ours:
        model = create_model(network, shape, CLASSES, l2_penalty=0.0)
        yield of_keras("keras_convnets", network, model, options)
    build = getattr(keras.applications, application)
    model = build(weights=None, input_shape=(*shape[1:], 3), classes=CLASSES)
    yield of_keras("keras.applications", application, model, options)
    try:
        torch, torchvision = torch_side.torch_and_torchvision()
    except Exception as error:
        print(f"\ntorchvision is left out: {type(error).__name__}: {error}")
    else:
        yield of_torch(torch, torchvision, of_torchvision, options)


def of_keras(
    package: str, network: str, model: keras.Model, options: argparse.Namespace
) -> Contender:
    """Return a Keras model and its step."""
    compiled(model, options.jit)
    random = np.random.default_rng(0)
    images = random.random((options.batch, options.size, options.size, 3), np.float32)
    labels = random.integers(0, CLASSES, options.batch)
    batch = keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(labels)
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return Contender(package, network, parameters, lambda: model.train_on_batch(*batch))


def compiled(model: keras.Model, jit: bool) -> keras.Model:
    """Return the model, compiled with the optimizer and loss shared by all contenders."""
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=jit)
    return model


def of_torch(torch: Any, torchvision: Any, name: str, options: argparse.Namespace) -> Contender:
    """Return torchvision's model and its training step."""
    model = torch_side.network(torch, torchvision, name, options.size, CLASSES)
    random = np.random.default_rng(0)
    images = random.random((options.batch, options.size, options.size, 3), np.float32)
    labels = random.integers(0, CLASSES, options.batch)
    step = torch_side.training_step(torch, model, images, labels, options.precision)
    parameters = sum(weight.numel() for weight in model.parameters())
    return Contender("torchvision", name, parameters, step)


def report_pipeline(rounds: int, jit: bool) -> None:
    """Print the cost of the data pipeline per step of cifar_resnet_20, with CIFAR augmentation.

    The goal is at most 5 % of the elapsed time on a CPU. The CPU time shows the same, even on a
    machine that is busy with other work.
    """
    data, epochs = cifar_sized(), itertools.count()
    model = compiled(create_model("cifar_resnet_20"), jit)
    one = next(batches(data, next(epochs)))

    def train(feed: Iterator[Any]) -> Took:
        return seconds_a_turn(lambda: model.train_on_batch(*next(feed)))

    train(itertools.repeat(one))
    without, within, alone = [], [], []
    for _ in range(rounds):
        without.append(train(itertools.repeat(one)))
        within.append(train(batches(data, next(epochs))))
        feed = batches(data, next(epochs))
        alone.append(seconds_a_turn(lambda feed=feed: next(feed)))
    print(f"\ncifar_resnet_20, {CIFAR_IMAGES:,} images of 32 x 32 x 3, batch {CIFAR_BATCH}")
    print(f"{'':<40}{'elapsed':>10}{'processors':>12}")
    for what, took in (
        ("a step with one batch again and again", without),
        ("a step with the data pipeline", within),
        ("a batch of the pipeline alone", alone),
    ):
        elapsed, processors = (1000 * median(times) for times in zip(*took, strict=True))
        print(f"{what:<40}{elapsed:>7.1f} ms{processors:>9.1f} ms")
    elapsed, processors = shares(without, within)
    print(f"{'the pipeline, as a share of a step':<40}{elapsed:>10.1%}{processors:>12.1%}")


def shares(without: list[Took], within: list[Took]) -> list[float]:
    """Return the pipeline's share of the time of a step, as the median over the rounds."""
    pairs = zip(zip(*without, strict=True), zip(*within, strict=True), strict=True)
    return [median(1 - a / b for a, b in zip(*pair, strict=True)) for pair in pairs]


def cifar_sized() -> Data:
    """Return random images, in the number and size of CIFAR."""
    random = np.random.default_rng(0)
    images = from_array(
        random.integers(0, 256, (CIFAR_IMAGES, 32, 32, 3), np.uint8),
        random.integers(0, 10, CIFAR_IMAGES),
        str,
    )
    preprocessing = Preprocessing(3, 32, 32, 255.0, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))
    names = tuple("0123456789")
    return Data("random", images, images, images, names, preprocessing, "crop-flip")


def batches(data: Data, epoch: int) -> Iterator[Any]:
    """Return an epoch's batches."""
    return iter(training_batches(data, CIFAR_BATCH, seed=0, epoch=epoch))


def seconds_a_turn(turn: Step) -> Took:
    """Return the mean seconds of several turns, after a few that fill the pipeline."""
    for _ in range(5):
        turn()
    elapsed, processors = time.perf_counter(), time.process_time()
    for _ in range(CIFAR_STEPS):
        turn()
    elapsed, processors = time.perf_counter() - elapsed, time.process_time() - processors
    return elapsed / CIFAR_STEPS, processors / CIFAR_STEPS


if __name__ == "__main__":
    main()
