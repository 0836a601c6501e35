"""The export of a model to a file that another runtime runs, proved to say the same."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_convnets import axes, memory
from keras_convnets._version import __version__
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.keras_private import all_layers
from keras_convnets.known import known
from keras_convnets.received import path as as_path
from keras_convnets.received import shown
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.metadata import embed
from keras_convnets.shipping.engines.opening import open_engine
from keras_convnets.shipping.export.carding import with_card
from keras_convnets.shipping.export.feeding import Feeding, of_files
from keras_convnets.shipping.export.fingerprint import fingerprint
from keras_convnets.shipping.export.graph import Graph, graph_of
from keras_convnets.shipping.export.overlap import Overlap
from keras_convnets.shipping.export.proof import NotProved, Proof, prove
from keras_convnets.shipping.export.report import ExportReport
from keras_convnets.shipping.export.request import Request, input_shape_of, requested
from keras_convnets.shipping.export.samples import Samples
from keras_convnets.shipping.export.target import replaced, size
from keras_convnets.shipping.export.writers import write
from keras_convnets.shipping.folding.fold import fold as folded
from keras_convnets.shipping.folding.report import fold_report_of
from keras_convnets.shipping.precision.half_model import in_precision_of
from keras_convnets.typed import typed

_WEIGHT = 4  # bytes in float32
# Threads add in another order each time.
_ROUNDING = 1e-5


@typed
def export(
    model: Any,
    path: str | os.PathLike[str],
    *,
    fold: bool = True,
    with_preprocessing: bool = False,
    precision: str = "float32",
    calibrate: Any = None,
    check: Any = None,
    preprocessing: Preprocessing | str | None = None,
    class_names: Sequence[str] | None = None,
    tolerance: float | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Write a model to a file that another runtime runs, and prove that it says the same.

    The suffix chooses the kind: ``.onnx`` (ONNX Runtime), ``.tflite`` (LiteRT), ``.xml`` (OpenVINO,
    with a ``.bin`` beside it), or none for the folder of a SavedModel (TensorFlow). The file takes
    any number of images at a time. It knows the names of the classes, how images are prepared and
    what was proved: see `open_engine`.

    Once written, the file is opened by its own runtime and compared with the model, as given, on
    images. If they differ by more than the tolerance, nothing is left behind. Beside it, or inside
    the folder, is the model's card, ``MODEL.md``, which covers all exports of the model that are
    there.

    Args:
        model: a classifier of images, with one input and one output; or a run from ``open_run``.
        path: the file, or the folder.
        fold: whether batch normalisations are folded into the layers beside them, as by `fold`.
        with_preprocessing: whether the file takes images of any size, ``uint8`` of (images, rows,
            cols, 3), and prepares them itself.
        precision: ``"float32"``, ``"float16"``, ``"bfloat16"`` or ``"int8"``.
        calibrate: for ``"int8"``, at least 16 images by which the ranges of its integers are
            chosen, better some hundred; in any form that ``check`` has. Of more than 256, as many
            are taken. Take others than those to compare on: the report says how many are the same.
        check: the images to compare on: as for [`classify`][keras_convnets.classify], or
            ``(images, labels)`` or the images of some data, by which the accuracy is measured, too.
            By default up to 1,000 of the images that a run is tested on. Without a run, or if they
            cannot be loaded, 24 parts of two photographs, of which the report says that they are
            synthetic. A model that does not know how its images are prepared is compared on an
            array that is already as it takes them.
        preprocessing: how images are prepared, where the model does not know it, as for
            [`classify`][keras_convnets.classify].
        class_names: the names of the classes, by label, where the model does not know them.
        tolerance: the largest difference of a probability that is accepted, relative to the
            largest of the same image. By default 0.0001 in ``float32``, 0.05 in ``float16``, and
            for 99 of 100 images 0.3 in ``bfloat16`` and 0.5 in ``int8``.
        overwrite: whether what exists there is replaced, once the new one is proved.

    Raises:
        ValueError: something is not as above, a runtime or converter is not installed or cannot
            have a layer of the model, the file does not say the same, or it cannot be written.

    Examples:
        >>> from keras_convnets import create_model, export
        >>> report = export(create_model("cifar_resnet_20"), "net", overwrite=True)
        >>> report.kind, report.about.folded, report.proof.batches
        ('saved_model', 19, (1, 2, 5, 16))
    """
    request = requested(
        model,
        _path(path),
        fold=fold,
        with_preprocessing=with_preprocessing,
        precision=precision,
        calibrate=calibrate,
        check=check,
        preprocessing=preprocessing,
        class_names=class_names,
        tolerance=tolerance,
        overwrite=overwrite,
    )
    smaller = "Close other programs, or export on a machine that has more"
    with memory.explained(f"the export of {request.model.name}", smaller):
        return with_card(_exported(request), request.model, model)


