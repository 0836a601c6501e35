"""The committed figures of how exactly networks compute what their sources compute.

Tests with PyTorch or keras.applications beside this package show what they measure. It is held to
``keras_convnets/weights/published/trust.csv``, which the docs show; ``scripts/trust_table.py``
writes it.
"""

import os
from pathlib import Path

import keras

from keras_convnets.golden import networks
from keras_convnets.weights.published.trust import trusted

RECORD = "KERAS_CONVNETS_TRUST"  # names a file to append to in place of comparing
MARGIN = 10  # what another processor may sum otherwise
BOUNDS = {"float32": 1e-5, "float64": 1e-12}
LEAST = {"float32": 1e-7, "float64": 1e-15}  # of what rounding alone makes


def show(title, source, size, difference, precision=None, written=False):
    """Print a difference of outputs, relative to their range, and hold it to the committed one.

    The network is the first word of the title. The difference is that of the source's network, with
    a file that was ``written`` by us, or else that of ours, with a file of the source's.
    """
    precision = precision or keras.config.floatx()
    network, source = title.split()[0].rstrip(","), source.partition(",")[0]
    rows, cols = size
    direction = "written" if written else "read"
    print(f"| {title} | {source} | {rows} x {cols} | {precision} | {difference:.1e} |")
    assert difference < BOUNDS[precision]
    if network not in networks():  # two libraries beside each other
        return
    if record := os.environ.get(RECORD):
        with Path(record).open("a") as file:
            file.write(f"{network},{source},{precision},{direction},{difference:.1e}\n")
        return
    known = trusted().get((network, source, precision, direction))
    assert known is not None, f"{network} from {source}: run scripts/trust_table.py"
    assert difference <= MARGIN * max(known, LEAST[precision])
