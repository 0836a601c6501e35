"""The server: answers are those of ``predict``, and whatever is wrong is said."""

import base64
import dataclasses
import json
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("serves with TensorFlow", allow_module_level=True)

from keras_convnets.inference.predict import predict
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.served import of_classifier
from keras_convnets.shipping.serve.web import schemas
from serving import COLOURS, NAMES, colours, form, image_file, running, until

PNG = {"Content-Type": "image/png"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def run():
    return colours()


@pytest.fixture(scope="module")
def served(run):
    return of_classifier(run, 8)


@pytest.fixture(scope="module")
def client(served):
    with running(served, Limits(max_bytes=200_000, max_pixels=20_000, queue=40)) as client:
        yield client


def bomb(rows, cols):
    """Return a PNG of a few bytes that says that it has many pixels."""

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", cols, rows, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


KINDS = {
    **{kind: {} for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")},
    "JPEG2000": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_gets_the_answer_of_predict_however_it_is_sent(kind, client, run):
    contents = image_file((200, 30, 60), kind)
    [expected] = predict(run, [contents]).to_dict(3)["images"]
    text = base64.b64encode(contents).decode()
    for status, _, found in (
        client.image(contents, "image/x-any", "?top=3"),
        client.image(contents, "application/octet-stream", "?top=3"),
        client.form(("image 0", contents), query="?top=3"),
        client.json("/predict?top=3", {"images": [text]}),
        client.json("/predict?top=3", {"images": [{"b64": f"data:image/png;base64,{text}"}]}),
    ):
        assert status == 200, found
        schemas.Classified.model_validate(found)
        assert found == {"model": "colours", "images": [expected], "doubtful": []}
    assert expected["top"][0]["class"] == "red"


def test_an_image_is_turned_as_a_camera_says(client, run, tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    contents = image_file((30, 200, 60), "JPEG", (60, 20), exif=exif)
    [expected] = predict(run, [contents]).to_dict(5)["images"]
    assert client.image(contents)[2]["images"] == [expected]


def test_several_images_are_answered_in_their_order(client):
    files = [
        (f"{name}.png", image_file(colour)) for name, colour in zip(NAMES, COLOURS, strict=True)
    ]
    status, _, found = client.form(*files, query="?top=1")
    assert status == 200
    assert [(one["image"], one["top"][0]["class"]) for one in found["images"]] == [
        ("red.png", "red"), ("green.png", "green"), ("blue.png", "blue"), ("grey.png", "grey"),
    ]  # fmt: skip


def test_requests_at_once_are_batched_and_none_gets_the_answer_of_another(served):
    sizes, prepared, all_came = [], [], threading.Event()

    def prepare(name, contents):
        image = served.prepare(name, contents)
        prepared.append(name)
        return image

    def run(batch):
        all_came.wait(20)
        sizes.append(len(batch))
        return served.run(batch)

    labels = [place % 4 for place in range(40)]
    images = [image_file(COLOURS[label], size=(20 + at, 30)) for at, label in enumerate(labels)]
    alone = [served.run(served.prepare("", file).values[np.newaxis])[0] for file in images]
    slow = dataclasses.replace(served, prepare=prepare, run=run)
    with running(slow) as client, ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(client.image, file, query="?top=4") for file in images]
        until(lambda: len(prepared) == 40)
        all_came.set()
        for label, answer, expected in zip(labels, answers, alone, strict=True):
            status, _, found = answer.result()
            top = found["images"][0]["top"]
            assert (status, top[0]["label"]) == (200, label)
            shares = [guess["probability"] for guess in top]
            assert shares == pytest.approx(sorted(expected, reverse=True), abs=1e-6)
        health = client.ask("GET", "/health")[2]
    assert sum(sizes) == health["images"] == 40
    assert (max(sizes), len(sizes)) == (8, health["batches"])


def test_an_image_that_the_model_cannot_take_spoils_no_other(served):
    def run(batch):
        if (batch > 0.9).all():
            raise ValueError("too bright")
        if len(batch) > 1 and any((one > 0.9).all() for one in batch):
            raise ValueError("too bright")
        return served.run(batch)

    with running(dataclasses.replace(served, run=run)) as client, ThreadPoolExecutor(8) as pool:
        bright = np.ones((16, 16, 3)).tolist()
        dark = np.zeros((16, 16, 3)).tolist()
        found = list(
            pool.map(
                lambda one: client.json("/v1/models/colours:predict", {"instances": [one]}),
                [dark, bright, dark, dark, bright, dark, dark, dark],
            )
        )
    assert "too bright" in found[1][2]["error"]
    assert [status for status, _, _ in found] == [200, 422, 200, 200, 422, 200, 200, 200]


def test_a_full_queue_refuses_with_the_time_to_come_back(served):
    goes_on = threading.Event()

    def run(batch):
        goes_on.wait(20)
        return served.run(batch)

    slow, limits = dataclasses.replace(served, run=run), Limits(queue=3)
    with running(slow, limits) as client, ThreadPoolExecutor(3) as pool:
        held = [pool.submit(client.image, image_file()) for _ in range(3)]
        until(lambda: client.ask("GET", "/health")[2]["waiting"] == 3)
        status, headers, found = client.image(image_file())
        goes_on.set()
        assert [one.result()[0] for one in held] == [200] * 3
        assert client.image(image_file())[0] == 200
    assert (status, int(headers["Retry-After"]) >= 1) == (503, True)
    assert found["error"] == (
        "queue: received 1 images while 3 wait; expected at most 3 together. Send them again in "
        "1 s."
    )


RED = image_file()
BAD = {
    "no type": (("POST", "/predict", RED), 415, "Content-Type: received none; expected multipart"),
    "a form's type of curl -d": (
        ("POST", "/predict", RED, {"Content-Type": "application/x-www-form-urlencoded"}),
        *(415, "received 'application/x-www-form-urlencoded'"),
    ),
    "no image": (("POST", "/predict", b"<html>", PNG), 415, "received a file that is no image"),
    "empty": (("POST", "/predict", b"", PNG), 415, "received an empty file"),
    "HEIC": (("POST", "/predict", b"\0\0\0\x18ftypheic" + bytes(40), PNG), 415, "received HEIC"),
    "cut off": (
        ("POST", "/predict", RED[:-300], PNG),
        422,
        "(not a complete image); expected a whole",
    ),
    "a JPEG cut off": (
        ("POST", "/predict", image_file(kind="JPEG")[:-300], PNG),
        *(422, "received an image that cannot be read (not a complete image)"),
    ),
    "a bomb": (
        ("POST", "/predict", bomb(60_000, 60_000), PNG),
        *(413, "received an image 60,000 pixels wide and 60,000 high; expected at most 20,000 pix"),
    ),
    "over the server's limit": (
        ("POST", "/predict", bomb(200, 101), PNG),
        *(413, "image 0: received an image 101 pixels wide and 200 high; expected at most 20,000"),
    ),
    "a line": (
        ("POST", "/predict", bomb(1, 2000), PNG),
        *(413, "expected one side to be at most 100 times the other"),
    ),
    "too many bytes": (
        ("POST", "/predict", bytes(200_001), PNG),
        *(413, "body: received 200,001 bytes; expected at most 200,000. Make the image smaller."),
    ),
    "compressed": (
        ("POST", "/predict", RED, {**PNG, "Content-Encoding": "gzip"}),
        *(415, "Content-Encoding: received 'gzip'; expected none"),
    ),
    "no JSON": (("POST", "/predict", b"{", JSON), 400, "body: received what is no JSON"),
    "no UTF-8": (("POST", "/predict", b"\xff", JSON), 400, "body: received what is no JSON"),
    "JSON too deep": (("POST", "/predict", b"[" * 100_000, JSON), 400, "nested too deeply"),
    "a key twice": (
        ("POST", "/predict", b'{"images": ["aaaa"], "images": []}', JSON),
        *(400, "body: received what is no JSON (a key comes twice in an object)"),
    ),
    "no object": (("POST", "/predict", b"[1]", JSON), 422, "received [1]; expected a JSON object"),
    "other keys": (
        ("POST", "/predict", b'{"image": "a"}', JSON),
        *(422, "body: received the keys ['image']; expected images alone"),
    ),
    "no list": (("POST", "/predict", b'{"images": 1}', JSON), 422, "images: received 1; expected"),
    "no base64": (
        ("POST", "/predict", b'{"images": ["\xc3\xa9"]}', JSON),
        *(422, "images[0]: received 'é' ("),
    ),
    "a number": (("POST", "/predict", b'{"images": [1]}', JSON), 422, "images[0]: received 1"),
    "no images": (("POST", "/predict", b'{"images": []}', JSON), 422, "images: received 0 images"),
    "too many images": (
        ("POST", "/predict", json.dumps({"images": ["aaaa"] * 33}).encode(), JSON),
        *(413, "images: received 33 images; expected 1 to 32 in a request. Send several requests."),
    ),
    "too many files": (
        ("POST", "/predict", *form(*[("a", b"a")] * 33)),
        *(413, "body: received a form that cannot be read (Too many files"),
    ),
    "a form without an edge": (
        ("POST", "/predict", RED, {"Content-Type": "multipart/form-data"}),
        *(400, "body: received a form that cannot be read (Missing boundary"),
    ),
    "a form of something else": (
        ("POST", "/predict", RED, {"Content-Type": "multipart/form-data; boundary=edge"}),
        *(400, "body: received a form that cannot be read"),
    ),
    "a form of text": (
        (
            *("POST", "/predict"),
            b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--edge--\r\n',
            form()[1],
        ),
        *(422, "a: received a field of text; expected files alone"),
    ),
    "an empty form": (("POST", "/predict", *form()), 422, "images: received 0 images"),
    "one bad of two": (
        ("POST", "/predict", *form(("a.png", RED), ("b.png", RED[:60]))),
        *(422, "b.png: received an image that cannot be read"),
    ),
    "top of no number": (
        ("POST", "/predict?top=x", RED, PNG),
        *(422, "top: received 'x'; expected an integer of 1 or more, the classes to name."),
    ),
    "top of none": (("POST", "/predict?top=0", RED, PNG), 422, "top: received '0'; expected an"),
    "another method": (("GET", "/predict"), 405, "method: received 'GET' for /predict; expected"),
    "another address": (("GET", "/predict/"), 404, "address: received '/predict/'; expected /"),
    "another site's form": (
        ("POST", "/predict", RED, {**PNG, "Origin": "http://evil.example"}),
        *(403, "Origin: received 'http://evil.example'; expected none"),
    ),
    "a broken site": (
        ("POST", "/predict", RED, {**PNG, "Origin": "http://[::"}),
        *(403, "Origin: received 'http://[::'; expected none"),
    ),
    "a sandboxed form": (("POST", "/predict", RED, {**PNG, "Origin": "null"}), 403, "Origin: "),
    "another site's name": (
        ("GET", "/model", None, {"Host": "evil.example:8000"}),
        *(421, "Host: received 'evil.example:8000'; expected 127.0.0.1 or"),
    ),
    "a broken name": (("GET", "/", None, {"Host": "[::"}), 421, "Host: received '[::'"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_said_and_is_never_a_fault_of_the_server(what, client):
    asked, expected, words = BAD[what]
    status, _, found = client.ask(*asked)
    schemas.Problem.model_validate(found)
    assert (status, found["status"]) == (expected, expected)
    assert words in found["error"]
    assert client.image(RED)[0] == 200


def test_a_model_of_images_that_no_files_have_is_not_served(run):
    from keras_convnets.images.preprocessing import Preprocessing

    other = dataclasses.replace(run, preprocessing=Preprocessing(4, 16, 16))
    with pytest.raises(ValueError, match="takes images of 4 channels; expected 1 .grey. or 3"):
        of_classifier(other, 8)


def test_images_that_keep_their_size_wait_for_memory(served):
    here, most, lock = 0, 0, threading.Lock()

    def prepare(name, contents):
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        return served.prepare(name, contents)

    def run(batch):
        nonlocal here
        threading.Event().wait(0.05)
        with lock:
            here -= len(batch)
        return served.run(batch)

    any_size = dataclasses.replace(served, prepare=prepare, run=run, shape=(None, None, 3))
    files = [("a", image_file(size=(40, 30)))] * 12
    with running(any_size, Limits(max_pixels=1500)) as client:  # two of 1,200 pixels, at most
        status, _, found = client.form(*files)
        assert client.image(bomb(200, 101))[0] == 413
    assert (status, len(found["images"]), here) == (200, 12, 0)
    assert 1 <= most <= 2


def test_files_of_a_form_need_no_disk(served, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", full)
    with running(served) as client:
        assert client.form(("a.png", RED + bytes(2_000_000)))[0] == 200
