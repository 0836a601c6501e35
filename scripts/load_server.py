"""Load a server with good and bad requests at once, and check every answer.

    python scripts/load_server.py [FILE] [--requests 5000] [--clients 16]

It starts ``keras-convnets serve`` on a free port and sends images in every form, with bombs,
damaged and wrong files, bodies that are too large, and clients that leave. Each
answer must have its status and the probabilities that ``keras-convnets predict`` prints; nothing
may be lost, and the memory of the server must not grow. The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import base64
import collections
import contextlib
import http.client
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MOST_BYTES = 4_000_000
_NEAR = 1e-5  # of probabilities: a batch is computed in another order than one image
_GROWN = 100  # MiB between a fifth of the requests and the end
_FORM = "multipart/form-data; boundary=x"
_COMMAND = (sys.executable, "-m", "keras_convnets")

Answer = tuple[int | None, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", help="what to serve (default: a small network)")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=16, help="at the same time (default: 16)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        found = load(Path(folder), chosen.requests, chosen.clients, chosen.file)
    print(found.words())
    return 1 if found.faults else 0


class Found:
    """What came of the requests.

    Attributes:
        faults: lines about what was wrong.
        counts: the answers, by kind of request and status.
        seconds: how long each good request took.
        memory: the requests before, and MiB of the server.
        took: the seconds of all.
        health: the last answer of ``GET /health``.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.counts: collections.Counter[tuple[str, int | None]] = collections.Counter()
        self.seconds: list[float] = []
        self.memory: list[tuple[int, float]] = []
        self.took = 0.0
        self.health: dict[str, Any] = {}

    def words(self) -> str:
        total, good = sum(self.counts.values()), np.array(self.seconds) * 1000
        share = self.health["images"] / max(1, self.health["batches"])
        lines = [f"{kind:<24}{status or 'left':>6}{n:>8}" for (kind, status), n in sorted(
            self.counts.items(), key=str
        )]  # fmt: skip
        middle, most, nearly = np.percentile(good, [50, 95, 99])
        spread = (
            f"median {middle:.1f}, 95 % {most:.1f}, 99 % {nearly:.1f}, longest {good.max():.1f}"
        )
        sizes = ", ".join(f"{size:.0f} after {n:,}" for n, size in self.memory)
        lines += [
            f"{total:,} requests in {self.took:.1f} s: {total / self.took:.0f} a second",
            f"good ones, ms: {spread}",
            f"images a batch: {share:.2f}",
            f"memory, MiB: {sizes}",
            f"{len(self.faults)} faults",
        ]
        return "\n".join([*lines, *self.faults[:20]])


def load(folder: Path, requests: int, clients: int, file: str | None = None) -> Found:
    """Start a server, send it requests, and return what came of them."""
    if file is None:
        file = str(folder / "model.keras")
        _save(file)
    images = _images(folder)
    found = Found()
    with _server(file) as process:
        expected = _expected(file, folder, images)  # while it starts
        port = _port(process)
        kinds = _kinds(port, images, expected)
        _send_all(kinds, requests, clients, process.pid, found)
        found.health = _asked(port, "GET", "/health")[1]
        if found.health["waiting"]:
            found.faults.append(f"{found.health['waiting']} images still have a place")
        process.send_signal(signal.SIGTERM)
        if (code := process.wait(60)) != 130:
            found.faults.append(f"the server ended with {code}; expected 130")
    grown = found.memory[-1][1] - found.memory[1][1]
    if grown > _GROWN:
        found.faults.append(f"the memory grew by {grown:.0f} MiB")
    return found


def _send_all(
    kinds: dict[str, Callable[[random.Random], str | None]],
    requests: int,
    clients: int,
    server: int,
    found: Found,
) -> None:
    lock, marks = threading.Lock(), {requests // 5, requests}

    def one(number: int) -> None:
        draw = random.Random(number)
        kind = draw.choice([name for name in kinds if _is_good(name)])
        if draw.random() < 0.3:
            kind = draw.choice([name for name in kinds if not _is_good(name)])
        began = time.monotonic()
        try:
            status, wrong = kinds[kind](draw)
        except Exception as error:
            status, wrong = None, f"lost: {type(error).__name__}: {error}"
        with lock:
            found.counts[kind, status] += 1
            if wrong:
                found.faults.append(f"{kind}: {wrong}")
            elif _is_good(kind):
                found.seconds.append(time.monotonic() - began)
            if (done := sum(found.counts.values())) in marks:
                found.memory.append((done, _memory(server)))

    found.memory.append((0, _memory(server)))
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(requests)))
    found.took = time.monotonic() - began


def _is_good(kind: str) -> bool:
    return kind.startswith("good")


