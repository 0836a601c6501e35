"""More than the memory holds: refused before it is tried, or a line when it is exhausted."""

from __future__ import annotations

import functools
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import Fault, address_space
from hostile_tries.trying import REFUSED, SKIPPED, WORKED, Try, check_line, command, refused_command

_GB = 2**30
_MODELS = ("lenet_5", "vgg_16", "alexnet", "resnet_18", "nin", "densenet_121")
_SIZES = (20_000, 50_000, 100_000, 1_000_000)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    for model in _MODELS:
        for size in _SIZES:
            asked = ("--model", model, "--image-size", str(size))
            yield _refused_run(place, f"{model}, images of {size} pixels", *asked)
    for batch in (400, 1400):
        asked = ("--model", "vgg_16", "--image-size", "600", "--batch-size", str(batch))
        yield _refused_run(place, f"vgg_16, a batch of {batch}", *asked)
    for dry in ("lenet_5", "vgg_16"):
        asked = ("--model", dry, "--image-size", "9000", "--dry-run")
        yield _refused_run(place, f"{dry}, a dry run of 9,000 pixels", *asked)
    for stage, run in _STAGES.items():
        for name, raises in list(_ERRORS.items())[:: 3 if stage in _LATER else 1]:
            yield Try(f"{stage}, {name}", functools.partial(_exhausted, place, stage, run, raises))
    for batch in (96, 128):
        yield Try(f"a limit, a batch of {batch}", functools.partial(_limited, place, batch))


def _refused_run(place: Path, name: str, *asked: str) -> Try:
    def run() -> str:
        here = _empty(place)
        limit = functools.partial(_limit, 6 * _GB)
        found = refused_command("train", *asked, cwd=here, says="GB", prepare=limit)
        if os.listdir(here):
            raise Fault(f"left {os.listdir(here)}")
        return found

    return Try(name, run)


def _limit(more: int) -> None:
    most = address_space() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _empty(place: Path) -> Path:
    here = place / f"here{os.getpid()}"
    here.mkdir()
    os.chdir(here)
    return here


def _limited(place: Path, batch: int) -> str:
    """Train where the first step runs out of memory, or not."""
    here = _empty(place)
    asked = ("--model", "lenet_5", "--image-size", "512", "--steps", "2", "--out", "run")
    limit = functools.partial(_limit, 2 * _GB)
    try:
        ended = command("train", *asked, "--batch-size", str(batch), cwd=here, prepare=limit)
    except Fault as fault:
        if not str(fault).startswith("ended by signal"):
            raise
        return SKIPPED  # native code crashes where an allocation fails; the docs say so
    if ended.code == 0:
        return WORKED
    check_line(ended.err, f"{batch} images of 1 x 512 x 512")
    if ended.code != 2 or os.listdir(here):
        raise Fault(f"exit code {ended.code}, left {os.listdir(here)}")
    return REFUSED


def _tf_error(kind: str, text: str) -> Callable[[], Exception]:
    def error() -> Exception:
        import tensorflow as tf

        return getattr(tf.errors, kind)(None, None, text)

    return error


def _numpy() -> Exception:
    import numpy as np

    try:
        np.zeros((2**40, 2**18))
    except MemoryError as error:
        return error
    raise Fault("NumPy made an array of 2**58 values")


# As the BFC allocator, XLA, CUDA, cuDNN, oneDNN, NumPy, PyTorch and Python say it.
_ERRORS: dict[str, Callable[[], Exception]] = {
    "BFC": _tf_error(
        "ResourceExhaustedError",
        "Graph execution error:\n\nDetected at node resnet/conv (defined at <stdin>):\n\nOOM when "
        "allocating tensor with shape[256,64,112,112] and type float on /job:localhost/replica:0/"
        "task:0/device:GPU:0 by allocator GPU_0_bfc\n\t [[{{node resnet/conv}}]]\nHint: If",
    ),
    "XLA": _tf_error(
        "ResourceExhaustedError", "Out of memory while trying to allocate 12345678901 bytes."
    ),
    "CUDA": _tf_error(
        "InternalError", "Failed to allocate 512 bytes: CUDA_ERROR_OUT_OF_MEMORY: out of memory"
    ),
    "cuDNN": _tf_error("InternalError", "cuDNN launch failure: CUDNN_STATUS_ALLOC_FAILED"),
    "oneDNN": _tf_error(
        "AbortedError",
        "Operation received an exception:Status: 1, message: could not create a primitive, in file",
    ),
    "Python": MemoryError,
    "NumPy": _numpy,
    "C++": lambda: RuntimeError("std::bad_alloc"),
    "the system": lambda: OSError(12, "Cannot allocate memory"),
}


