"""The command, as a process of its own; and exported files, each in its own runtime."""

import contextlib
import json
import signal
import subprocess
import sys
import threading

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("serves with TensorFlow", allow_module_level=True)

from keras_convnets import cli
from keras_convnets.known import Known, remember
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.export import export
from keras_convnets.shipping.serve.address import Address
from keras_convnets.shipping.serve.exported import of_engine
from serving import NAMES, Client, colours, image_file, running


@pytest.fixture(scope="module")
def run():
    run = colours()
    known = Known(preprocessing=run.preprocessing.to_config(), class_names=NAMES)
    remember(run.model, known)
    return run


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "colours.keras"
    run.model.save(file)
    return file


@contextlib.contextmanager
def serving(*arguments):
    """Yield the process of a command, and a client of it."""
    command = [sys.executable, "-m", "keras_convnets", "serve", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "--port", "0"], cwd="/", **pipes)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, line, Client(int(line.split("http://127.0.0.1:")[1].split()[0]))
    finally:
        process.kill()
        process.communicate()


def test_the_command_answers_as_predict_prints_and_ends_after_its_last_answer(
    file, tmp_path, capsys
):
    image = tmp_path / "cat.jpg"
    image.write_bytes(image_file((240, 30, 20), "JPEG"))
    assert cli.main(["predict", str(file), str(image), "--format", "json"]) == 0
    [expected] = json.loads(capsys.readouterr().out)["images"]
    with serving(file, "--access-log") as (process, line, client):
        assert line == f"colours on http://127.0.0.1:{client.port} (Ctrl-C ends it)\n"
        status, _, found = client.form((str(image), image.read_bytes()))
        assert (status, found["images"]) == (200, [expected])
        # What decoders say of these, libjpeg past Python and Pillow as a warning, is not printed.
        assert client.image(image.read_bytes()[:-2] + bytes(30) + b"\xff\xd9")[0] == 200
        assert client.image(image_file(kind="TIFF")[:100])[0] == 422
        assert client.ask("GET", "/nothing")[0] == 404
        with client.connected() as stream:  # a request that is under way when the signal comes
            contents = image.read_bytes()
            head = (
                f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(contents)}\r\n"
            )
            stream.sendall(f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + contents[:100])
            client.ask("GET", "/health")
            process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.5)
            with pytest.raises(OSError), client.connected():
                pass
            stream.sendall(contents[100:])
            answer = stream.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert process.wait(20) == 130
        rest, errors = process.communicate()
    lines = errors.splitlines()
    assert (rest, lines[-1]) == ("", "keras-convnets: interrupted")
    assert [one.rsplit(" ", 2)[0] for one in lines[:-1]] == [
        *("127.0.0.1 POST /predict 200", "127.0.0.1 POST /predict 200"),
        *("127.0.0.1 POST /predict 422", "127.0.0.1 GET /nothing 404"),
        "127.0.0.1 GET /health 200", "127.0.0.1 POST /predict 200",
    ]  # fmt: skip


def refused(capsys, *arguments):
    """Return the line with which the command refuses its arguments."""
    assert cli.main(["serve", *map(str, arguments)]) == 2
    out, errors = capsys.readouterr()
    assert (out, errors.count("\n")) == ("", 1)
    return errors


def test_what_cannot_be_served_is_one_line(file, capsys, monkeypatch):
    with Address("127.0.0.1", 0) as address:
        line = refused(capsys, file, "--port", address.port)
    assert line == (
        f"keras-convnets: error: port: received {address.port} on 127.0.0.1, which cannot be had "
        "(Address already in use); expected one that is free. Name another with --port, or 0 for "
        "any.\n"
    )
    assert "serve: received no model; expected the folder of a finished run" in refused(capsys)
    port = ("--port", 0)
    for arguments, words in (
        ((file, "--queue", 0), "queue: received 0; expected an integer of at least 1"),
        ((file, "--batch-size", -1), "batch_size: received -1; expected an integer of at least 1"),
        ((file, "--max-pixels", 10**9), "max_pixels: received 1,000,000,000; expected at most 89,"),
        (("none.keras",), "none.keras"),
        (("none.onnx",), "received 'none.onnx'; there is no such file"),
        ((file, "--preprocessing", "caffe"), "colours knows how its images are prepared"),
    ):
        assert words in refused(capsys, *arguments, *port)
    monkeypatch.setattr("keras_convnets.shipping.serve.address._MODULES", ("fastapi", "no_such"))
    assert refused(capsys, file) == (
        "keras-convnets: error: serve: received no package no_such; expected it, to serve. Install "
        "it: pip install 'keras_convnets[serve]'.\n"
    )


@pytest.mark.parametrize("name", ["colours.tflite", "colours"])
def test_an_exported_file_is_served_by_its_own_runtime(name, run, tmp_path):
    if name.endswith(".tflite"):
        pytest.importorskip("ai_edge_litert")
    is_inside = name.endswith(".tflite")
    export(run.model, tmp_path / name, with_preprocessing=is_inside)
    served = of_engine(open_engine(tmp_path / name), 4)
    assert served.runtime.startswith("LiteRT" if "." in name else "TensorFlow")
    with running(served) as client:
        facts = client.ask("GET", "/model")[2]
        assert facts["class_names"] == list(NAMES)
        assert facts["input_shape"] == ([None, None, 3] if is_inside else [16, 16, 3])
        assert facts["input_type"] == ("uint8" if is_inside else "float32")
        assert facts["preprocessing_config"] == json.loads(
            json.dumps(run.preprocessing.to_config())
        )
        for colour, label in (((230, 20, 20), "red"), ((20, 20, 230), "blue")):
            status, _, found = client.image(image_file(colour))
            assert (status, found["images"][0]["top"][0]["class"]) == (200, label)
