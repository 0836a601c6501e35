"""Names of any bytes, wherever a name appears: in data, on the console, in figures and files."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
from PIL import Image

from hostile_tries.forks import Fault
from hostile_tries.nasty import FILES, TEXTS, check_cells, check_seen
from hostile_tries.trying import Count, Try, command

_CLASSES = 20  # classes at once, of which a confusion matrix shows all names and numbers


def tries(place: Path) -> Iterator[Try]:
    """Yield a try of all names for each place in which a name appears."""
    for name, run in {
        "text for people": lambda: _each(TEXTS, _printed),
        "tables, Markdown, CSV and JSON": lambda: _each(TEXTS, _in_tables),
        "the console": lambda: _each(TEXTS, _on_console),
        "the title of curves": lambda: _each(TEXTS[::2], _curves),
        "confusion figures": lambda: _several(_confusion),
        "reports": lambda: _several(_report),
        "layers in figures and costs": lambda: _several(_layers),
        "models": lambda: _each(TEXTS[::3], _model_name),
        "classes, files and what is left out": lambda: _folder(place / "all"),
        "roots": lambda: _each(FILES[::2], _root, place / "roots"),
        "the folder of a run": lambda: _each(FILES[1::2], _out, place / "outs"),
        "the served page": lambda: _several(_served),
        "images to predict": lambda: _predicted(place / "images"),
        "a default folder": lambda: _each(FILES, _default_folder),
    }.items():
        yield Try(name, run, seconds=120)
    for option in _REFUSALS:
        for bytes_ in FILES[:: 16 if option in ("plot", "benchmark", "serve") else 7]:
            yield Try(f"{option} {bytes_!r:.60}", lambda o=option, b=bytes_: _refusal(o, b, place))
    yield Try("a whole run, resumed and used", lambda: _whole(place / "whole"), seconds=180)


def _each(names: Iterable[Any], check: Callable[..., None], *arguments: Any) -> Count:
    """Check each name alone; a warning is a fault, too."""
    counts = {"worked": 0, "refused": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in names:
            try:
                check(name, *arguments)
                counts["worked"] += 1
            except ValueError as error:
                if not str(error).startswith(("name:", "run:", "out:")):
                    raise Fault(f"{name!r:.200}: {error}") from error
                counts["refused"] += 1
            except Exception as error:
                raise Fault(f"{name!r:.200}: {type(error).__name__}: {error}") from error
    return counts


def _several(check: Callable[[tuple[str, ...]], None]) -> Count:
    for start in range(0, len(TEXTS), _CLASSES):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check(TEXTS[start : start + _CLASSES])
    return {"worked": len(TEXTS)}


def _printed(name: str) -> None:
    from keras_convnets.printable import csv_cell, one_line, printable, to_json

    for text in (printable(name), one_line(name), csv_cell(name)):
        check_seen(text, lines=False)
    if printable(printable(name)) != printable(name):
        raise Fault(f"{name!r} is escaped twice")
    check_seen(to_json({name: [name]}))
    if json.loads(to_json({name: [name]})) != {name: [name]}:
        raise Fault(f"{name!r} is lost in JSON")


def _in_tables(name: str) -> None:
    from keras_convnets.analysis.tables import Column, Table

    column = Column("name", "name"), Column("count", "count", is_number=True)
    table = Table(column, ((name, -1), ("other", 2)), (f"a note of {name}, and more",))
    _check_table(table, 2)
    if table.to_dict()["rows"][0]["name"] != name:
        raise Fault(f"{name!r} is another one in data")


def _check_table(table: Any, rows: int) -> None:
    for text in (table.to_text(), table.to_markdown(), table.to_csv()):
        check_seen(text)
    lines = table.to_csv().splitlines()
    data = [line for line in lines if not line.startswith("#")]
    if len(data) != rows + 1:
        raise Fault(f"{len(data)} rows: {lines!r:.500}")
    for separator in ",;":
        check_cells(list(csv.reader(lines, delimiter=separator)))


def _on_console(name: str) -> None:
    from rich.console import Console

    from keras_convnets.printable import print_line, printable

    for encoding in ("utf-8", "ascii", "latin-1"):
        written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        console = Console(file=written, force_terminal=True, width=20, color_system="truecolor")
        print_line(console, name)
        written.flush()
        shown = written.buffer.getvalue().decode(encoding)
        check_seen(shown)
        if shown.count("\n") != 1 or (encoding == "utf-8" and shown[:-1] != printable(name)):
            raise Fault(f"{name!r} is shown as {shown!r}")


def _curves(name: str) -> None:
    from keras_convnets.training.report.curves import plot_curves

    plot_curves({"loss": [2.0, 1.0], "accuracy": [0.1, 0.5]}, "curves.svg", f"{name} on {name}")
    check_seen(Path("curves.svg").read_text(encoding="utf-8"))
    minidom.parse("curves.svg")


def _matrix(names: Sequence[str]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 9, (len(names), len(names)))


def _confusion(names: tuple[str, ...]) -> None:
    from keras_convnets.training.report.confusion_figure import confusion_figure

    drawn = confusion_figure(_matrix(names), names)
    check_seen(drawn)
    minidom.parseString(drawn.encode("utf-8"))


def _tested(names: Sequence[str]) -> tuple[Any, Any, Any]:
    """Return a small model, data of made-up images under these names, and an evaluation."""
    import dataclasses

    from keras_convnets import ResnetBuilder
    from keras_convnets.inference.evaluation import Evaluation
    from keras_convnets.training import Data

    count = 4 * len(names)
    labels = np.arange(count) % len(names)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 8, 8, 1), np.uint8)
    data = Data.from_arrays(images, labels, images, labels, class_names=names, name=names[0])
    test = dataclasses.replace(data.test, describe=lambda n: f"{names[0]}/{names[n % len(names)]}")
    lines = tuple(f"{name}: no image" for name in names)
    data = dataclasses.replace(data, test=test, skipped=lines)
    probabilities = rng.random((count, len(names))).astype("float32")
    model = ResnetBuilder.build(data.image_shape, len(names), "basic_block", (1,))
    return model, data, Evaluation(labels, probabilities / probabilities.sum(1, keepdims=True))


def _report(names: tuple[str, ...]) -> None:
    from keras_convnets.inference.by_class import by_class
    from keras_convnets.training import write_report

    model, data, evaluation = _tested(names)
    config = {"data": {name: name for name in names}, "note": list(names)}
    write_report("report", model, data, evaluation, {"loss": [1.0], "accuracy": [0.5]}, config)
    page = Path("report/report.html").read_text(encoding="utf-8")
    check_seen(page)
    if page.count("<script") or "alert(1)<" in page or "49" in page.split("<main>")[0]:
        raise Fault("the page has a script or a template of a name")
    _check_table(by_class(evaluation, names, names[0]), len(names))


def _served(names: tuple[str, ...]) -> None:
    """Draw the page of a server whose network and classes have nasty names."""
    from keras_convnets.analysis import pages
    from keras_convnets.inference.outputs import Outputs
    from keras_convnets.shipping.serve.limits import Limits
    from keras_convnets.shipping.serve.served import Served
    from keras_convnets.shipping.serve.service import Service
    from keras_convnets.shipping.serve.web import facts

    served = Served(
        *(names[0], names[1], None, names, Outputs("softmax", len(names)), (8, 8, 3), "float32"),
        *(lambda name, contents: None, lambda batch: batch),
    )
    words = facts.words(Service(served, Limits()))
    for template in ("page.html", "docs.html"):
        page = pages.render(
            "keras_convnets.shipping.serve", template, operations=[], base=names[2], **words
        )
        check_seen(page)
        if page.count("<script") != page.count("page.js") or "alert(1)<" in page:
            raise Fault("the page has a script of a name")


def _layers(names: tuple[str, ...]) -> None:
    import keras

    from keras_convnets import cost, plot_model

    with keras.StatelessScope(initialize_variables=False):
        inputs = keras.Input((8, 8, 3), name="in")
        x = inputs
        for name in dict.fromkeys(name.replace("/", "|") for name in names):
            x = keras.layers.Activation("relu", name=name)(x)
        model = keras.Model(inputs, keras.layers.Flatten(name="flat")(x), name="m")
    for detail in ("block", "layer"):
        for suffix in ("svg", "dot", "html"):
            plot_model(model, f"model.{suffix}", detail=detail, title=names[0])
            check_seen(Path(f"model.{suffix}").read_text(encoding="utf-8").replace("\t", " "))
        plot_model(model, "model.svg", detail=detail, title=names[0])
        minidom.parse("model.svg")
    found = cost(model)
    for text in (found.to_text("layer"), found.to_markdown("layer"), found.to_csv("layer")):
        check_seen(text)


def _model_name(name: str) -> None:
    from keras_convnets import ResnetBuilder, checks, cost, plot_model

    checks.model_name(name)
    model = ResnetBuilder.build((1, 8, 8), 2, "basic_block", (1,), name=name)
    plot_model(model, "model.svg")
    minidom.parse("model.svg")
    check_seen(cost(model).to_text())


def _image(path: str | bytes, number: int = 0) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (9, 9, 3), np.uint8)
    with open(path, "wb") as file:
        Image.fromarray(pixels).save(file, "PNG")


def _folder(root: Path) -> Count:
    """All names as classes, and all names as files and as what is left out in them."""
    from keras_convnets.training import load_data

    place = os.fsencode(root)
    classes = [name for name in FILES if not name.startswith(b".")]
    for number, name in enumerate(classes):
        for other in (classes[number], classes[number - 1], classes[number - 2]):
            _image(b"/".join((place, name, other[:251] + b".png")), number)
        with open(b"/".join((place, name, name[:251] + b".txt")), "wb"):
            pass
    data = load_data(f"folder:{root}", image_size=8)
    if data.class_names != tuple(sorted(map(os.fsdecode, classes))):
        raise Fault("other classes")
    paths = [part.describe(n) for part in (data.train, data.test) for n in range(len(part))]
    if len(set(paths)) != 3 * len(classes) or not all((root.parent / p).is_file() for p in paths):
        raise Fault("other files")
    if len(set(data.skipped)) != len(classes):
        raise Fault("other files are left out")
    again = load_data(**json.loads(json.dumps(dict(data.arguments))))
    if again.class_names != data.class_names or again.skipped != data.skipped:
        raise Fault("the data are others when they are loaded again")
    return {"worked": 5 * len(classes)}


def _root(name: bytes, place: Path) -> None:
    from keras_convnets.training import load_data

    root = os.path.join(os.fsencode(place), name)
    for path in (b"a/0.png", b"a/1.png", b"b/0.png", b"b/1.png"):
        _image(os.path.join(root, path))
    data = load_data(f"folder:{os.fsdecode(root)}", image_size=8)
    if data.name != os.fsdecode(name) or len(data.train) + len(data.test) != 4:
        raise Fault(f"{data.name!r} for {name!r}")
    again = load_data(**json.loads(json.dumps(dict(data.arguments))))
    if again.test.describe(0) != data.test.describe(0):
        raise Fault(f"{name!r} is another one when it is loaded again")


def _out(name: bytes, place: Path) -> None:
    """Write every file of a run, without its training, into a folder of this name."""
    from keras_convnets.training import run_folder
    from keras_convnets.training.report.curves import plot_curves
    from keras_convnets.training.run.tensorboard import TensorBoardLog

    folder = place / os.fsdecode(name)
    with run_folder.creating(folder) as lock:
        (lock.folder / "mark").write_text("x")
    lock.release()
    row = dict.fromkeys(run_folder.COLUMNS, 1.0)
    with TensorBoardLog(folder, {}) as log:
        log.epoch(1, row)
    run_folder.write_history(folder, {name: [value] for name, value in row.items()})
    plot_curves({"loss": [1.0]}, folder / run_folder.CURVES, os.fsdecode(name))
    if not list((folder / run_folder.LOGS).rglob("events*")) or not (folder / "mark").is_file():
        raise Fault(f"{name!r}: files are missing")


def _default_folder(name: bytes) -> None:
    from keras_convnets.training import run_folder

    folder = run_folder.default(os.fsdecode(name), f"folder:/x/{os.fsdecode(name)}")
    if len(os.fsencode(folder.name)) > 255:
        raise Fault(f"{folder.name!r} is too long")
    if folder.parent != Path("runs"):
        raise Fault(f"{folder!r} is elsewhere")


def _predicted(place: Path) -> Count:
    from keras_convnets import ResnetBuilder
    from keras_convnets.images.preprocessing import Preprocessing
    from keras_convnets.printable import to_json
    from keras_convnets.training import SavedRun, predict

    paths = [os.path.join(os.fsencode(place), name[:251] + b".png") for name in FILES]
    for path in paths:
        _image(path)
    paths = list(dict.fromkeys(paths))
    model = ResnetBuilder.build((3, 8, 8), len(TEXTS), "basic_block", (1,))
    run = SavedRun(place, model, Preprocessing(3, 8, 8), TEXTS, {})
    lost = [os.fsdecode(path) + ".none" for path in paths]
    found = predict(run, [*map(os.fsdecode, paths), *lost])
    check_seen(found.table(len(TEXTS)).to_text())
    data = json.loads(to_json(found.to_dict(3)))
    if [os.fsencode(image["image"]) for image in data["images"]] != paths:
        raise Fault("other files in JSON")
    said = zip(data["refused"], lost, strict=True)
    if not all(line.startswith(f"{path}: ") for line, path in said):
        raise Fault("other files are refused")
    return {"worked": len(paths), "refused": len(lost)}


_REFUSALS: dict[str, Callable[[bytes, bytes], tuple[bytes, ...]]] = {
    "predict": lambda name, path: (b"predict", path, b"--", path),
    "train": lambda name, path: (b"train", b"--data", b"folder:" + path, b"--out=" + path),
    "evaluate": lambda name, path: (b"evaluate", b"--data=" + name, b"--", path),
    "plot": lambda name, path: (b"plot", b"lenet_5", b"--title=" + name, path + b".svg"),
    "wrong": lambda name, path: (b"train", b"--recipe=" + name),
    "export": lambda name, path: (b"export", b"--", path, name + b".onnx"),
    "benchmark": lambda name, path: (b"benchmark", b"--engines=" + name, b"--", path),
    "serve": lambda name, path: (b"serve", b"--port=0", b"--host=" + name, b"--", path),
}


def _refusal(option: str, name: bytes, place: Path) -> str:
    """Name what is not there, and look at the line of the error."""
    ended = command(*_REFUSALS[option](name, os.path.join(os.fsencode(place), b"none", name)))
    check_seen(ended.out + ended.err)
    if ended.code != 2 or ended.err.count("\n") != 1:
        raise Fault(f"exit code {ended.code}: {ended.out}{ended.err}")
    return "refused"


def _whole(place: Path) -> str:
    """Train, stop, resume, evaluate, predict and fine-tune where every name is a nasty one."""
    place.mkdir()
    root, out = b"root\xe9 [x] :smile:", b"out\xe9\n[copy]$x$"
    for name in FILES[:8]:
        for other in FILES[:2]:
            _image(b"/".join((os.fsencode(place), root, name, other + b".png")), len(name))
    with open(b"/".join((os.fsencode(place), root, FILES[0], b"no\xff[red].txt")), "wb"):
        pass
    data = (b"--data", b"folder:" + root, b"--image-size", b"32", b"--batch-size", b"4")
    train = (b"train", b"--model", b"lenet_5", *data, b"--epochs", b"2", b"--out", out)
    printed = [_done(place, *train, prepare=_stopped, code=130)]
    printed.append(_done(place, b"train", b"--resume", out))
    for form in (b"table", b"csv", b"md", b"json"):
        printed.append(_done(place, b"evaluate", out, b"--format", form))
    if len({row["class"] for row in json.loads(printed[-1])["classes"]}) != 8:
        raise Fault("classes are lost in JSON")
    image = b"/".join((root, FILES[1], FILES[0] + b".png"))
    printed.append(_done(place, b"predict", out, image, b"--format", b"json"))
    if os.fsencode(json.loads(printed[-1])["images"][0]["image"]) != image:
        raise Fault("another file in JSON")
    tuned = (b"train", b"--fine-tune", out, *data, b"--epochs", b"1", b"--out=-\xff ")
    printed.append(_done(place, *tuned))
    for text in printed:
        check_seen(text)
    shutil.rmtree(place)
    return "worked"


def _stopped() -> None:
    """Press Ctrl-C after the first epoch."""
    from keras_convnets.training.run.progress import ConsoleProgress

    told = ConsoleProgress.epoch_done

    def stop(self: Any, *arguments: Any) -> None:
        told(self, *arguments)
        raise KeyboardInterrupt

    ConsoleProgress.epoch_done = stop  # type: ignore[method-assign]


def _done(place: Path, *arguments: bytes, code: int = 0, **how: Any) -> str:
    ended = command(*arguments, cwd=place, **how)
    if ended.code != code:
        raise Fault(f"{arguments!r}: exit code {ended.code}: {ended.out}{ended.err}")
    return ended.out + ended.err