def _exhausted(
    place: Path, stage: str, run: Callable[[Callable[..., Any]], None], raises: Callable[[], Any]
) -> str:
    """Let the memory run out at a stage: a refusal, or after the first step a run that stops."""
    from keras_convnets.errors import RunStopped

    here = _empty(place)

    def exhausted(*arguments: Any, **named: Any) -> Any:
        raise raises()

    try:
        run(exhausted)
    except (ValueError, RunStopped) as error:
        check_line(str(error), "memory")
        begun = stage in _LATER
        if begun != isinstance(error, RunStopped):
            raise Fault(f"{type(error).__name__}: {error}") from error
        if os.listdir(here) != ["run"] * begun:
            raise Fault(f"left {os.listdir(here)}") from error
        if begun:
            from keras_convnets.training.run import checkpoint

            checkpoint.read(here / "run/checkpoint.npz")
        return REFUSED
    raise Fault("no error")


def _model_and_data() -> tuple[Any, Any]:
    import keras

    from keras_convnets.training import load_data

    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential(layers), load_data("digits", image_size=8)


def _train() -> None:
    from rich.console import Console

    from keras_convnets.training import RECIPES, train

    model, data = _model_and_data()
    recipe = RECIPES["quick"].replace(epochs=1, batch_size=256)
    train(model, data, "run", recipe, console=Console(quiet=True))


def _first_step(exhausted: Callable[..., Any]) -> None:
    import keras

    keras.Model.fit = exhausted
    _train()


def _later_step(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.training.run.step_callback import StepCallback

    stock = StepCallback.on_train_batch_end

    def step(self: Any, batch: int, logs: Any = None) -> None:
        stock(self, batch, logs)
        if batch == 2:
            exhausted()

    StepCallback.on_train_batch_end = step
    _train()


def _validation(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.training.run.validation import Validation

    Validation._compiled = lambda self, signature: exhausted
    _train()


def _final_evaluation(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.inference import evaluate

    evaluate.answers_of = exhausted
    _train()


def _report(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.training.run import results

    results.write_report = exhausted
    _train()


def _evaluate(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.inference import evaluate

    evaluate.answers_of = exhausted
    model, data = _model_and_data()
    evaluate.evaluate(model, data.test, data.preprocessing)


def _evaluate_own(exhausted: Callable[..., Any]) -> None:
    import tensorflow as tf

    from keras_convnets.inference import own_batches
    from keras_convnets.training import evaluate

    own_batches.answers_of = exhausted
    pairs = tf.zeros((4, 8, 8, 1)), tf.range(4)
    evaluate(_model_and_data()[0], tf.data.Dataset.from_tensor_slices(pairs).batch(2))


def _export(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.shipping.export import export

    export.write = exhausted
    export.export(_model_and_data()[0], "exported")


def _fold(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.shipping.export import export

    export.folded = exhausted
    export.export(_model_and_data()[0], "exported.onnx")


def _serve(exhausted: Callable[..., Any]) -> None:
    from keras_convnets.inference.compiled import Kept
    from keras_convnets.inference.trained import TrainedModel
    from keras_convnets.shipping.serve.served import of_classifier

    model, data = _model_and_data()
    run = TrainedModel(model, data.preprocessing, data.class_names)
    Kept.forward = lambda self: exhausted
    of_classifier(run, 2)


def _launch(patched: Callable[[Any, Callable[..., Any]], None], dry: bool = False) -> Any:
    def run(exhausted: Callable[..., Any]) -> None:
        from rich.console import Console

        from keras_convnets import create_model
        from keras_convnets.training import RunRequest
        from keras_convnets.training.run import launch

        patched(launch, exhausted)
        request = RunRequest("lenet_5", out=Path("run"))
        build = exhausted if patched is _nothing else create_model
        if dry:
            import keras

            keras.Model.train_on_batch = exhausted
            launch.plan_run(request, create_model)
        launch.launch(request, build, Console(quiet=True))

    return run


def _nothing(module: Any, exhausted: Callable[..., Any]) -> None:
    """Patch nothing."""


def _reading(module: Any, exhausted: Callable[..., Any]) -> None:
    from keras_convnets.training.run import start

    start.load_data = exhausted


_LATER = {
    "a later step": _later_step,
    "validation": _validation,
    "the last evaluation": _final_evaluation,
    "the report": _report,
}
_STAGES = {
    "reading": _launch(_reading),
    "building": _launch(_nothing),
    "a dry run": _launch(_nothing, dry=True),
    "the first step": _first_step,
    **_LATER,
    "evaluate": _evaluate,
    "evaluate own batches": _evaluate_own,
    "export": _export,
    "folding for an export": _fold,
    "serve": _serve,
}
