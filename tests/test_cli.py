import csv
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_convnets
from keras_convnets import cli, list_models

COMMAND = [sys.executable, "-m", "keras_convnets"]


def run(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_help_and_version_answer_at_once():
    result = run("--help")
    assert result.returncode == 0
    for command in ("list", "summary", "plot", "train"):
        assert f"    {command} " in result.stdout
    assert run("--version").stdout == f"keras-convnets {keras_convnets.__version__}\n"


def test_list(capfd):
    assert cli.main(["list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "builder", "parameters", "source"]
    assert [line.split()[0] for line in lines[1:]] == list_models()
    assert lines[1].split()[1:3] == ["ResnetBuilder", "11,700,328"]
    assert "1603.05027" in lines[1]


def test_list_takes_a_pattern(capfd):
    assert cli.main(["list", "resnet_1?"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_summary(capfd):
    assert (
        cli.main(["summary", "resnet_18", "--input-shape", "1,64,none", "--num-outputs", "7"]) == 0
    )
    out = capfd.readouterr().out
    assert "conv2_block1_conv1" in out
    assert "(None, 7)" in out


def test_plot(capfd):
    assert cli.main(["plot", "resnet_18", "net.svg"]) == 0
    assert capfd.readouterr().out == "net.svg\n"
    assert "conv5" in Path("net.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("summary resnet18", "Did you mean 'resnet_18'"),
        ("summary resnet_18 --input-shape 224,224,3", "(rows, cols, channels)"),
        ("summary resnet_18 --input-shape 3,x,3", "received '3,x,3'; expected channels,rows,cols"),
        ("summary resnet_18 --input-shape 3,8,8", "too small for the network's strides: in conv4"),
        ("summary resnet_18 --num-outputs 0", "num_outputs: received 0"),
        ("list yolo*", "no network's name matches 'yolo*'"),
        ("plot resnet_18 net.gif2", "file extension: received 'gif2'"),
        ("plot resnet_18 none/net.svg", "cannot write 'none/net.svg'"),
        ("train --epochs 0", "epochs: received 0"),
        ("train --epochs many", "invalid int value: 'many'"),
        ("train --batch-size 5000", "batch_size: received 5000; expected at most the 1437"),
        ("train --learning-rate -1", "learning_rate: received -1.0"),
        ("train --seed -1", "seed: received -1"),
        ("train --model resnet18", "Did you mean 'resnet_18'"),
        ("train --out .", "which exists"),
        ("train --out file/run", "is not a folder that you may write to"),
        ("train --mod resnet_18", "unrecognized arguments: --mod"),
        ("tarin", "invalid choice: 'tarin'"),
        ("", "the following arguments are required: COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, words, capfd):
    Path("file").write_text("")
    try:
        code = cli.main(arguments.split())
    except SystemExit as stop:  # argparse's own way out
        code = stop.code
    out, err = capfd.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("keras-convnets: error: ")
    assert err.count("\n") == 1
    assert words in err
    assert os.listdir() == ["file"]


def test_errors_of_the_real_command_are_one_line_too():
    result = run("summary", "resnet18")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@pytest.mark.slow
def test_the_main_job_learns_to_read_digits():
    result = run("train", "--out", "run")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    accuracy = next(line for line in lines if line.startswith("test accuracy"))
    assert float(accuracy.split()[2].rstrip("%")) >= 98
    written = [line.strip() for line in lines[lines.index("written to run:") + 1 :]]
    assert written == ["config.json", "curves.png", "history.csv", "model.keras", "model.svg"]
    assert sorted(os.listdir("run")) == written
    assert keras.models.load_model("run/model.keras").output_shape == (None, 10)


@pytest.mark.slow
@pytest.mark.parametrize("epochs_done", [0, 1])
def test_ctrl_c_leaves_a_loadable_model_and_a_history(epochs_done):
    # A terminal of its own, as a person has: the progress bar is drawn, and Ctrl-C is a signal.
    terminal, child_side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "train", "--epochs", "50", "--out", "run"],
        stdout=child_side,
        stderr=child_side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(child_side)
    wait_for = b"epoch  1/50  loss" if epochs_done else b"epoch 1/50"
    shown = read_until(terminal, wait_for)
    process.send_signal(signal.SIGINT)
    shown += read_until(terminal, None)
    assert process.wait(timeout=120) == cli.INTERRUPTED, shown
    assert b"Traceback" not in shown
    assert b"interrupted: %d of 50 epochs are finished" % epochs_done in shown
    with open("run/history.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == epochs_done
    assert keras.models.load_model("run/model.keras").name == "resnet_18"


def read_until(terminal, words):
    """Read what the terminal shows up to ``words``, or to the end."""
    shown = b""
    while words is None or words not in shown:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side is closed
            assert words is None, shown
            break
    return shown
