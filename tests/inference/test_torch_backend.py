"""Evaluation and prediction on another backend than the one that trained the model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from finished import write_images, write_run
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.training.data.loading import load_data

pytest.importorskip("torch", reason="PyTorch is not installed")


def on_torch(*arguments):
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    command = [sys.executable, "-m", "keras_convnets", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.mark.slow
def test_a_run_is_evaluated_and_predicts_as_on_tensorflow():
    data = load_data("digits", image_size=8)
    model = write_run(Path("run"), data)
    expected = evaluate(model, data.test, data.preprocessing)
    found = on_torch("evaluate", "run", "--format", "json")
    assert found["accuracy"] == pytest.approx(expected.accuracy)
    assert found["loss"] == pytest.approx(expected.loss, abs=1e-5)
    write_images(Path("images"), ("a",), count=1)
    (image,) = Path("images").rglob("*.*")
    (first,) = on_torch("predict", "run", str(image), "--top", "10", "--format", "json")["images"]
    probabilities = [entry["probability"] for entry in first["top"]]
    assert np.sum(probabilities) == pytest.approx(1, abs=1e-5)
