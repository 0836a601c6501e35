"""``keras-convnets export``: what it takes, what it refuses before TensorFlow is imported."""

import json
import os
import sys

import keras
import numpy as np
import pytest

from keras_convnets import cli, create_model, export, save_weights
from keras_convnets.shipping.engines.metadata import about_of
from keras_convnets.training import open_run

if keras.backend.backend() != "tensorflow":
    pytest.skip("exports are made by TensorFlow", allow_module_level=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same network as a saved model and as weights."""
    folder = tmp_path_factory.mktemp("models")
    model = create_model("lenet_5")
    model.save(folder / "lenet.keras")
    save_weights(model, folder / "lenet.safetensors")
    return folder


@pytest.mark.parametrize(
    "given", [["lenet.keras"], ["lenet_5", "--weights", "lenet.safetensors"], ["lenet.safetensors"]]
)
def test_a_file_weights_and_a_network_with_weights(files, tmp_path, monkeypatch, capsys, given):
    monkeypatch.chdir(files)
    out = str(tmp_path / "net")
    assert cli.main(["export", *given, out, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["network"], found["kind"], found["path"]) == ("lenet_5", "saved_model", out)
    assert found["proof"]["is_synthetic"]
    assert about_of(out).fingerprint == found["fingerprint"]


@pytest.mark.slow
def test_data_check_and_accuracy(files, tmp_path, capsys):
    command = ["export", str(files / "lenet.keras"), str(tmp_path / "net")]
    data = ["--check", "digits", "--preprocessing", "0-1"]
    assert cli.main([*command, *data, "--with-preprocessing"]) == 0
    printed = capsys.readouterr().out
    assert "all 1,797 images of digits" in printed
    assert "uint8: they are prepared inside" in printed
    assert "accuracy" in printed
    assert cli.main([*command, "--overwrite", "--check", "digits"]) == 2
    assert "does not say how its images are prepared" in capsys.readouterr().err


def test_what_is_refused_is_one_line_and_writes_nothing(files, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.onnx").write_text("old")
    model = str(files / "lenet.keras")
    for arguments, says in (
        ([model, "net.pt"], "expected a name that ends in .onnx"),
        ([model, "old.onnx"], "which exists"),
        ([model, "none/net"], "whose folder does not exist"),
        ([model, "old.onnx/net"], "whose folder is a file"),
        ([model, "net", "--precision", "int8"], "precision: received 'int8'"),
        ([model, "net.tflite", "--precision", "int8"], "calibrate: received none"),
        ([model, "net", "--calibrate", "digits"], "calibrate: received images"),
        ([model, "net", "--tolerance", "-1"], "tolerance: received -1.0"),
        ([model, "net", "--with-preprocessing"], "preprocessing: received none"),
        ([model, "net", "--best"], "best: received --best"),
        ([model, "net", "--check", "nothing"], "how its images are prepared"),
        (["nothing", "net"], "nothing"),
        (["nothing", "net", "--weights", model], "nothing"),
    ):
        assert cli.main(["export", *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith("keras-convnets: error: ")
        assert printed.err.count("\n") == 1
        assert says in printed.err
        assert printed.out == ""
    assert os.listdir() == ["old.onnx"]


def test_a_bad_name_is_refused_before_tensorflow_is_imported(tmp_path):
    import subprocess

    code = (
        "import sys\nfrom keras_convnets import cli\n"
        "code = cli.main(['export', 'run', 'net.pt'])\n"
        "sys.exit(code if 'tensorflow' not in sys.modules else 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    assert ran.returncode == 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on digits."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    train = ["train", "--model", "lenet_5", "--steps", "40", "--batch-size", "64"]
    assert cli.main([*train, "--out", str(folder)]) == 0
    return folder


def test_a_run_is_compared_on_its_own_test_images(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(run), "net", "--format", "json"]) == 0
    proof = json.loads(capsys.readouterr().out)["proof"]
    assert (proof["of"], proof["images"]) == ("the 360 test images of digits", 360)
    assert proof["accuracy_before"] == proof["accuracy_after"] > 0.5
    assert np.isclose(proof["agreement"], 1)
    in_python = export(open_run(run), "same").proof.to_dict()
    assert {name for name in proof if proof[name] != in_python[name]} <= {
        *("difference", "relative", "where")  # threads add in another order each time
    }


def test_a_folder_of_data_is_for_data(run, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for model, says in (
        (files / "lenet.keras", "and no name of data; expected it with --check"),
        (run, "with 'digits'; expected none, for it has no files. Leave it out."),
    ):
        assert cli.main(["export", str(model), "net", "--data-dir", "."]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("keras-convnets: error: data_dir: received '.'")
        assert says in printed
        assert printed.count("\n") == 1
    assert not os.listdir()


@pytest.mark.slow
def test_int8_without_a_run_is_compared_on_the_data_that_calibrate(files, tmp_path, capsys):
    pytest.importorskip("ai_edge_litert", reason="engines: pip install '.[litert]'")
    command = ["export", str(files / "lenet.keras"), str(tmp_path / "net.tflite")]
    data = ["--calibrate", "digits", "--preprocessing", "0-1", "--tolerance", "10"]
    assert cli.main([*command, "--precision", "int8", *data, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["proof"]["of"] == "1,000 of all 1,797 images of digits"
    assert found["proof"]["accuracy_before"] is not None
    said = " of the 1,000 images compared on are also those that the integers were calibrated with"
    assert any(said in note for note in found["notes"])
