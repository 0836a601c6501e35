"""Models and images of every kind: refused before anything is trained, or proven right."""

from __future__ import annotations

import collections
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image
from rich.console import Console

from hostile_tries.forks import Fault
from hostile_tries.kinds import CLASSES, KINDS, SHAPE, USES
from hostile_tries.trying import REFUSED, WORKED, Count, Try, refused, refused_or_worked
from keras_convnets import export, fold
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.inference.answers import read_outputs
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.predict import predict
from keras_convnets.shipping.serve.served import of_classifier
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.run.configuration import check_run
from keras_convnets.training.run.pretrained import open_pretrained
from keras_convnets.training.run.run import train
from keras_convnets.training.run.saved_run import SavedRun, open_run

_COUNT = 120
_RUN = Path("run")
_EXPORTED = Path("exported")
_AT_ONCE = 16
_SECONDS = 300.0  # for so many kinds
_TOLERANCE = 0.02  # float16 inputs have 11 bits


def _arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return images with a bright spot whose place is their class."""
    random = np.random.default_rng(0)
    labels = np.arange(_COUNT) % CLASSES
    images = random.integers(0, 60, (_COUNT, *SHAPE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, col = divmod(int(label), 4)
        image[3 * row : 3 * row + 2, 2 * col : 2 * col + 2] += 150
    return images, labels


@functools.cache
def _data() -> Data:
    return Data.from_arrays(*_arrays())


def _train(model: Any) -> None:
    """Train, and demand that the run says of its model what the model does."""
    recipe = RECIPES["quick"].replace(epochs=1, batch_size=32)
    outcome = train(model, _data(), _RUN, recipe, console=Console(quiet=True))
    run = open_run(_RUN)
    found = evaluate(run.model, _data().test, run.preprocessing)
    if found.accuracy != outcome.test_accuracy:
        raise Fault(f"accuracy {found.accuracy} once loaded, {outcome.test_accuracy} before")


def _fine_tune(model: Any, *, to_the_end: bool = True) -> None:
    if not isinstance(model, keras.Model):
        raise ValueError("no model, so it cannot be saved")
    try:
        model.save("model.keras")
    except Exception as error:
        raise ValueError("cannot be saved by its owner") from error
    start = open_pretrained(Path("model.keras"))
    start.data_arguments()
    model = start.for_classes(_data().class_names)
    if to_the_end:
        _train(model)
    else:
        check_run(model, _data(), RECIPES["quick"].replace(batch_size=32))


def _evaluate(model: Any) -> None:
    """Evaluate, and compare with what Keras computes of the prepared images."""
    data = _data()
    found = evaluate(model, data.test, data.preprocessing).probabilities
    shape = model.inputs[0].shape
    is_first = shape[1] == 1 and shape[-1] != 1
    order = "channels_first" if is_first else "channels_last"
    batches = evaluation_batches(data.test, data.preprocessing, 7, order)
    outputs = [np.array(keras.tree.flatten(model(x, training=False))[0]) for x, _ in batches]
    expected = np.concatenate(outputs).astype("float32")
    if not np.allclose(expected.sum(axis=1), 1, atol=_TOLERANCE):  # they are logits
        expected = np.array(keras.ops.softmax(expected))
    if not np.allclose(found, expected, atol=_TOLERANCE):
        raise Fault(f"differs by {np.abs(found - expected).max():.3g} from what Keras computes")


def _predict(model: Any) -> None:
    """Predict an image of a file, and compare with its evaluation in an array."""
    data = _data()
    Image.fromarray(data.test.array[3, ..., 0]).save("image.png")
    run = SavedRun(Path("run"), model, data.preprocessing, data.class_names, None)  # type: ignore[arg-type]
    found = predict(run, ["image.png"]).probabilities[0]
    expected = evaluate(model, data.test, data.preprocessing).probabilities[3]
    if not np.allclose(found, expected, atol=_TOLERANCE):
        raise Fault(f"differs by {np.abs(found - expected).max():.3g} from the evaluation")


def _fold(model: Any) -> None:
    """Fold, and compare what comes out."""
    found = fold(model)
    draw = np.random.default_rng(0)
    drawn = [
        draw.random([one.shape[0] or 2, *(n or 8 for n in one.shape[1:])]) for one in model.inputs
    ]
    drawn = [keras.ops.cast(x, one.dtype) for x, one in zip(drawn, model.inputs, strict=True)]
    is_sequential = isinstance(model, keras.Sequential)  # which may have no `input`
    x = drawn[0] if is_sequential else keras.tree.pack_sequence_as(model.input, drawn)
    try:
        expected = np.array(keras.tree.flatten(model(x, training=False))[0])
    except Exception:  # it computes nothing, folded or not
        return
    outputs = expected, np.array(keras.tree.flatten(found(x, training=False))[0])
    if not np.allclose(*outputs, atol=_TOLERANCE, equal_nan=True):
        raise Fault(f"folded, it differs by {np.abs(outputs[0] - outputs[1]).max():.3g}")


def _serve(model: Any) -> None:
    """Serve an image of a file, and compare with the prediction."""
    if not isinstance(model, keras.Model):
        raise ValueError("no model, so no run has it")
    data = _data()
    Image.fromarray(data.test.array[3, ..., 0]).save("image.png")
    run = SavedRun(Path("run"), model, data.preprocessing, data.class_names, None)  # type: ignore[arg-type]
    served = of_classifier(run, 2)
    batch = served.prepare("image.png", Path("image.png").read_bytes()).values[np.newaxis]
    found = read_outputs(served.outputs, served.run(batch)).probabilities
    expected = predict(run, ["image.png"]).probabilities
    if not np.allclose(found, expected, atol=_TOLERANCE):
        raise Fault(f"served, it differs by {np.abs(found - expected).max():.3g}")


def _export(model: Any) -> None:
    """Export, which proves itself."""
    export(model, _EXPORTED)


_FUNCTIONS: dict[str, Callable[..., None]] = dict(
    zip(USES, (_train, _fine_tune, _evaluate, _predict), strict=True)
)
# What these take is for them to say, but what they take they must do right.
_SHIPPING = {"fold": _fold, "serve": _serve, "export": _export}


def _all_uses(name: str) -> Count:
    """Use a model of a kind in each way."""
    counts = {REFUSED: 0, WORKED: 0}
    for use, function in _FUNCTIONS.items():
        shutil.rmtree(_RUN, ignore_errors=True)
        model = KINDS[name].build()
        if use in KINDS[name].works:
            # What trains is trained once; fine-tuning it only differs before the run.
            is_checked = use == "fine-tune" and "train" in KINDS[name].works and name != "plain"
            given = {"to_the_end": False} if is_checked else {}
            try:
                function(model, **given)
            except Exception as error:
                raise Fault(f"{use}: {type(error).__name__}: {error}") from error
            counts[WORKED] += 1
            continue
        try:
            counts[refused(function, model)] += 1
        except Exception as error:
            raise Fault(f"{use}: {type(error).__name__}: {error}") from error
        if _RUN.exists():
            raise Fault(f"{use}: refused, but a folder is left")
    for use, function in _SHIPPING.items():
        shutil.rmtree(_EXPORTED, ignore_errors=True)
        try:
            found = refused_or_worked(function, KINDS[name].build())
        except Exception as error:
            raise Fault(f"{use}: {type(error).__name__}: {error}") from error
        if found == REFUSED and _EXPORTED.exists():
            raise Fault(f"{use}: refused, but a folder is left")
        counts[found] += 1
    return counts


def _images() -> Iterator[tuple[str, Callable[[], Count]]]:
    """Yield images and labels that are not what they seem."""
    images, labels = _arrays()
    floats = images / 255
    hot = np.eye(CLASSES)[labels]
    bad: dict[str, tuple[Any, ...]] = {
        "NaN": (np.where(floats > 0.6, np.nan, floats), labels),
        "infinity": (np.where(floats > 0.6, np.inf, floats), labels),
        "above 255": (images.astype(int) * 3, labels),
        "below 0": (images.astype(int) - 100, labels),
        "floats cut to integers": (floats.astype("uint8"), labels),
        "black": (images * 0, labels),
        "complex": (images * 1j, labels),
        "text": (images.astype(str), labels),
        "channels first": (images.repeat(3, -1).transpose(0, 3, 1, 2), labels),
        "two channels": (images.repeat(2, -1), labels),
        "flat": (images.reshape(_COUNT, -1), labels),
        "one image": (images[0], labels),
        "video": (images[:, None], labels),
        "none": (images[:0], labels[:0]),
        "too few labels": (images, labels[:-1]),
        "label -1": (images, labels - 1),
        "labels from 1": (images, labels + 1, images[:20], labels[:20] + 1),
        "a gap": (images, labels * 2, images[:20], labels[:20] * 2),
        "half labels": (images, labels + 0.5),
        "NaN labels": (images, np.where(labels == 3, np.nan, labels)),
        "smoothed": (images, hot * 0.9 + 0.01),
        "two of one class": (images, hot * 2),
        "label pixels": (images, np.zeros((_COUNT, 8, 8), int)),
        "names": (images, labels.astype(str)),
        "one class": (images, labels * 0),
        "huge label": (images, labels * 10**9),
        "no label": (images, None),
        "tests not scaled": (floats, labels, images[:40].astype(float), labels[:40]),
        "training not scaled": (images.astype(float), labels, floats[:40], labels[:40]),
        "tests of another type": (images, labels, floats[:40], labels[:40]),
        "tests of another size": (images, labels, images[:40, :6], labels[:40]),
        "tests without labels": (images, labels, images[:40]),
        "tests of another kind": (images, labels, images[:40], hot[:40]),
        "a class for tests alone": (images[:9], labels[:9], images, labels),
    }
    for name, arguments in bad.items():
        yield f"images: {name}", lambda given=arguments: {refused(Data.from_arrays, *given): 1}
    good: dict[str, tuple[Any, ...]] = {
        "as they are": (images, labels),
        "grey without channels": (images[..., 0], labels),
        "floats": (floats, labels),
        "floats of 0 to 255": (images.astype("float64"), labels),
        "floats around 0": (floats * 2 - 1, labels),
        "one-hot": (images, hot),
        "float labels": (images, labels.astype(float)),
        "a column of labels": (images, labels[:, None]),
        "two classes": (images, labels % 2),
        "bool labels": (images, labels % 2 == 0),
        "lists": (images.tolist(), labels.tolist()),
    }
    for name, arguments in good.items():
        yield f"images: {name}", lambda given=arguments: {_same_data(*given): 1}


def _same_data(images: Any, labels: Any) -> str:
    """Whatever the scale and the format of labels, the prepared images are the same."""
    found, data = Data.from_arrays(images, labels), _data()
    prepared = np.array(found.preprocessing(found.test.array))
    if len(found.class_names) == CLASSES:
        expected = np.array(data.preprocessing(data.test.array))
        if not np.array_equal(found.test.labels, data.test.labels):
            raise Fault("other labels")
        if not np.allclose(prepared, expected, atol=1e-3):
            raise Fault(f"prepared otherwise, by {np.abs(prepared - expected).max():.3g}")
    if abs(prepared.mean()) > 0.2 or not 0.8 < prepared.std() < 1.2:
        raise Fault(f"prepared with a mean of {prepared.mean():.2g}, {prepared.std():.2g}")
    return WORKED


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of models and images."""
    yield from _together({name: lambda n=name: _all_uses(n) for name in KINDS})
    yield from _together(dict(_images()))


def _together(runs: dict[str, Callable[[], Count]]) -> Iterator[Try]:
    """Yield tries of several kinds at a time: TensorFlow takes a while to start in each."""

    def run(names: list[str]) -> Count:
        counts: collections.Counter[str] = collections.Counter()
        for name in names:
            try:
                counts.update(runs[name]())
            except Exception as error:
                raise Fault(f"{name}: {error}") from error
        return dict(counts)

    names = list(runs)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        yield Try(f"from {some[0]}", lambda some=some: run(some), _SECONDS)
