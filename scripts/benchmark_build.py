"""Compare build times with those of keras.applications, alternating in one process.

``python scripts/benchmark_build.py`` prints seconds, ratios, and the time per layer of networks of
increasing depth. Machines differ and are shared: read the ratios, not the seconds.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import keras

from keras_convnets import create_model

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import paper

ROUNDS = 7
DEPTHS = ("cifar_resnet_20", "cifar_resnet_56", "cifar_resnet_110", "cifar_resnet_1202")


def main() -> None:
    """Build each network and its counterpart alternately; print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="networks with a counterpart in keras.applications (default: all, and depths)",
    )
    names = parser.parse_args().names
    if unknown := set(names) - set(paper.KERAS_APPLICATIONS):
        parser.error(f"{unknown.pop()}: expected some of {', '.join(paper.KERAS_APPLICATIONS)}")
    print(f"{'network':<22}{'keras.applications':<20}{'ours':>8}{'theirs':>8}{'ratio':>8}")
    for name in names or paper.KERAS_APPLICATIONS:
        twin = paper.KERAS_APPLICATIONS[name]
        build = getattr(keras.applications, twin)
        took = in_turn(
            {name: lambda n=name: create_model(n), twin: lambda b=build: b(weights=None)}, ROUNDS
        )
        ratio = took[name] / took[twin]
        print(
            f"{name:<22}{twin:<20}{took[name]:>7.2f}s{took[twin]:>7.2f}s{ratio:>8.2f}", flush=True
        )
    if not names:
        report_depths()


def report_depths() -> None:
    """Print the time per layer, which is constant if the build time is linear."""
    print(f"\n{'network':<22}{'layers':>8}{'seconds':>9}{'ms a layer':>12}")
    took = in_turn({name: lambda n=name: create_model(n) for name in DEPTHS}, rounds=3)
    for name, seconds in took.items():
        layers = len(create_model(name).layers)
        print(f"{name:<22}{layers:>8,}{seconds:>9.2f}{1000 * seconds / layers:>12.2f}", flush=True)


def in_turn(builds: Mapping[str, Callable[[], keras.Model]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each build over the rounds, after one warm-up build each."""
    seconds: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(rounds + 1):
        for name, build in builds.items():
            keras.backend.clear_session()
            gc.collect()
            start = time.perf_counter()
            build()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(times[1:]) for name, times in seconds.items()}


if __name__ == "__main__":
    main()
