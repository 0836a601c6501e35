import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_convnets
from helpers import refusal
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
    for command in ("list", "summary", "plot", "cost", "receptive-field", "compare", "train"):
        assert f"\n    {command}" in result.stdout
    assert run("--version").stdout == f"keras-convnets {keras_convnets.__version__}\n"


def test_list(capfd):
    assert cli.main(["list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "builder", "input", "outputs", "source"]
    assert [line.split()[0] for line in lines[2:]] == list_models()
    classic = next(line for line in lines if line.startswith("resnet_18 "))
    assert classic.split()[1:8] == ["ResnetBuilder", "3", "×", "224", "×", "224", "1,000"]
    assert "1603.05027" in classic


def test_list_with_costs(capfd):
    assert cli.main(["list", "cifar_resnet_20", "--cost", "--format", "json"]) == 0
    row = json.loads(capfd.readouterr().out)["rows"][0]
    assert (row["parameters"], row["multiply_adds"]) == (269_722, 40_551_040)
    assert row["input_shape"] == [3, 32, 32]


def test_list_answers_without_keras():
    heavy = {"keras", "tensorflow", "numpy", "sklearn", "matplotlib", "pygraphviz"}
    program = (
        "import sys; from keras_convnets import cli, list_models, model_info\n"
        "for file_format in ('table', 'md', 'csv', 'json'):\n"
        "    assert cli.main(['list', '--format', file_format]) == 0\n"
        "    assert cli.main(['list', '--cost', '--format', file_format]) == 0\n"
        "assert model_info('lenet_5').name in list_models()\n"
        f"print({heavy} & sys.modules.keys(), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr == "set()\n"


def test_list_takes_a_pattern(capfd):
    assert cli.main(["list", "resnet_1?"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 3


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


def test_plot_on_a_slide(capfd):
    options = ["--size", "slide", "--title", "Ours", "--no-legend", "--transparent"]
    assert cli.main(["plot", "resnet_18", "net.svg", *options]) == 0
    with open("net.svg", encoding="utf-8") as file:
        drawn = file.read()
    assert 'width="960pt" height="540pt"' in drawn
    assert ">Ours<" in drawn
    assert ">residual block<" not in drawn
    assert 'fill="white" stroke="none"' not in drawn
    assert cli.main(["plot", "resnet_18", "net.svg", "--size", "10x7.5", "--detail", "stage"]) == 0
    with open("net.svg", encoding="utf-8") as file:
        assert 'width="720pt" height="540pt"' in file.read()


def test_plot_takes_what_plot_model_takes(capfd):
    options = ["--detail", "stage", "--no-cost", "--no-shapes", "--rankdir", "LR"]
    assert cli.main(["plot", "resnet_18", "net.dot", *options]) == 0
    text = Path("net.dot").read_text()
    assert "rankdir=LR" in text
    assert "MACs" not in text
    assert "× 56" not in text
    assert cli.main(["plot", "resnet_18", "net.html", "--no-fold"]) == 0
    assert cli.main(["plot", "lenet_5", "net.png", "--detail", "stage", "--dpi", "50"]) == 0
    assert "alike" not in Path("net.html").read_text().split('id="data">')[1].split("</script>")[0]


def test_one_output_is_a_sigmoid(capfd):
    assert cli.main(["plot", "lenet_5", "one.dot", "--num-outputs", "1"]) == 0
    assert "dense 1, sigmoid" in Path("one.dot").read_text()
    assert capfd.readouterr().err == ""


def saved():
    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(4, 3, name="conv"),
        keras.layers.Flatten(),
    ]
    keras.Sequential(layers, name="small").save("small.keras")


def test_a_saved_model_is_plotted_costed_and_compared(capfd):
    saved()
    capfd.readouterr()
    assert cli.main(["plot", "small.keras", "net.svg"]) == 0
    assert "small" in Path("net.svg").read_text()
    assert cli.main(["cost", "small.keras", "--by", "layer"]) == 0
    assert "3,888" in capfd.readouterr().out
    assert cli.main(["compare", "small.keras", "resnet_18", "--format", "csv"]) == 0
    lines = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("#")]
    assert [row["macs"] for row in csv.DictReader(lines)] == ["3888", "1814073344"]


def test_cost(capfd):
    shape = ["--input-shape", "3,64,64", "--num-outputs", "10"]
    assert cli.main(["cost", "resnet_18", *shape]) == 0
    out = capfd.readouterr().out
    assert "conv3_block1   conv3" in out
    assert "148,050,944" in out
    assert "Multiply-adds count" in out
    assert cli.main(["cost", "resnet_18", *shape, "--by", "stage", "--format", "json"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert data["total"]["macs"] == 148_050_944
    assert [row["name"] for row in data["rows"]][2] == "conv2"
    assert cli.main(["cost", "resnet_18", *shape, "--format", "md"]) == 0
    assert capfd.readouterr().out.startswith("| name | group |")


def test_compare(capfd):
    assert cli.main(["compare", "resnet_18", "resnet_34"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["resnet_18", "resnet_34"]


def test_receptive_field(capfd):
    assert cli.main(["receptive-field", "resnet_18", "--layer", "conv5_block2_add"]) == 0
    assert "435 × 435" in capfd.readouterr().out
    assert cli.main(["receptive-field", "resnet_18", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["conv1_conv"]["size"] == [7, 7]


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
        ("plot resnet_18 net.svg --detail blocks", "invalid choice: 'blocks'"),
        ("plot resnet_18 net.svg --size 3x", "size: received '3x'; expected 'slide'"),
        ("plot resnet_18 net.svg --size 2x1", "expected at least 9"),
        ("plot resnet_18 net.svg --rankdir up", "invalid choice: 'up'"),
        ("plot resnet_18 net.png --detail layer --dpi 9000", "Draw an svg or a pdf"),
        ("plot none.keras net.svg", "there is no such file"),
        ("plot file.keras net.svg", "cannot read 'file.keras'"),
        ("cost file.keras --num-outputs 3", "with an input shape or a number of outputs"),
        ("cost resnet_18 --input-shape 3,none,none", "the model leaves sizes open"),
        ("cost resnet_18 --by group", "invalid choice: 'group'"),
        ("cost resnet_18 --format xml", "invalid choice: 'xml'"),
        ("compare resnet_18 resnet18", "Did you mean 'resnet_18'"),
        ("compare lenet_5 --plot a.svg", "models: received 1; expected a list of two"),
        ("compare lenet_5 nin --plot a.html", "file extension: received 'html'"),
        ("summary lenet_5 --detail blocks", "invalid choice: 'blocks'"),
        ("accuracy yolo*", "pattern: received 'yolo*'"),
        ("accuracy --data cifar10 --weights a", "weights: received 'a' with data='cifar10'"),
        ("compare", "the following arguments are required: name"),
        ("receptive-field resnet_18 --layer conv2_add", "Did you mean"),
        ("tarin", "invalid choice: 'tarin'"),
        ("", "the following arguments are required: COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, words, capfd):
    for file in ("file", "file.keras"):
        Path(file).write_text("")
    assert words in refusal(arguments.split(), capfd)
    assert sorted(os.listdir()) == ["file", "file.keras"]


def test_errors_of_the_real_command_are_one_line_too():
    result = run("summary", "resnet18")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_a_reader_that_closes_the_pipe():
    result = subprocess.run(
        f"{' '.join(COMMAND)} cost resnet_18 --by layer | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("name")
    assert result.stderr == ""


def test_a_terminal_that_lacks_signs():
    result = run("cost", "resnet_18", "--by", "stage", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert "64 ? 56 ? 56" in result.stdout


def test_sizes_of_a_saved_model_can_be_given(capfd):
    layers = [keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, name="conv")]
    keras.Sequential(layers).save("open.keras")
    assert cli.main(["receptive-field", "open.keras"]) == 2
    assert "--input-shape" in capfd.readouterr().err
    assert cli.main(["receptive-field", "open.keras", "--input-shape", "3,8,9"]) == 0
    assert cli.main(["cost", "open.keras", "--input-shape", "3,8,9"]) == 0
    assert "4,536" in capfd.readouterr().out
