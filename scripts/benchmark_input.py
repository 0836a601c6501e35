"""Measure what reading images costs: JPEGs of three sizes, and the pipeline's share of a step.

``python scripts/benchmark_input.py`` prints the CPU time an image takes on one processor, from a
JPEG to a batch of 224 x 224, and the same the plain way: the whole image decoded, then cropped,
then resized as ``tf.image.resize`` does it. Both take turns in one process. Then it prints which
share of a training step the pipeline takes, for arrays of CIFAR's size and for photographs, what
each augmentation takes beside a crop and flip, and the seconds of the first and the second look at
a folder of many files. Each of the four takes a minute or less, and prints its rows as they are
ready.
"""
# ruff: noqa: E402 - the engine starts before what needs it is imported

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

from keras_convnets.cli import startup

startup.start_engine()  # like the command: with oneDNN, before importing TensorFlow

from benchmarks.input_augmentation import report_augmentations
from benchmarks.input_decoding import report_decoding
from benchmarks.input_folder import report_folder
from benchmarks.input_share import report_shares
from benchmarks.tables import cpu


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--files", type=int, default=50_000, help="in the folder (default: 50,000)")
    parser.add_argument("--only", choices=("decoding", "share", "folder", "augmentation"))
    options = parser.parse_args()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    print(cpu(), flush=True)
    with tempfile.TemporaryDirectory() as place:
        if options.only in (None, "decoding"):
            report_decoding(Path(place), options.rounds)
        if options.only in (None, "share"):
            report_shares(Path(place), options.rounds)
        if options.only in (None, "augmentation"):
            report_augmentations(options.rounds)
        if options.only in (None, "folder"):
            report_folder(Path(place), options.files)


if __name__ == "__main__":
    main()
