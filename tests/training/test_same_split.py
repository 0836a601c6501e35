"""A run that goes on from another on the same data, and a run whose data have changed."""

import dataclasses
from pathlib import Path

import numpy as np

from finished import write_run
from keras_convnets.training import DataRequest, RunRequest, Settings, load_data, open_run
from keras_convnets.training.run import config_file
from keras_convnets.training.run.start import make_start


def test_the_test_images_are_not_those_that_the_run_was_trained_on():
    data = load_data("digits", image_size=8)
    write_run(Path("run"), data)
    for seed in (0, 3):
        request = RunRequest(
            fine_tune=Path("run"),
            data=DataRequest("digits", validation_split=0.1),
            settings=Settings(seed=seed),
        )
        start = make_start(request, None, None)
        assert np.array_equal(start.data.test.array, data.test.array)
        assert start.words[-1] == "'run' was trained on validation images of this run"
        assert len(start.words) == 1 + (seed != 0)
    assert start.words[0] == "the test images are those of 'run', split with seed 0"


def test_data_that_have_changed_are_told():
    write_run(Path("run"), load_data("digits", image_size=8))
    assert open_run("run").load_images().words == ()
    config = config_file.read(Path("run"))
    before = dataclasses.replace(config.data, train_images=1000)
    config_file.write(Path("run"), dataclasses.replace(config, data=before))
    [line] = open_run("run").load_images().words
    assert line.startswith("digits has changed since the run began, from 1,000 training and 360 ")
    assert open_run("run").load_images("digits", split="train").words == (line,)
