"""Networks of the user's own on the command line, by ``--load``."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import keras
import pytest

from helpers import refusal
from keras_convnets import cli
from keras_convnets.training.run import config_file

BLOCKS = """
import keras
from gate_of_a_test import Gate
from keras_convnets import ResnetBuilder, bn_relu_conv, published, register_builder, shortcut


def gated(filters, init_strides=(1, 1), is_first_block_of_first_layer=False):
    def apply(x):
        return shortcut(x, Gate()(bn_relu_conv(filters, 3, init_strides)(x)), init_strides)

    return apply


@register_builder
class GatedBuilder:
    @staticmethod
    @published("a test", (1, 8, 8), 10)
    def build_gated_net(input_shape, num_outputs, **options):
        return ResnetBuilder.build(input_shape, num_outputs, gated, (1,), **options)
"""
GATE = """
import keras


@keras.saving.register_keras_serializable("a_test")
class Gate(keras.layers.Layer):
    def call(self, x):
        return x * keras.ops.sigmoid(x)
"""
LOAD = ["--load", "my files/blocks_of_a_test.py"]


def forget():
    """Forget the files, as a new process would."""
    for module in ("blocks_of_a_test", "gate_of_a_test"):
        sys.modules.pop(module, None)
    keras.saving.get_custom_objects().pop("a_test>Gate", None)


@pytest.fixture
def files(monkeypatch):
    """Write two files of a user, one of which imports the other."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("my files").mkdir()
    Path("my files/blocks_of_a_test.py").write_text(BLOCKS)
    Path("my files/gate_of_a_test.py").write_text(GATE)
    yield
    forget()


@pytest.mark.usefixtures("files")
def test_a_network_of_ones_own_has_a_name_in_all_commands(capfd):
    assert cli.main(["list", "gated*", "--cost", "--format", "json", *LOAD]) == 0
    row = json.loads(capfd.readouterr().out)["rows"][0]
    assert (row["name"], row["builder"], row["source"]) == ("gated_net", "GatedBuilder", "a test")
    assert row["parameters"] > 0
    assert row["input_shape"] == [1, 8, 8]
    for command, shown in (
        (["list", "gated*"], "GatedBuilder"),
        (["summary", "gated_net"], "conv2_block1_gate"),
        (["cost", "gated_net", "--by", "layer"], "conv2_block1_gate"),
        (["receptive-field", "gated_net", "--input-shape", "1,16,16"], "conv2_block1_gate"),
        (["plot", "gated_net", "net.dot"], "net.dot"),
        (["compare", "gated_net", "lenet_5"], "gated_net"),
    ):
        assert cli.main([*command, *LOAD]) == 0
        assert shown in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("files")
def test_a_run_says_what_to_load(capfd):
    train = ["train", "--model", "gated_net", "--epochs", "1", "--image-size", "8"]
    assert cli.main([*train, "--out", "run", *LOAD]) == 0
    assert cli.main(["evaluate", "run", *LOAD]) == 0
    shutil.copy("run/model.keras", "run/start.keras")  # as if it were not finished
    config = config_file.read(Path("run"))
    config_file.write(Path("run"), dataclasses.replace(config, start=None))
    forget()
    capfd.readouterr()
    for command in (["evaluate", "run"], ["train", "--resume", "run"], ["cost", "run/model.keras"]):
        assert (
            "Gate of gate_of_a_test. Import their module first, on the command line by --load "
            "gate_of_a_test.py" in refusal(command, capfd)
        )
    assert cli.main(["cost", "run/model.keras", *LOAD]) == 0
    assert cli.main(["train", "--resume", "run", *LOAD]) == 0


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("none.py", None, "load: received 'none.py'; expected a Python file that exists"),
        ("blocks.txt", "", "load: received 'blocks.txt'; expected a Python file that exists"),
        ("broken_of_a_test.py", "x = 1\nx +", "cannot import 'broken_of_a_test.py' (SyntaxError"),
        ("broken_of_a_test.py", "\nx = y", "(line 2: NameError: name 'y' is not defined)"),
        ("broken_of_a_test.py", "raise SystemExit(3)", "(line 1: SystemExit: 3)"),
        ("json.py", "", "load: received 'json.py', but 'json' is another module"),
        (
            "taken_of_a_test.py",
            BLOCKS.replace("gated_net", "resnet_18"),
            "'resnet_18' is already a network of keras_convnets.architectures.resnet.ResnetBuilder",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_one_line(file, text, words, capfd):
    sys.path.insert(0, str(Path("my files").resolve()))
    if text is not None:
        Path(file).write_text(text)
    assert words in refusal(["list", "--load", file], capfd)


def test_a_name_that_nobody_registered_says_how(capfd):
    assert "or pass --load FILE" in refusal(["summary", "gated_net"], capfd)
