"""A server in a thread, and requests to it, for the tests of ``serve``."""

import contextlib
import http.client
import io
import json
import socket
import threading
import time

import keras
import numpy as np
from PIL import Image

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.trained import TrainedModel
from keras_convnets.shipping.serve.address import Address
from keras_convnets.shipping.serve.limits import Limits
from keras_convnets.shipping.serve.server import server
from keras_convnets.shipping.serve.web.app import application

NAMES = ("red", "green", "blue", "grey")
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128))


def colour_model(rows=16, cols=16, data_format="channels_last"):
    """Return a classifier that tells colours apart: of the means, each class has its own."""
    channels_first = data_format == "channels_first"
    shape = (3, rows, cols) if channels_first else (rows, cols, 3)
    x = inputs = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D(data_format=data_format)(x)
    x = keras.layers.Dense(4, activation="softmax")(x)
    model = keras.Model(inputs, x, name="colours")
    kernel = [[4, -2, -2, 0], [-2, 4, -2, 0], [-2, -2, 4, 0]]
    model.layers[-1].set_weights([np.float32(kernel), np.float32([0, 0, 0, 1.2])])
    return model


def colours(**options):
    """Return a trained model as a run has it."""
    model = colour_model(**options)
    return TrainedModel(model, Preprocessing(3, 16, 16, resize="crop"), NAMES)


def image_file(colour=(255, 0, 0), kind="PNG", size=(40, 30), **options):
    """Return the bytes of an image of one colour, with some noise."""
    noise = np.random.default_rng(sum(colour)).integers(-40, 40, (*size[::-1], 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


class Client:
    """Requests to a server.

    Attributes:
        port: the port of the server.
        service: the threads behind it.
    """

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, headers=(), **more):
        """Return the status, the headers and the JSON (or the text) of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers) | more)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.getheader("content-type", "").startswith("application/json")
        return answer.status, answer.headers, json.loads(text) if is_json and text else text

    def image(self, contents, kind="image/png", query=""):
        return self.ask("POST", f"/predict{query}", contents, {"Content-Type": kind})

    def form(self, *files, query=""):
        return self.ask("POST", f"/predict{query}", *form(*files))

    def json(self, path, value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", path, text, {"Content-Type": "application/json"})

    @contextlib.contextmanager
    def connected(self):
        """Yield a socket that is connected."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as stream:
            yield stream


def form(*files):
    """Return the body of a form of files, (name, bytes), and its headers."""
    parts = b"".join(
        b'--edge\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), contents)
        for name, contents in files
    )
    return parts + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def received(stream):
    """Return all that a socket receives until it is closed."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := stream.recv(65536):
            found += part
    return found


@contextlib.contextmanager
def running(served, limits=None, log=None):
    """Yield a client of a server that runs in a thread."""
    limits, is_ready = limits or Limits(), threading.Event()
    with Address("127.0.0.1", 0) as address:
        app = application(served, limits, address.names, log, is_ready.set)
        serving = server(app, limits)
        thread = threading.Thread(target=serving.run, args=([address.socket],))
        thread.start()
        try:
            assert is_ready.wait(20)
            yield Client(address.port)
        finally:
            serving.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def until(happens, seconds=10):
    """Wait until something happens."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
