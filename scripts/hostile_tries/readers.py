"""Files that are made to do harm, one for each way that is known; honest files must be read."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile_tries.forks import Fault, contained
from hostile_tries.fuzz import honest
from hostile_tries.fuzz.fuzzing import CANARY
from hostile_tries.fuzz.pickled import harmful
from hostile_tries.fuzz.zipped import members, zipped
from hostile_tries.trying import REFUSED, WORKED, Try, refused, refused_command, refused_or_worked

_GIGABYTE = 1 << 30


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    contained(lambda: honest.write(place / "honest"))
    files = [*_data(place), *_checkpoints(place), *_models(place)]
    for number, (name, file, contents, read) in enumerate(files):
        folder = place / f"file {number}"
        # A network of convolutions may be built for images of any size.
        judge = refused_or_worked if name.startswith("images of") else refused
        run = _bounded(_refusal(folder, file, contents, read, judge))
        yield Try(f"{file}: {name}", run)
    yield from _honest(place)
    yield from _specials(place)


def _bounded(run: Callable[[], str]) -> Callable[[], str]:
    return lambda: contained(run, memory=2 * _GIGABYTE)


def _refusal(
    folder: Path, file: str, contents: Any, read: Any, judge: Callable[..., str]
) -> Callable[[], str]:
    def run() -> str:
        folder.mkdir()
        os.chdir(folder)
        made = contents() if callable(contents) else contents
        if made is not None:
            (folder / file).write_bytes(made)
        result = judge(read, folder / file)
        if (folder / CANARY).exists():
            raise Fault("the file was executed")
        return result

    return run


def _data(place: Path) -> Iterator[tuple[str, str, Any, Any]]:
    def read(name: str) -> Any:
        from keras_convnets.training.data.keras_datasets import load

        return lambda file: load(name, _with_the_others(file, place))

    for number, pickled in enumerate(harmful()):
        yield f"harmful pickle {number}", "test_batch", pickled, read("cifar10")
    archive, cifar = "cifar-10-python.tar.gz", read("cifar10")
    yield "zeros without end", archive, lambda: _zeros(3), cifar
    yield "a member of 8 exabytes", archive, gzip.compress(_tar_of(2**63 - 1)), cifar
    yield "a sparse member of 8 exabytes", archive, gzip.compress(_sparse()), cifar
    yield "a long name of 1 GB", archive, lambda: _long_name(), cifar
    idx, fashion = "train-images-idx3-ubyte.gz", read("fashion_mnist")
    yield "zeros without end", idx, lambda: _zeros(3), fashion
    yield "2**40 images", idx, gzip.compress(struct.pack(">i3i", 0x803, 2**30, 2**10, 1)), fashion
    yield "255 axes", idx, gzip.compress(b"\0\0\x08\xff" + b"\0\0\0\1" * 255), fashion
    mnist = read("mnist")
    for name, contents in _npz():
        yield name, "mnist.npz", contents, mnist


def _with_the_others(file: Path, place: Path) -> Path:
    """Put the honest files of its data set beside a file, and return the folder."""
    for folder in ("batches", "archive", "fashion", "mnist"):
        others = list((place / "honest" / folder).iterdir())
        if file.name in [other.name for other in others]:
            for other in others:
                if other.name != file.name:
                    (file.parent / other.name).write_bytes(other.read_bytes())
    return file.parent


def _zeros(gigabytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as stream:
        for _ in range(gigabytes << 4):
            stream.write(bytes(1 << 26))
    return packed.getvalue()


def _tar_of(size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(f"{honest.CIFAR}/data_batch_1")
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def _sparse() -> bytes:
    header = bytearray(_tar_of(0, tarfile.GNUTYPE_SPARSE))
    header[483:495] = b"\x80" + (2**62).to_bytes(11, "big")  # the size when unpacked
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    return bytes(header) + bytes(1024)


def _long_name() -> bytes:
    header = _tar_of(1 << 30, tarfile.GNUTYPE_LONGNAME)
    return gzip.compress(header) + _zeros(1)


def _npz() -> Iterator[tuple[str, Any]]:
    def of(*files: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
        others = {"x_test": np.zeros((1, 28, 28), np.uint8), "y_test": np.zeros(1, np.uint8)}
        others |= {"y_train": np.zeros(1, np.uint8)}
        rest = [(f"{name}.npy", _npy(array)) for name, array in others.items()]
        return zipped([*files, *rest], method)

    header = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}".format
    for code, shape in (("|u1", "(1099511627776,)"), ("|O", "(1,)"), ("|u1", "(-8,)")):
        yield f"{shape} of {code}", of(("x_train.npy", _with_header(header(code, shape), b"A" * 8)))
    yield "code as a header", of(("x_train.npy", _with_header(f"open({CANARY!r}, 'w')", b"")))
    yield "deep brackets as a header", of(("x_train.npy", _with_header("(" * 60_000, b"")))
    yield "an array of objects", of(("x_train.npy", _pickled_npy()))
    huge = _with_header(header("|u1", f"({3 << 30},)"), b"")
    yield "a member of 3 GB", lambda: _inflating("x_train.npy", huge, 3)
    yield "a member outside", of(("../x_train.npy", b""))
    yield "a method of compression that inflates unbounded", of(method=zipfile.ZIP_BZIP2)


def _npy(array: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def _pickled_npy() -> bytes:
    class Harm:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {CANARY}",)

    return _npy(np.array([Harm()], object))


def _with_header(header: str, data: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def _inflating(name: str, start: bytes, gigabytes: int, others: Any = ()) -> bytes:
    """Return an archive with a member that inflates to gigabytes of zeros."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, contents in others:
            archive.writestr(other, contents)
        with archive.open(name, "w", force_zip64=True) as stream:
            stream.write(start)
            for _ in range(gigabytes << 4):
                stream.write(bytes(1 << 26))
    return written.getvalue()


