"""Compare how fast networks train with keras.applications' and PyTorch's, in turn.

``python scripts/benchmark_train.py`` prints the images per second of a step of training (forward,
backward, an update by SGD with momentum, loss and accuracy) and their ratios, all from one process.
A Keras model's step is what ``fit`` calls for each batch. Machines differ and are shared: read the
ratios, not the seconds. Rows of PyTorch need torch and torchvision. ``--profile`` prints where the
time of a step goes, with Keras' own layers and optimizer and with ours.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import dataclasses
import gc
import logging
import time
from collections.abc import Iterator

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

import keras
from benchmarks import keras_side, torch_side
from benchmarks.others import Others
from benchmarks.profiling import kinds_of_time
from benchmarks.tables import cpu, ratios, table
from benchmarks.turns import Call, in_turn

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class Network:
    """The same network of several packages.

    Attributes:
        ours: our networks, of which the first is compared before and after.
        applications: that of keras.applications, if it has the network.
        pytorch: torchvision's, or the twin of `torch_side`.
        images: the size and number of images in a step, if not those of the options.
    """

    ours: tuple[str, ...]
    applications: str | None
    pytorch: str
    images: tuple[int, int] | None = None


# keras.applications strides in the first convolution of ResNet-50's bottlenecks, torchvision in the
# second. torchvision's GoogLeNet has batch normalisation, the paper's has none.
NETWORKS = {
    "resnet_50": Network(("resnet_v1_5_50", "resnet_v1_50_keras"), "ResNet50", "resnet50"),
    "densenet_121": Network(("densenet_121",), "DenseNet121", "densenet121"),
    "vgg_16": Network(("vgg_16",), "VGG16", "vgg16"),
    "googlenet": Network(("googlenet_bn",), None, "googlenet"),
    "cifar_resnet_20": Network(("cifar_resnet_20",), None, torch_side.TWIN, (32, 128)),
}


@dataclasses.dataclass(frozen=True)
class Contender:
    """A network of a package, and a step of its training."""

    what: str
    network: str
    parameters: int
    step: Call


def main() -> None:
    """Print the table of each network, or the profile of its step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--size", type=int, default=160, help="rows and columns (default: 160)")
    parser.add_argument("--batch", type=int, default=8, help="images a step (default: 8)")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each (default: 5)")
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--weight-decay", type=float, default=0.0, help="of kernels (default: 0)")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="compare the time of all processors, on a machine busy with other work",
    )
    options = parser.parse_args()
    keras.config.set_dtype_policy(options.precision)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each model's step is a new function
    print(f"{cpu()}, {options.precision}")
    for name in options.networks:
        network = NETWORKS[name]
        size, batch = network.images or (options.size, options.batch)
        work = keras_side.Work(size, batch, options.precision, options.weight_decay)
        (profile if options.profile else compare)(name, network, work, options)
        keras.backend.clear_session()
        gc.collect()


def compare(
    name: str, network: Network, work: keras_side.Work, options: argparse.Namespace
) -> None:
    """Time the steps in turn; print medians and ratios."""
    entered = list(contenders(network, work))
    clock = time.process_time if options.processor_time else time.perf_counter
    beside = Others()
    took = in_turn([one.step for one in entered], options.rounds, clock=clock)
    busy = beside.report()
    speeds = [work.batch / seconds for seconds in took]
    others = [place for place, one in enumerate(entered) if not one.what.startswith("ours")]
    heading = ["", "network", "parameters", "s a step", "images/s"]
    heading += [f"/ {entered[place].what}" for place in others]
    rows = [
        [one.what, one.network, f"{one.parameters:,}", f"{seconds:.3f}", f"{speed:.2f}", *compared]
        for one, seconds, speed, compared in zip(
            entered, took, speeds, ratios(speeds, others), strict=True
        )
    ]
    print(f"\n{name}, {work.size} x {work.size}, batch {work.batch}, {options.rounds} rounds\n")
    print(table(heading, rows), busy, sep="\n\n", flush=True)


def contenders(network: Network, work: keras_side.Work) -> Iterator[Contender]:
    """Yield ours in several ways, Keras' own layers, keras.applications and PyTorch."""
    first, *others = network.ours
    for what, make in (
        ("ours, its own fit", keras_side.own_fit),
        ("ours, the command", keras_side.command),
        ("Keras' own layers", keras_side.before),
    ):
        yield of_keras(what, first, make(keras_side.ours(first, work), work), work)
    for other in others:
        model = keras_side.own_fit(keras_side.ours(other, work), work)
        yield of_keras("ours, its own fit", other, model, work)
    if network.applications:
        model = keras_side.applications(network.applications, work)
        yield of_keras("keras.applications", network.applications, model, work)
    try:
        torch, torchvision = torch_side.torch_and_torchvision()
    except Exception as error:
        print(f"\nPyTorch is left out: {type(error).__name__}: {error}")
        return
    twin = network.pytorch == torch_side.TWIN
    what = "PyTorch twin" if twin else "torchvision"
    model = torch_side.network(torch, torchvision, network.pytorch, work.size, work.classes)
    step = torch_side.training_step(torch, model, *work.arrays(), work.precision, work.decay)
    count = torch_side.parameters(model)
    if twin and count != (own := keras_side.parameters(keras_side.ours(first, work))):
        raise RuntimeError(f"the twin has {count:,} parameters, {first} has {own:,}")
    yield Contender(what, network.pytorch, count, step)


def of_keras(what: str, name: str, model: keras.Model, work: keras_side.Work) -> Contender:
    """Return a compiled model and its step."""
    return Contender(what, name, keras_side.parameters(model), keras_side.step(model, work))


def profile(
    name: str, network: Network, work: keras_side.Work, options: argparse.Namespace
) -> None:
    """Print where the time of a step goes, before and after.

    TensorFlow's profiler times each operation of the step, on the thread that starts it; operations
    that run beside each other count both. What the step takes beyond them is Python and runtime.
    """
    columns = []
    for make in (keras_side.before, keras_side.command):
        model = make(keras_side.ours(network.ours[0], work), work)
        columns.append(kinds_of_time(model, keras_side.step(model, work), options.rounds))
    before, after = columns
    kinds = sorted({*before, *after}, key=lambda kind: -before.get(kind, 0.0))
    rows = [[kind, f"{before.get(kind, 0):.1f}", f"{after.get(kind, 0):.1f}"] for kind in kinds]
    print(f"\n{name} ({network.ours[0]}), {work.size} x {work.size}, batch {work.batch}\n")
    print(table(["milliseconds a step", "Keras' own", "ours"], rows), flush=True)


if __name__ == "__main__":
    main()
