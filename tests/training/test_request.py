from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import FORMATS
from keras_convnets import ResnetBuilder
from keras_convnets.training import (
    DataRequest,
    Devices,
    Pretrained,
    RunRequest,
    Settings,
    load_data,
    make_repeatable,
    plan_run,
)


def test_a_request_that_contradicts_itself():
    with pytest.raises(ValueError, match="^continue: expected --out with it"):
        RunRequest(or_resume=True)
    for field, option in (("network", "model"), ("precision", "precision")):
        with pytest.raises(ValueError, match=f"^fine-tune: received --{option} with it"):
            RunRequest(fine_tune=Path("run"), **{field: "x"})
    with pytest.raises(ValueError, match="^out: expected a folder with several machines"):
        RunRequest().check_shared_folder()
    with pytest.raises(ValueError, match="^strategy: received 'many'"):
        Devices("many").cluster()


def test_the_folder_of_a_request_is_named_once():
    assert RunRequest(out=Path("run")).folder == Path("run")
    request = RunRequest(fine_tune=Path("runs/flowers"), data=DataRequest("folder:a/pets"))
    assert request.folder is request.folder
    assert request.folder.name.startswith("flowers-pets-")


def test_a_run_is_resumed_only_where_one_was_begun():
    request = RunRequest("lenet_5", out=Path("run"), or_resume=True)
    request.check_folder()
    assert request.resumed() is None
    Path("run").mkdir()
    Path("run/config.json").write_text("{}")
    assert request.resumed().out == Path("run")
    assert request.resumed().network == "lenet_5"
    assert RunRequest(out=Path("run")).resumed() is None


def test_a_network_of_the_users_own_is_planned():
    def build(name, input_shape, num_outputs):
        assert (name, keras.config.dtype_policy().name) == ("mine", "mixed_bfloat16")
        return ResnetBuilder.build(input_shape, num_outputs, "basic_block", (1,), name=name)

    data = DataRequest(image_size=8)
    found = plan_run(RunRequest("mine", precision="mixed_bfloat16", data=data), build)
    assert (found.costs.model, found.data.image_shape) == ("mine", (1, 8, 8))
    assert keras.config.dtype_policy().name == "float32"


def test_the_seed_is_that_of_the_settings():
    drawn = []
    for _ in range(2):
        make_repeatable(Settings(seed=3))
        drawn.append((np.random.random(), float(tf.random.uniform(()))))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("data_format", FORMATS)
def test_images_are_prepared_for_a_trained_model(data_format):
    model = ResnetBuilder.build((1, 16, 24), 10, "basic_block", (1,), data_format=data_format)
    assert Pretrained(model).data_arguments() == {"image_size": (16, 24), "channels": 1}
    assert Pretrained(model).data_arguments(32, 3) == {"image_size": 32, "channels": 3}
    digits = load_data("digits", image_size=16)
    known = Pretrained(model, digits.preprocessing, digits.class_names)
    assert known.data_arguments(32) == {"preprocessing": digits.preprocessing}
    assert known.for_classes(digits.class_names) is model
    assert known.for_classes(["no", "yes"]).output_shape == (None, 2)
