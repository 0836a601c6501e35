"""Engines side by side: how fast they run a model here, and what memory and disk they take."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_convnets import checks, files
from keras_convnets.received import path as as_path
from keras_convnets.received import shown
from keras_convnets.shipping.benchmark import ways
from keras_convnets.shipping.benchmark.exported import of_path
from keras_convnets.shipping.benchmark.machine import settled, this_machine
from keras_convnets.shipping.benchmark.measuring import measured, memories
from keras_convnets.shipping.benchmark.preparing import Prepared, Wanted, of_model
from keras_convnets.shipping.benchmark.result import Benchmark
from keras_convnets.shipping.engines.kinds import PRECISIONS
from keras_convnets.typed import typed


@typed
def benchmark(
    models: Any,
    engines: Sequence[str] | None = None,
    batches: Sequence[int] = (1,),
    precisions: Sequence[str] = ("float32",),
    *,
    input_shape: Sequence[int] | None = None,
    threads: int | None = None,
    seconds: float = 3.0,
    memory: bool = True,
    tell: Callable[[str], None] | None = None,
) -> Benchmark:
    """Measure engines side by side: the time of a batch, memory, and the size of the file.

    A model is run by Keras (``predict``), by a compiled TensorFlow function, by one that XLA
    compiles and one whose batch normalisations are folded, and it is exported, folded, for each
    other runtime that is installed. An exported file is run by its own runtime as it is. All have
    the same images, which are noise, and the same number of threads. They take turns, so that
    whatever else the machine does slows each of them, and they are warm when they are timed.
    Whether they say the same is measured too.

    Args:
        models: a model, the path of an exported file (.onnx, .tflite, .xml, the folder of a
            SavedModel), a list of these, or a dictionary from names to these.
        engines: which: ``"predict"``, ``"compiled"``, ``"xla"``, ``"folded"``, ``"onnx"``,
            ``"litert"``, ``"openvino"``, ``"saved_model"``. By default all that are installed but
            the last, which computes what ``"folded"`` does. Times are compared with the first.
        batches: how many images each takes at once; several are measured one after the other.
        precisions: those that models are exported in: ``"float32"``, ``"float16"``, ``"bfloat16"``,
            ``"int8"``. Integers are calibrated by noise, which is enough to measure their speed.
        input_shape: ``(channels, rows, cols)`` of the images, for models that leave sizes open.
        threads: how many each engine may use; by default as many as TensorFlow was told to use, or
            as there are processors. TensorFlow cannot change it once it has computed something.
        seconds: how long each engine is timed for each number of images.
        memory: whether the memory of each engine is measured, each in a process of its own, which
            takes some seconds more. It is known on Linux only.
        tell: a function that is told, in a line, what is being done.

    Returns:
        A [`Benchmark`][keras_convnets.shipping.benchmark.result.Benchmark]. Printed, it is a table;
        what cannot run a model is a line below it.

    Raises:
        ValueError: something is not as above, an engine is not installed, none can run the models,
            or a batch does not fit into memory.

    Examples:
        >>> from keras_convnets import create_model
        >>> from keras_convnets.shipping.benchmark.benchmark import benchmark
        >>> model = create_model("lenet_5")
        >>> found = benchmark(model, ["predict", "compiled"], seconds=0.01, memory=False)
        >>> [(row.engine, row.agreement) for row in found.measurements]
        [('predict', 1.0), ('compiled', 1.0)]
    """
    checks.positive_number("seconds", seconds, "how long each engine is timed, such as 3")
    given, chosen = _by_name(models), ways.chosen(engines)
    images = _once_each("batches", checks.positive_integers("batches", batches, "(1, 8)"))
    exact = _once_each(
        "precisions", [checks.choice("precisions", p, PRECISIONS) for p in precisions]
    )
    number = settled(threads)
    begun = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="benchmark.") as folder:
        say = tell or _say_nothing
        wanted = Wanted(chosen, exact, images, input_shape, number, Path(folder), say)
        prepared = _prepared(given, wanted)
        peaks = memories(prepared, wanted) if memory else {}
        rows = measured(prepared, wanted, seconds, peaks)
    if not rows:
        reasons = "; ".join(one.words for one in prepared.left_out)
        raise ValueError(f"engines: none can run what was given ({reasons}). Choose others.")
    return Benchmark(
        tuple(rows), tuple(prepared.left_out), this_machine(number), begun, tuple(prepared.notes)
    )


def _say_nothing(_: str) -> None:
    return None


def _by_name(models: Any) -> dict[str, Any]:
    """Return models and paths by name; a model has one, and a path is one."""
    if isinstance(models, Mapping):
        named = [(str(name), one) for name, one in models.items()]
    else:
        one = isinstance(models, str | os.PathLike) or hasattr(models, "inputs")
        listed = [models] if one else checks.items("models", models)
        named = [(_name(each), each) for each in listed]
    if not named:
        raise ValueError("models: received none; expected one or more. Pass a model.")
    found = dict(named)
    if len(found) < len(named):
        names = [name for name, _ in named]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"models: received {shown(twice)} twice; expected each once. Leave one out, or pass a "
            "dictionary with names of your own."
        )
    return found


def _name(model: Any) -> str:
    return os.fspath(model) if isinstance(model, str | os.PathLike) else model.name


def _once_each(what: str, values: Sequence[Any]) -> tuple[Any, ...]:
    if not values or len(set(values)) < len(values):
        raise ValueError(
            f"{what}: received {shown(list(values))}; expected one or more, each once. Pass these."
        )
    return tuple(values)


def _prepared(given: Mapping[str, Any], wanted: Wanted) -> Prepared:
    """Return all models and files in their engines."""
    all_of_them = Prepared()
    for number, (name, one) in enumerate(given.items()):
        if isinstance(one, str | os.PathLike):
            path = as_path(one)
            if path is None:
                raise ValueError(f"models: received {shown(one)}; expected a path. Pass one.")
            wanted.tell(f"opening {files.shown(path)}")
            all_of_them.contenders.append(of_path(name, path, wanted))
        else:
            all_of_them.add(of_model(name, one, wanted.within(str(number))))
    return all_of_them
