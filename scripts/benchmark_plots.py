"""Compare ``keras_convnets.plot_model`` with ``keras.utils.plot_model``, alternating.

``python scripts/benchmark_plots.py`` prints seconds, sizes and ratios, all from one process. It
needs the program ``dot``, which Keras calls. Machines differ and are shared: read the ratios, not
the seconds.
"""

import argparse
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import keras

from keras_convnets import create_model, plot_model


def main() -> None:
    """Draw resnet_50 and resnet_152 as PNG and print the times and sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="drawings of each (default: 3)")
    rounds = parser.parse_args().rounds
    print(f"{'model':<12}{'figure':<24}{'seconds':>9}{'ratio':>8}  pixels")
    for name in ("resnet_50", "resnet_152"):
        model = create_model(name)
        drawings: dict[str, Callable[[str], object]] = {
            "keras.utils.plot_model": lambda file, m=model: keras.utils.plot_model(m, file),
            **{
                f"detail={detail!r}": lambda file, m=model, d=detail: plot_model(m, file, detail=d)
                for detail in ("stage", "block", "layer")
            },
        }
        report(name, drawings, rounds)


def report(name: str, drawings: dict[str, Callable[[str], object]], rounds: int) -> None:
    """Draw the figures alternately, several times; print medians and ratios to the first."""
    seconds: dict[str, list[float]] = {label: [] for label in drawings}
    pixels = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for number, (label, draw) in enumerate(drawings.items()):
                file = Path(folder) / f"{number}.png"
                start = time.perf_counter()
                draw(str(file))
                seconds[label].append(time.perf_counter() - start)
                pixels[label] = struct.unpack(">II", file.read_bytes()[16:24])
    base = median(next(iter(seconds.values())))
    for label, times in seconds.items():
        width, height = pixels[label]
        took = median(times)
        print(f"{name:<12}{label:<24}{took:>9.2f}{took / base:>8.2f}  {width:,} x {height:,}")


if __name__ == "__main__":
    main()
