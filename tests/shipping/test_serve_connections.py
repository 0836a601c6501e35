"""Clients that are slow, leave, send several requests at once or none; and other interfaces."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("serves with TensorFlow", allow_module_level=True)

import dataclasses
from concurrent.futures import ThreadPoolExecutor

from keras_convnets.shipping.serve.address import Address
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.served import of_classifier
from keras_convnets.shipping.serve.web import schemas
from serving import NAMES, colours, form, image_file, received, running, until

RED = image_file()
HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
QUICK = Limits(header_seconds=0.6, read_seconds=0.3, body_seconds=1, connections=8)


@pytest.fixture(scope="module")
def served():
    return of_classifier(colours(), 8)


@pytest.fixture(scope="module")
def client(served):
    with running(served, QUICK) as client:
        yield client


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer else None


@pytest.mark.parametrize("head", [b"", b"POST /predict HT", HEAD])
def test_a_head_that_does_not_come_ends_the_connection(head, client):
    with client.connected() as stream:
        stream.sendall(head)
        began = time.monotonic()
        assert received(stream) == b""
        assert 0.5 < time.monotonic() - began < 5


def test_a_head_that_comes_letter_by_letter_ends_the_connection(client):
    with client.connected() as stream:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:
                stream.sendall(b"a")
                time.sleep(0.05)
        assert 0.5 < time.monotonic() - began < 5


def test_a_connection_is_kept_as_long_as_requests_come(client):
    kept, began = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20), time.monotonic()
    with contextlib.closing(kept):
        while time.monotonic() - began < 4 * QUICK.header_seconds:
            kept.request("GET", "/health")
            answer = kept.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            assert kept.sock  # which closes when the server says that it will
            time.sleep(0.2)


def test_a_body_that_does_not_come_is_answered(client):
    with client.connected() as stream:
        stream.sendall(HEAD + b"Content-Length: 1000\r\n\r\nabc")
        answer = received(stream)
    assert status_of(answer) == 408
    assert b"body: received 3 bytes and then nothing in time; expected all of it within" in answer


def test_a_body_that_comes_letter_by_letter_is_answered(client):
    with client.connected() as stream:
        stream.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        for _ in range(8):
            stream.sendall(b"a")
            time.sleep(0.15)
        assert status_of(received(stream)) == 408


def test_requests_that_are_sent_together_are_answered_one_after_the_other(client):
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(RED) + RED
    last = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with client.connected() as stream:
        stream.sendall(whole + whole + last)
        answer = received(stream)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * 3
    assert answer.count(b'"class":"red"') == 2


def test_what_is_no_http_is_answered_in_json(client):
    with client.connected() as stream:
        stream.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        answer = received(stream)
    assert status_of(answer) == 400
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["what"] == "request"


def test_a_body_in_chunks_is_limited_too(served):
    with running(served, Limits(max_bytes=1000)) as client, client.connected() as stream:
        stream.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + bytes(1024))
        stream.sendall(b"\r\n0\r\n\r\n")
        answer = received(stream)
    assert status_of(answer) == 413
    assert b"received more than 1,000 bytes" in answer


def test_a_client_that_expects_to_be_refused_sends_nothing(served):
    with running(served, Limits(max_bytes=1000)) as client, client.connected() as stream:
        stream.sendall(HEAD + b"Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n")
        assert status_of(received(stream)) == 413


def test_too_many_connections_are_closed_at_once_and_the_others_go_on(client):
    streams = [client.connected() for _ in range(12)]
    opened = [stream.__enter__() for stream in streams]
    try:
        assert sum(received(stream) == b"" for stream in opened) == 12
    finally:
        for stream in streams:
            stream.__exit__(None, None, None)
    until(lambda: client.ask("GET", "/health")[0] == 200)


def test_connections_without_a_descriptor_wait_and_leave_no_traceback(served, caplog):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with running(served) as client:
        assert client.image(RED)[0] == 200  # all that is opened once is open
        waits = socket.socket()
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # those that are open stay so
            waits.settimeout(20)
            waits.connect(("127.0.0.1", client.port))
            waits.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            time.sleep(0.3)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with waits:
            assert status_of(received(waits)) == 200
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_images_of_clients_that_have_left_are_forgotten(served):
    goes_on, sizes = threading.Event(), []

    def run(batch):
        goes_on.wait(20)
        sizes.append(len(batch))
        return served.run(batch)

    with running(dataclasses.replace(served, run=run), Limits(batch_size=1)) as client:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(client.image, RED)
            waiting = lambda: client.ask("GET", "/health")[2]["waiting"]  # noqa: E731
            until(lambda: waiting() == 1)
            for _ in range(5):
                with client.connected() as stream:
                    stream.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(RED) + RED)
                    until(lambda: waiting() == 2)
                until(lambda: waiting() == 1)
            goes_on.set()
            assert first.result()[0] == 200
        assert client.image(RED)[0] == 200
    assert sizes == [1, 1]


def test_a_client_that_leaves_in_the_middle_of_a_body_leaves_nothing(client):
    for _ in range(5):
        with client.connected() as stream:
            stream.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n" + bytes(100_000))
    until(lambda: client.image(RED)[0] == 200)


def test_the_address_that_is_taken_is_said():
    with Address("127.0.0.1", 0) as address:
        with pytest.raises(
            ValueError, match="cannot be had .Address already in use.; expected one"
        ):
            Address("127.0.0.1", address.port)
        assert address.names == {"localhost", "127.0.0.1", "::1"}
    with pytest.raises(ValueError, match="port: received 70000; expected 0"):
        Address("127.0.0.1", 70000)
    with pytest.raises(ValueError, match=r"host: received 'no\.such\.host\.invalid' "):
        Address("no.such.host.invalid", 0)
    with pytest.raises(ValueError, match=r"host: received '192\.0\.2\.1' .*Cannot assign"):
        Address("192.0.2.1", 0)  # of no machine: RFC 5737
    with Address("0.0.0.0", 0) as address:
        assert (address.is_local, address.names) == (False, None)


# TensorFlow Serving's bodies, as https://www.tensorflow.org/tfx/serving/api_rest has them.
URL = "/v1/models/colours:predict"


def test_tensorflow_servings_bodies_are_answered(client, served):
    images = np.random.default_rng(0).random((3, 16, 16, 3)).astype(np.float32)
    expected = served.run(images)
    batch = images.tolist()
    for body, key in (
        ({"instances": batch}, "predictions"),
        ({"signature_name": "serving_default", "instances": batch}, "predictions"),
        ({"instances": [{"images": one} for one in batch]}, "predictions"),
        ({"inputs": batch}, "outputs"),
        ({"inputs": {"images": batch}}, "outputs"),
    ):
        for url in (URL, "/v1/models/colours/versions/1:predict"):
            status, _, found = client.json(url, body)
            assert (status, list(found)) == (200, [key])
            np.testing.assert_allclose(found[key], expected, atol=1e-6)
    status, _, found = client.ask("POST", URL, json.dumps({"instances": batch}))  # as curl -d
    assert status == 200


def test_tensorflow_servings_b64_is_an_image_file(client, served):
    import base64

    text = base64.b64encode(RED).decode()
    for one in ({"b64": text}, {"images": {"b64": text}}):
        status, _, found = client.json(URL, {"instances": [one]})
        assert (status, int(np.argmax(found["predictions"][0]))) == (200, NAMES.index("red"))


def test_tensorflow_servings_status_and_metadata(client):
    assert client.ask("GET", "/v1/models/colours")[2] == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    found = client.ask("GET", "/v1/models/colours/metadata")[2]
    signature = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    sizes = [one["size"] for one in signature["inputs"]["images"]["tensor_shape"]["dim"]]
    assert (sizes, found["model_spec"]["name"]) == (["-1", "16", "16", "3"], "colours")


SMALL = np.zeros((16, 16, 3)).tolist()


@pytest.mark.parametrize(
    ("url", "body", "status", "words"),
    [
        ("/v1/models/other:predict", {"instances": []}, 404, "model: received 'other'; expected"),
        ("/v1/models/colours/versions/2:predict", {}, 404, "version: received '2'; expected 1."),
        (URL, b"{", 400, "body: received what is no JSON"),
        (URL, {}, 400, "body: received the keys []; expected instances or inputs"),
        (URL, {"instances": [SMALL], "inputs": []}, 400, "expected instances or inputs"),
        (URL, {"instances": 3}, 400, "instances: received 3; expected a list of images"),
        (URL, {"instances": []}, 422, "images: received 0 images"),
        (URL, {"instances": [3]}, 400, "image 0: received an array of ; expected numbers, 16"),
        (URL, {"instances": [SMALL[1:]]}, 400, "an array of 15 x 16 x 3; expected numbers, 16 x"),
        (URL, {"instances": [[[1, 2], [3]]]}, 400, "image 0: received [[1, 2], [3]]; expected"),
        (URL, {"instances": ["a"]}, 400, "image 0: received 'a'; expected numbers, 16 x 16 x 3"),
        (URL, {"instances": [{"other": SMALL}]}, 400, "the keys ['other']; expected images alone"),
        (URL, {"instances": [{"b64": "=="}]}, 422, "image 0: received '==' ("),
        (URL, b'{"instances": [NaN]}', 400, "NaN is no number of JSON"),
        (URL, {"instances": [[[[1e39] * 3] * 16] * 16]}, 422, "outputs NaN or infinity"),
        (URL, b'{"instances": [%s]}' % (b"9" * 5000), 400, "body: received what is no JSON"),
        (URL, {"signature_name": "x", "instances": [SMALL]}, 400, "signature_name: received 'x'"),
    ],
)
def test_what_is_wrong_in_tensorflow_servings_bodies_is_said(url, body, status, words, client):
    found = client.json(url, body)
    assert (found[0], found[2].keys() >= {"error"}) == (status, True)
    assert words in found[2]["error"]


def test_every_answer_is_as_the_description_says(client):
    _, _, whole = client.ask("GET", "/openapi.json")
    text = json.dumps(whole)
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named == set(whole["components"]["schemas"])
    assert set(whole["paths"]) == {
        "/predict", "/explain", "/health", "/model",
        "/v1/models/{name}:predict", "/v1/models/{name}", "/v1/models/{name}/metadata",
        "/v1/models/{name}/versions/{version}:predict", "/v1/models/{name}/versions/{version}",
        "/v1/models/{name}/versions/{version}/metadata",
    }  # fmt: skip
    operations = [one["operationId"] for path in whole["paths"].values() for one in path.values()]
    assert len(set(operations)) == len(operations)
    assert set(whole["paths"]["/predict"]["post"]["requestBody"]["content"]) == {
        "multipart/form-data", "image/*", "application/octet-stream", "application/json",
    }  # fmt: skip
    for path, schema in (
        ("/health", schemas.Health),
        ("/model", schemas.Facts),
        ("/v1/models/colours", schemas.ModelStatus),
        ("/v1/models/colours/metadata", schemas.Metadata),
    ):
        schema.model_validate(client.ask("GET", path)[2])


def test_pages_are_guarded_and_their_heads_too(client):
    for path in ("/", "/docs", "/page.css", "/page.js", "/icon.svg", "/health"):
        status, headers, text = client.ask("GET", path)
        assert (status, bool(text)) == (200, True)
        assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
        assert "access-control-allow-origin" not in headers
        assert not re.search(r"//(?!127\.0\.0\.1:|www\.w3\.org/2000/svg)\w+\.\w", str(text))
        assert client.ask("HEAD", path)[::2] == (200, "")


def test_names_are_data_and_not_markup(served):
    odd = ("<b>red</b>", 'gr"een', "bl\udce9ue", "</script>")
    with running(dataclasses.replace(served, class_names=odd)) as client:
        status, _, found = client.image(RED)
        assert (status, found["images"][0]["top"][0]["class"]) == (200, "<b>red</b>")
        assert "<li>&lt;b&gt;red&lt;/b&gt;</li>" in client.ask("GET", "/")[2]
        status, _, found = client.form(('a"\r\nb\x00.png', RED))
        assert status in (200, 400, 422)
    assert form()[0] == b"--edge--\r\n"
