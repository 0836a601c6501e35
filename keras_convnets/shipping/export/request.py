"""What is asked of an export, checked before any work."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_convnets import axes, checks
from keras_convnets.image_config import NAMES
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.class_labels import class_labels
from keras_convnets.inference.classifier import check_one_vector, check_takes_floats, check_weights
from keras_convnets.inference.classify import of_run
from keras_convnets.inference.fits import check_labels, check_takes
from keras_convnets.inference.outputs import Outputs, outputs_of
from keras_convnets.inference.prepared import check_images, told_preprocessing
from keras_convnets.shipping.engines.kinds import Kind
from keras_convnets.shipping.export.feeding import bytes_inside
from keras_convnets.shipping.export.float32 import in_float32
from keras_convnets.shipping.export.samples import Samples, samples_of
from keras_convnets.shipping.export.target import LEAST_CALIBRATION, check_file
from keras_convnets.shipping.export.tolerance import Tolerance, tolerance_of
from keras_convnets.shipping.export.usual import usual

_MOST_CALIBRATION = 256
_USUAL_SIZE = 224  # for a network of any size, of which no preprocessing is known


@dataclasses.dataclass(frozen=True)
class Request:
    """An export that can begin.

    Attributes:
        model: the model, in float32.
        outputs: what its outputs are.
        kind: the kind of the file.
        path: the file or folder.
        fold: whether batch normalisations are folded.
        precision: that of the file's weights.
        preprocessing: that of the model's images; ``None`` if it is not known.
        inside: the preprocessing that goes into the file; ``None`` for none.
        class_names: by label; empty if they are not known.
        check: the images to compare with.
        calibrate: those to calibrate with; ``None`` for none.
        tolerance: the largest difference.
    """

    model: Any
    outputs: Outputs
    kind: Kind
    path: Path
    fold: bool
    precision: str
    preprocessing: Preprocessing | None
    inside: Preprocessing | None
    class_names: tuple[str, ...]
    check: Samples
    calibrate: Samples | None
    tolerance: Tolerance


def requested(
    model: Any,
    path: Path,
    *,
    fold: bool,
    with_preprocessing: bool,
    precision: str,
    calibrate: Any,
    check: Any,
    preprocessing: Preprocessing | str | None,
    class_names: Sequence[str] | None,
    tolerance: float | None,
    overwrite: bool,
) -> Request:
    """Check everything that is asked of an export: see `export`.

    Raises:
        ValueError: something is wrong; nothing has been done yet.
    """
    kind = check_file(path, precision, calibrate is not None, overwrite)
    if tolerance is not None:
        checks.positive_number("tolerance", tolerance, "the largest difference, such as 0.01")
    _check_backend()
    run = None
    if not isinstance(model, keras.Model):
        run = model
        model, preprocessing, class_names = of_run(model, preprocessing, class_names)
    check_one_vector(model)
    check_takes_floats(model)
    check_weights(model)
    model = in_float32(model)
    outputs = outputs_of(model)
    how = _preprocessing(model, preprocessing)
    inside = _inside(model, how) if with_preprocessing else None
    names = class_labels(model, outputs, class_names)
    shape = tuple(model.inputs[0].shape)
    calibrating = None if calibrate is None else _calibration(calibrate, how, shape)
    proving = (
        usual(run, how, _image_shape(model, how))
        if check is None
        else samples_of("check", check, how, shape)
    )
    if proving.labels is not None:
        check_labels(model, outputs, proving.labels)
    return Request(
        *(model, outputs, kind, path, fold, precision, how, inside, names or ()),
        *(proving, calibrating, tolerance_of(precision, tolerance)),
    )


def input_shape_of(model: Any) -> tuple[int, int | None, int | None]:
    """Return ``(channels, rows, cols)`` of a model's images; ``None`` where any size fits.

    Raises:
        ValueError: the number of channels is open.
    """
    channels, rows, cols = axes.in_papers_order(model.inputs[0].shape, axes.format_of(model))
    if channels is None:
        raise ValueError(
            f"model: {model.name} takes images of any number of channels; expected one number. "
            "Build it with keras.Input((rows, cols, channels))."
        )
    return channels, rows, cols


def _check_backend() -> None:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"KERAS_BACKEND: received {backend!r}; expected 'tensorflow', from whose graph every "
            "kind of file is written. Set KERAS_BACKEND=tensorflow, or leave it out."
        )


def _preprocessing(model: Any, said: Preprocessing | str | None) -> Preprocessing | None:
    found = said if isinstance(said, Preprocessing) else told_preprocessing(model, said)
    if found is not None:
        remedy = "Take the preprocessing of the model's own run."
        check_takes(model, found.image_shape, "as the preprocessing makes them", remedy)
        check_images(model, found)
    return found


def _inside(model: Any, found: Preprocessing | None) -> Preprocessing:
    if found is None:
        raise ValueError(
            f"preprocessing: received none, and {model.name} does not know how its images are "
            f"prepared; expected that, to put it into the file. Say {', '.join(NAMES)} or a run by "
            "--preprocessing (preprocessing), or leave --with-preprocessing out."
        )
    return bytes_inside(found)


def _image_shape(model: Any, found: Preprocessing | None) -> tuple[int, int, int]:
    if found is not None:
        return found.image_shape
    channels, rows, cols = input_shape_of(model)
    return channels, rows or _USUAL_SIZE, cols or _USUAL_SIZE


def _calibration(given: Any, found: Preprocessing | None, shape: tuple[Any, ...]) -> Samples:
    samples = samples_of("calibrate", given, found, shape)
    if samples.count < LEAST_CALIBRATION:
        raise ValueError(
            f"calibrate: received {samples.count:,} image{'s' * (samples.count != 1)}; expected at "
            f"least {LEAST_CALIBRATION}, to see which values occur. Pass more, some hundred of "
            "those that the model was trained on."
        )
    return samples.some(_MOST_CALIBRATION)
