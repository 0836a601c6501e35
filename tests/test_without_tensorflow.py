"""Building, training and reading networks where TensorFlow is not installed."""

import os
import subprocess
import sys

import keras
import pytest

PROGRAM = """
import sys
sys.modules["tensorflow"] = None  # as if it were not installed
import numpy as np
import keras_convnets
from keras_convnets import cli, cost, load_model, plot_model

model = keras_convnets.create_model("lenet_5")
images = np.zeros((4, *model.input_shape[1:]), "float32")
model.compile("sgd", "sparse_categorical_crossentropy")
losses = model.fit(images, np.zeros(4), epochs=2, verbose=0).history["loss"]
assert losses[1] < losses[0]
assert cost(model).params == keras_convnets.model_info("lenet_5").parameters
plot_model(model, "plot.svg")
model.save("model.keras")
trained = model.predict(images, verbose=0)
assert np.allclose(load_model("model.keras").predict(images, verbose=0), trained)
keras_convnets.save_weights(model, "weights.safetensors")
keras_convnets.load_weights(model, "weights.safetensors")
keras_convnets.receptive_field(model), keras_convnets.levels(model)
keras_convnets.fast_batch_norm(model)
for command in (
    "list", "cost lenet_5", "receptive-field model.keras", "plot lenet_5 lenet.svg",
    "compare lenet_5 alexnet --plot costs.svg", "accuracy", "convert model.keras other.safetensors",
    "summary lenet_5",
):
    assert cli.main(command.split()) == 0, command
"""


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="needs another backend")
def test_all_but_images_and_runs_works(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path))),
    }
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "head" in ran.stdout
    assert (tmp_path / "plot.svg").stat().st_size > 1000
