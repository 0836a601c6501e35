import json
import os
import re
import signal
import sys

import keras
import pytest

from helpers import refusal
from keras_convnets import cli
from keras_convnets.shipping.benchmark import measuring
from keras_convnets.shipping.engines import kinds

pytest.importorskip("onnxruntime", reason="engines: pip install '.[onnx]'")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the engines are TensorFlow's and exports by it", allow_module_level=True)

QUICK = ("--seconds", "0.01", "--no-memory")


@pytest.fixture
def file(tmp_path):
    import tiny_exports

    return str(tiny_exports.onnx_file(tmp_path / "tiny.onnx"))


def test_json_is_printed_and_saved_and_a_figure_drawn(file, tmp_path, capfd):
    figure, saved = tmp_path / "speed.png", tmp_path / "benchmark.json"
    arguments = ["benchmark", file, "--batch", "1,3", "--json", "--figure", str(figure)]
    assert cli.main([*arguments, "--save", str(saved), *QUICK]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    found = json.loads(out)
    assert [(row["engine"], row["batch"]) for row in found["measurements"]] == [
        ("onnx", 1),
        ("onnx", 3),
    ]
    assert json.loads(saved.read_text()) == found
    assert figure.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("output_format", ["table", "md", "csv"])
def test_a_network_and_a_file_side_by_side(output_format, file, capfd):
    engines = ["--engines", "compiled,onnx"] if output_format == "table" else ["--engines", "onnx"]
    given = ["lenet_5", file] if output_format == "table" else [file]
    assert cli.main(["benchmark", *given, *engines, *QUICK, "--format", output_format]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert re.search("ONNX Runtime|,onnx,", out)
    assert ("lenet_5" in out) == (output_format == "table")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.onnx"], "there is no such file"),
        (["no_such_network"], "no_such_network"),
        (["lenet_5", "lenet_5"], "models: received 'lenet_5' twice"),
        (["lenet_5", "--engines", "tensorrt"], "engines: received 'tensorrt'; expected one of"),
        (["lenet_5", "--batch", "0"], "batch: received"),
        (["lenet_5", "--batch", "a"], "expected numbers of images"),
        (["lenet_5", "--seconds", "0"], "seconds: received 0.0"),
        (["lenet_5", "--seconds", "nan"], "seconds: received nan"),
        (["lenet_5", "--threads", "0"], "threads: received 0"),
        (["lenet_5", "--precision", "int4"], "precisions: received 'int4'"),
        (["lenet_5", "--figure", "x.gif"], "to_file: received 'x.gif'"),
        (["lenet_5", "--figure", "none/x.svg"], "cannot write 'none/x.svg': No such file or"),
        (["lenet_5", "--save", "none/x.json"], "cannot write 'none/x.json': No such file or"),
        (["lenet_5", "--save", "."], "cannot write '.': Is a directory"),
        (["lenet_5", "--save", __file__], "which exists; expected the name of a new file"),
        (["lenet_5", "--batch", "1,99999999999"], "expected each to be at most 2,147,483,647"),
        (["lenet_5", "--batch", "2000000000", "--engines", "compiled"], "memory: a batch of 2,000"),
        (["lenet_5", "--batch", "99999999999"], "expected each to be at most 2,147,483,647."),
        (["lenet_5", "--save", "none/a.json"], "cannot write 'none/a.json': No such file or dir"),
        (["lenet_5", "--figure", "none/a.svg"], "cannot write 'none/a.svg': No such file or dir"),
    ],
)
def test_what_is_refused(arguments, expected, capfd, monkeypatch):
    monkeypatch.setattr(measuring, "in_turn", None)  # nothing is timed before
    assert expected in refusal(["benchmark", *arguments], capfd)


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch, capfd):
    monkeypatch.setattr(kinds.importlib.util, "find_spec", lambda _: None)
    said = refusal(["benchmark", "lenet_5", "--engines", "openvino"], capfd)
    assert "pip install 'keras_convnets[openvino]'" in said


def test_threads_are_told_to_all_engines(file, monkeypatch, capfd):
    threads = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, threads)
    assert cli.main(["benchmark", file, "--threads", threads, "--json", *QUICK]) == 0
    assert json.loads(capfd.readouterr().out)["machine"]["threads"] == int(threads)


def test_the_times_get_into_the_card_beside_the_file(file, capfd):
    from keras_convnets import create_model
    from keras_convnets.shipping.card.beside import read_card, write_beside
    from keras_convnets.shipping.card.describing import card_of
    from keras_convnets.shipping.engines.about import About
    from keras_convnets.shipping.engines.metadata import embed

    fingerprint = "af" * 32
    about = About(
        *("tiny", "keras_convnets 1", (3, 8, 8), True, "float32", False, None, (), "softmax"),
        *("float32", None, fingerprint, 1, 2, {"difference": 0.0, "agreement": 1.0, "images": 9}),
    )
    embed(kinds.ONNX, file, about)
    card = write_beside(file, card_of(create_model("lenet_5"), fingerprint), "ONNX Runtime")
    assert cli.main(["benchmark", file, "--batch", "1,3", "--json", *QUICK]) == 0
    out, err = capfd.readouterr()
    assert err == f"keras-convnets: note: {card} has the times of {file}\n"
    [export] = read_card(card).exports
    measured = [(row["batch"], row["median"]) for row in json.loads(out)["measurements"]]
    assert [(speed.batch, speed.median) for speed in export.speeds] == measured


def test_ctrl_c_while_it_is_timed(file, tmp_path, monkeypatch, capfd):
    from keras_convnets.shipping.benchmark import benchmark

    monkeypatch.setattr(signal, "getsignal", lambda number: signal.default_int_handler)
    monkeypatch.setattr(
        benchmark, "benchmark", lambda *given, **options: signal.raise_signal(signal.SIGINT)
    )
    saved = tmp_path / "benchmark.json"
    assert cli.main(["benchmark", file, "--save", str(saved), *QUICK]) == 130
    assert capfd.readouterr() == ("", "keras-convnets: interrupted\n")
    assert not saved.exists()


def test_a_reader_that_has_seen_enough(file, monkeypatch, capfd):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as closed, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", closed)
        assert cli.main(["benchmark", file, *QUICK]) == 0
    assert capfd.readouterr().err == ""