def _checkpoints(place: Path) -> Iterator[tuple[str, str, Any, Any]]:
    def read(file: Path) -> Any:
        from keras_convnets.training.run import checkpoint

        return checkpoint.read(file)

    whole = (place / "honest" / "checkpoint" / "checkpoint.npz").read_bytes()
    files = members(whole)
    text = np.frombuffer(files["position.npy"], np.uint8).tobytes()
    for name, position in {
        "deep position": b"[" * 100_000,
        "a deep value": text[text.index(b'{"') :].replace(b"1.25", b"[" * 100_000),
        "a position of letters": b'{"epoch": "2", "step": 1, "history": {}}',
        "an epoch that is true": b'{"epoch": true, "step": 1, "history": {}}',
        "a negative step": b'{"epoch": 0, "step": -1, "history": {}}',
        "a history of other epochs": b'{"epoch": 3, "step": 1, "history": {"loss": [1.0]}}',
        "an unknown key": b'{"epoch": 0, "step": 1, "history": {}, "more": 1}',
        "a huge integer": b'{"epoch": ' + b"9" * 100_000 + b', "step": 1, "history": {}}',
    }.items():
        array = _npy(np.frombuffer(position, np.uint8))
        yield name, "checkpoint.npz", zipped([*(files | {"position.npy": array}).items()]), read
    flipped = bytearray(whole)
    flipped[whole.index(files["00000 conv1_conv/kernel.npy"]) + 140] ^= 1
    yield "one bit of a weight", "checkpoint.npz", bytes(flipped), read
    for name, contents in _npz():
        yield name, "checkpoint.npz", contents, read


def _models(place: Path) -> Iterator[tuple[str, str, Any, Any]]:
    from hostile_tries.fuzz.harmful_models import harmful_models

    def read(file: Path) -> Any:
        from keras_convnets.saved_models import load_model

        return load_model(file)

    for ending in ("keras", "h5"):
        whole = (place / "honest" / ending / f"model.{ending}").read_bytes()
        for name, contents in harmful_models(ending, whole):
            yield name, f"model.{ending}", contents, read
    files = members((place / "honest" / "keras" / "model.keras").read_bytes())
    bomb = [(name, contents) for name, contents in files.items() if name != "config.json"]
    yield (
        "a configuration of 1 GB",
        "model.keras",
        lambda: _inflating("config.json", b"", 1, bomb),
        read,
    )
    bomb = [(name, contents) for name, contents in files.items() if not name.endswith(".h5")]
    weights = lambda: _inflating("model.weights.h5", b"", 3, bomb)  # noqa: E731
    yield "weights of 3 GB", "model.keras", weights, read


def _honest(place: Path) -> Iterator[Try]:
    def worked(read: Callable[[], Any]) -> Callable[[], str]:
        def run() -> str:
            read()
            return WORKED

        return run

    def deep(depth: int) -> Any:
        import keras

        from keras_convnets.saved_models import load_model

        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        for _ in range(depth):
            inputs = keras.Input((2,))
            model = keras.Model(inputs, model(inputs))
        model.save("deep.keras")
        found = load_model("deep.keras")
        if not all(map(np.array_equal, model.get_weights(), found.get_weights())):
            raise Fault("other weights")

    def long(length: int) -> Any:
        import keras

        from keras_convnets.recursion import room_for
        from keras_convnets.saved_models import load_model

        inputs = outputs = keras.Input((2,))
        for _ in range(length):
            outputs = keras.layers.ReLU()(outputs)
        with room_for(length):
            keras.Model(inputs, outputs).save("long.keras")
        if len(load_model("long.keras").layers) != length + 1:
            raise Fault("other layers")

    yield Try("honest: models within models, 30 deep", worked(lambda: deep(30)))
    yield Try("honest: a chain of 1,500 layers", worked(lambda: long(1500)))


def _specials(place: Path) -> Iterator[Try]:
    """Yield files that are none: pipes, devices, folders, links to themselves."""
    makers: dict[str, Callable[[Path], Any]] = {
        "a pipe": os.mkfifo,
        "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
        "a folder": Path.mkdir,
        "a link to itself": lambda path: path.symlink_to(path),
        "nothing": lambda path: None,
        "an empty file": Path.touch,
    }
    for number, (what, make) in enumerate(makers.items()):
        for file in ("special.keras", "special.h5", "checkpoint.npz"):
            yield Try(f"{what} as {file}", _special(place / f"special {number} {file}", file, make))


def _special(folder: Path, file: str, make: Callable[[Path], Any]) -> Callable[[], str]:
    def run() -> str:
        folder.mkdir()
        make(folder / file)
        if file.endswith("npz"):
            from keras_convnets.training.run import checkpoint

            return refused(checkpoint.read, folder / file)
        refused_command("summary", str(folder / file), says=file)
        return REFUSED

    return run
