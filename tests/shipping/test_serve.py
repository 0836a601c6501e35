"""The server: answers are those of ``predict``, and whatever is wrong is said."""

import base64
import dataclasses
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
from serving import COLOURS, NAMES, colours, image_file, running, until

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
    sizes = []
    slow = threading.Event()

    def run(batch):
        slow.wait(10)
        sizes.append(len(batch))
        return served.run(batch)

    with running(dataclasses.replace(served, run=run)) as client, ThreadPoolExecutor(40) as pool:
        images = [
            (place % 4, image_file(COLOURS[place % 4], size=(20 + place, 30)))
            for place in range(40)
        ]
        alone = [served.run(served.prepare("", file).values[np.newaxis])[0] for _, file in images]
        found = [pool.submit(client.image, file, query="?top=4") for _, file in images]
        until(lambda: client.ask("GET", "/health")[2]["waiting"] == 40)
        slow.set()
        for (label, _), one, expected in zip(images, found, alone, strict=True):
            status, _, answer = one.result()
            top = answer["images"][0]["top"]
            assert (status, top[0]["label"]) == (200, label)
            assert [guess["probability"] for guess in top] == pytest.approx(
                sorted(expected)[::-1], abs=1e-6
            )
    assert sum(sizes) == 40
    assert max(sizes) == 8


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
    assert [status for status, _, _ in found] == [200, 500, 200, 200, 500, 200, 200, 200]