def _memory(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _images(folder: Path) -> dict[str, bytes]:
    """Return images of several kinds and sizes, by name."""
    draw = np.random.default_rng(0)
    found = {}
    for number, (kind, size) in enumerate(
        [("JPEG", (640, 480)), ("PNG", (200, 150)), ("WEBP", (320, 240)), ("GIF", (64, 64)),
         ("JPEG", (1600, 1200)), ("BMP", (100, 100)), ("TIFF", (80, 60)), ("JPEG", (33, 70))]
    ):  # fmt: skip
        small = draw.integers(0, 256, (6, 8, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(file, kind)
        found[f"{number}.{kind.lower()}"] = file.getvalue()
    for name, contents in found.items():
        (folder / name).write_bytes(contents)
    return found


def _expected(file: str, folder: Path, images: dict[str, bytes]) -> dict[str, dict[str, float]]:
    """Return what ``keras-convnets predict`` prints for images: probabilities by class."""
    from keras_convnets import cli

    paths = [str(folder / name) for name in images]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = cli.main(["predict", file, *paths, "--format", "json", "--top", "9"])
    if code:
        raise SystemExit(code)
    return {
        Path(one["image"]).name: {guess["class"]: guess["probability"] for guess in one["top"]}
        for one in json.loads(printed.getvalue())["images"]
    }


def _save(file: str) -> None:
    """Save a small network."""
    import keras

    from keras_convnets import create_model
    from keras_convnets.images.preprocessing import Preprocessing
    from keras_convnets.known import Known, remember

    keras.utils.set_random_seed(0)
    model = create_model("cifar_resnet_20", (3, 32, 32), 10)
    prepared = Preprocessing(3, 32, 32, mean=(0.5,) * 3, std=(0.25,) * 3, resize="crop")
    remember(model, Known(preprocessing=prepared.to_config()))
    model.save(file)


@contextlib.contextmanager
def _server(file: str) -> Iterator[subprocess.Popen[str]]:
    command = [*_COMMAND, "serve", file, "--port", "0", "--max-bytes", str(MOST_BYTES)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[str]) -> int:
    """Return the port of a server, once it is ready."""
    assert process.stdout is not None
    return int(process.stdout.readline().split("http://127.0.0.1:")[1].split()[0])


def _asked(port: int, method: str, path: str, body: Any = None, kind: str = "") -> Answer:
    """Return the status and the JSON of an answer; try again as long as the queue is full."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            value = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 503:
            return answer.status, value
        time.sleep(float(answer.headers["Retry-After"]))


def _form(files: dict[str, bytes]) -> bytes:
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="i"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), contents)
        for name, contents in files.items()
    )
    return parts + b"--x--\r\n"


def _kinds(port: int, images: dict[str, bytes], expected: dict[str, dict[str, float]]) -> Any:
    """Return the kinds of requests: functions that return a status and what is wrong, if any."""
    return {**_good_kinds(port, images, expected), **_bad_kinds(port, images["0.jpeg"])}


def _good_kinds(port: int, images: dict[str, bytes], expected: Any) -> Any:
    names = sorted(images)

    def checked(answer: Answer, asked: list[str]) -> tuple[int | None, str | None]:
        status, found = answer
        if status != 200:
            return status, f"{status} {found}"
        for name, one in zip(asked, found["images"], strict=True):
            shares = {guess["class"]: guess["probability"] for guess in one["top"]}
            wanted = {label: expected[name].get(label, -1) for label in shares}
            if any(abs(shares[label] - wanted[label]) > _NEAR for label in shares):
                return status, f"{name}: {shares}; expected {wanted}"
        return status, None

    def several(draw: random.Random) -> Any:
        asked = draw.sample(names, draw.randint(1, 4))
        body = _form({name: images[name] for name in asked})
        return checked(_asked(port, "POST", "/predict?top=5", body, _FORM), asked)

    def raw(draw: random.Random) -> Any:
        name = draw.choice(names)
        answer = _asked(port, "POST", "/predict", images[name], "application/octet-stream")
        return checked(answer, [name])

    def text(draw: random.Random) -> Any:
        name = draw.choice(names)
        body = json.dumps({"images": [base64.b64encode(images[name]).decode()]})
        return checked(_asked(port, "POST", "/predict", body, "application/json"), [name])

    return {"good, in a form": several, "good, its bytes": raw, "good, base64": text}


def _bad_kinds(port: int, whole: bytes) -> Any:
    png = "image/png"

    def refused(status: int, *what: Any) -> Callable[[random.Random], Any]:
        def ask(_: random.Random) -> Any:
            found = _asked(port, *what)
            is_right = found[0] == status and found[1]["status"] == status
            return found[0], None if is_right else f"{found}; expected {status}"

        return ask

    def leaves(sent: int) -> Callable[[random.Random], Any]:
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"

        def leave(_: random.Random) -> Any:
            with socket.create_connection(("127.0.0.1", port), 20) as stream:
                length = f"Content-Length: {len(whole)}\r\n\r\n"
                stream.sendall(f"{head}{length}".encode() + whole[:sent])
            return None, None

        return leave

    return {
        "bomb": refused(413, "POST", "/predict", _bomb(), png),
        "cut off": refused(422, "POST", "/predict", whole[: len(whole) // 2], "image/jpeg"),
        "no image": refused(415, "POST", "/predict", b"<html></html>", png),
        "of no kind": refused(415, "POST", "/predict", whole, "text/plain"),
        "too large": refused(413, "POST", "/predict", bytes(MOST_BYTES + 1), png),
        "no JSON": refused(400, "POST", "/predict", b'{"images": [', "application/json"),
        "no form": refused(400, "POST", "/predict", whole, _FORM),
        "no address": refused(404, "GET", "/nothing"),
        "no method": refused(405, "DELETE", "/predict"),
        "leaves in the body": leaves(1000),
        "leaves after it": leaves(len(whole)),
    }


def _bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(10_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