def _path(given: str | os.PathLike[str]) -> Path:
    found = as_path(given)
    if found is None:
        raise ValueError(
            f"path: received {shown(given)}; expected the name of a file or folder, such as "
            "'net.onnx'. Pass one."
        )
    return found


def _exported(request: Request) -> ExportReport:
    network = folded(request.model) if request.fold else request.model
    in_precision = in_precision_of(request.kind, network, request.precision)
    graph = graph_of(in_precision, request.inside)
    is_first = axes.format_of(request.model) == "channels_first"
    feeding = Feeding(is_first, graph, request.inside)
    about = _about(request, network, graph)
    samples, overlap = request.calibrate, Overlap(request.calibrate)
    request = dataclasses.replace(request, check=overlap.watching(request.check))
    calibration = None if samples is None else _calibration(samples, feeding)
    with replaced(request.path, request.kind) as written:
        write(request.kind, graph, written, request.precision, calibration)
        embed(request.kind, written, about)
        proof, runtime = _proved(request, feeding, written)
        about = dataclasses.replace(about, proof=proof.to_dict())
        first = _first_outputs(request, feeding, written)
        embed(request.kind, written, about)
        again = _first_outputs(request, feeding, written)
        if not np.allclose(again, first, rtol=_ROUNDING, atol=_ROUNDING):
            raise NotProved(
                f"path: the exported file says something else of {request.check.name_of(0)} once "
                "it says what was proved; nothing was written. Export to another kind."
            )
    return ExportReport(
        path=request.path,
        kind=request.kind.name,
        runtime=runtime,
        bytes_before=_WEIGHT * request.model.count_params(),
        bytes_after=size(request.path, request.kind),
        about=about,
        proof=proof,
        output_count=request.outputs.count,
        notes=(*request.check.notes, *overlap.notes(request.check)),
    )


def _about(request: Request, network: Any, graph: Graph) -> About:
    model, how = request.model, request.inside or request.preprocessing
    how = None if how is None else of_files(how)
    norms, count = _normalisations(network)
    return About(
        network=model.name,
        package=f"keras_convnets {__version__}",
        input_shape=input_shape_of(model),
        channels_last=graph.channels_last,
        input_dtype=graph.dtype,
        has_preprocessing=request.inside is not None,
        preprocessing=None if how is None else how.to_config(),
        class_names=request.class_names,
        outputs=request.outputs.kind,
        precision=request.precision,
        weights=known(model).weights,
        fingerprint=fingerprint(model),
        folded=norms,
        normalisations=count,
    )


def _normalisations(network: Any) -> tuple[int, int]:
    """Return how many batch normalisations were folded, and how many there were."""
    report = fold_report_of(network)
    if report is not None:
        return report.folded, len(report.rows)
    kind = keras.layers.BatchNormalization
    return 0, sum(isinstance(layer, kind) for layer in all_layers(network))


def _calibration(samples: Samples, feeding: Feeding) -> list[np.ndarray]:
    """Return batches of one image each, as the file takes them."""
    return [feeding.of_file(samples.at(number)) for number in range(samples.count)]


def _proved(request: Request, feeding: Feeding, written: Path) -> tuple[Proof, str]:
    """Return the proof, and the runtime that ran the file."""
    engine = open_engine(written)
    return prove(request, feeding, engine), f"{engine.kind.runtime} {engine.version}"


def _first_outputs(request: Request, feeding: Feeding, written: Path) -> np.ndarray:
    return open_engine(written).run(feeding.of_file(request.check.at(0)))
