"""The real Fashion-MNIST of the system's package, trained on by the recipe of the course notes."""

import csv
from pathlib import Path

import pytest
from rich.console import Console

from keras_convnets import create_model
from keras_convnets.training import RECIPES, DataRequest, RunRequest, launch
from keras_convnets.training.data.archives import FASHION_MNIST
from keras_convnets.training.data.packaged import FASHION_MNIST as PACKAGE


@pytest.mark.slow
def test_some_steps_teach_a_network_of_the_notes_most_classes():
    if not PACKAGE.has(FASHION_MNIST):
        pytest.skip(f"{PACKAGE.name} is not installed in {PACKAGE.folder}")
    recipe = RECIPES["notes"].replace(steps=30, batch_size=64)
    request = RunRequest("lenet_5", data=DataRequest("fashion_mnist"), recipe=recipe, out="run")
    outcome = launch(request, create_model, Console(quiet=True))
    assert outcome.test_accuracy > 0.55
    (row,) = csv.DictReader(Path("run/history.csv").read_text().splitlines())
    assert float(row["learning_rate"]) == pytest.approx(0.001)
