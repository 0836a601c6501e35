"""Build the networks and write their figures to the table: ``python scripts/golden_table.py``.

It takes about a minute and prints what has changed. With a glob pattern, as in
``python scripts/golden_table.py 'resnet*'``, only matching networks are built; the rows of the
others stay unchanged.
"""

import fnmatch
import sys

import keras

from keras_convnets import cost, create_model, golden, zoo
from keras_convnets.analysis.cost.rules import CONVENTION


def main(pattern: str = "*") -> None:
    """Write the table, in the order in which the networks are registered."""
    before = golden.networks() if golden.FILE.exists() else {}
    after = {}
    for name, network in zoo.own_networks().items():
        if name in before and not fnmatch.fnmatchcase(name, pattern):
            after[name] = before[name]
            continue
        with keras.StatelessScope(initialize_variables=False):
            after[name] = zoo.info(network, cost(create_model(name)))
    golden.write(CONVENTION, after.values())
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            print(f"{name}:\n  before {before.get(name)}\n  after  {after.get(name)}")
    print(f"{len(after)} networks, written to {golden.FILE}")


if __name__ == "__main__":
    main(*sys.argv[1:])
