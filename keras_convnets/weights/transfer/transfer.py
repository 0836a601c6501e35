"""Loading the weights of a file into a model."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_convnets import checks, files
from keras_convnets.known import Known, remember
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.typed import typed
from keras_convnets.weights.formats import formats
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.keras_settings import check_settings, settings_in
from keras_convnets.weights.placing.model_layers import check_has_values, layers_of, weights_of
from keras_convnets.weights.placing.placement import Placement
from keras_convnets.weights.published.fetch import resolve
from keras_convnets.weights.published.published import Published
from keras_convnets.weights.transfer.adapting import CHANNELS, Adapted, adapt
from keras_convnets.weights.transfer.assigning import assign, check_types, converted
from keras_convnets.weights.transfer.folding import fold_bgr, fold_input, renormalising, stem_of
from keras_convnets.weights.transfer.knowing import fitting, kept_in, known_of
from keras_convnets.weights.transfer.matching import check_complete, match
from keras_convnets.weights.transfer.recognition import (
    OURS,
    SETTINGS,
    Names,
    check_same_network,
    either,
    network_of_file,
    network_of_model,
)
from keras_convnets.weights.transfer.report import WeightsReport

_OF_INCEPTION = (0.5,) * 3, (0.5,) * 3  # the mean and deviation of its images
_REPORT = "_keras_convnets_weights_report"


@typed
def load_weights(
    model: keras.Model,
    file: str | os.PathLike[str],
    *,
    strict: bool = True,
    channels: str = "sum",
) -> WeightsReport:
    """Load weights that were trained elsewhere into a model.

    The file may be safetensors, a checkpoint of PyTorch, weights or a model of Keras, ONNX or
    ``.npz``; its contents tell. Its names are torchvision's, timm's, keras.applications', Caffe's
    or those of our own layers. PyTorch is not needed, and nothing in the file is executed.

    All is checked before the first weight changes: when this raises, the model has the weights that
    it had. A file of another network than the model is refused, even where all names and shapes
    agree.

    A classifier for another number of classes keeps the values that it was initialised with. In a
    file with 1,001 classes, the first, which is the background, is left out for a model of 1,000.
    The first convolution is adapted to another number of channels. With published weights and
    with files of [`save_weights`][keras_convnets.save_weights], the model knows the
    [preprocessing][keras_convnets.preprocessing_of] and the
    [names of the classes][keras_convnets.class_names_of].

    Args:
        model: a network of this package, or a model with layers of the same names: of any data
            format, types, scope and image size.
        file: the path of the file, a folder of timm's hub, or the name of published weights:
            ``"torchvision"``, ``"torchvision_v2"``, ``"timm/resnet50.a1_in1k"``, ``"keras"``. Their
            file is looked for in the folder that the environment variable
            ``KERAS_CONVNETS_WEIGHTS`` names and in Keras' cache, and otherwise fetched.
        strict: whether names in the file that no rule explains and weights that the file lacks are
            errors. If ``False``, they are in the report; such weights keep their values.
        channels: how the kernel of the first convolution becomes one for N channels instead of C.
            ``"sum"``: for one channel the sum over its channels, otherwise they are repeated and
            multiplied by C/N, as in timm. ``"mean"``: each is their mean, multiplied by C/N.
            ``"zero"``: the channels after the first C are zero.

    Returns:
        What was loaded, adapted, made anew and left out.

    Raises:
        ValueError: there is no such file, it is damaged, or it does not fit the model.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from keras_convnets import ResnetV1Builder, load_weights, save_weights
        >>> trained = ResnetV1Builder.build((3, 32, 32), 10, "basic_block_v1", (1, 1))
        >>> model = ResnetV1Builder.build((1, 32, 32), 5, "basic_block_v1", (1, 1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "trained.safetensors"
        ...     save_weights(trained, path)
        ...     report = load_weights(model, path)
        >>> report.adapted
        {'conv1_conv/kernel': '3 channels to 1: their sum'}
        >>> report.anew
        {'head_dense': '5 outputs, 10 in the file'}
    """
    checks.choice("channels", channels, CHANNELS)
    layers = layers_of(model)
    check_has_values(model, layers)
    weights = weights_of(layers)
    check_types(weights)
    networks = network_of_model(model)
    path, row = resolve(file, sorted(networks))
    arrays = formats.read(path)
    what, theirs = _says(path, arrays)
    check_same_network(path, networks, theirs)
    if networks:
        check_settings(path, settings_in(arrays.config), model, SETTINGS, strict)
    if row is not None and (what != Known() or row.network not in {*networks, *theirs}):
        row = None  # it has the name of a published file, and is something else
    what = what if row is None else known_of(row, model)
    placement = _for_rgb(match(path, arrays, layers, networks), layers, row)
    adapted = adapt({name: tuple(one.shape) for name, one in weights.items()}, placement, channels)
    check_complete(path, arrays, placement, adapted, strict)
    values = [
        (weights[name], converted(name, value, weights[name]))
        for name, value in adapted.values.items()
    ]
    report = _report(path, arrays, networks, theirs, placement, adapted)
    report = dataclasses.replace(report, weights=what.weights)
    what = fitting(what, model, adapted.values)
    assign(values)
    remember(model, what)
    object.__setattr__(model, _REPORT, report)  # Keras would track what is in it
    return report


@typed
def weights_report_of(model: keras.Model) -> WeightsReport | None:
    """Return what the last loading of weights did to a model; ``None`` if there was none.

    Thus it can be seen what the option ``weights`` of a builder did.

    Examples:
        >>> from keras_convnets import create_model, weights_report_of
        >>> print(weights_report_of(create_model("lenet_5")))
        None
    """
    return getattr(model, _REPORT, None)


def _says(file: Path, arrays: NamedArrays) -> tuple[Known, list[str]]:
    """Return what a file says of images and classes, and the networks whose weights it can have."""
    networks = list(dict.fromkeys(network for network, _ in network_of_file(arrays.arrays)))
    try:
        known, own = kept_in(arrays.metadata)
    except (ValueError, DamagedFile) as error:
        raise ValueError(f"weights: cannot read {files.shown(file)}: {error}.") from error
    return known, [name for name in networks if name in own] or networks


def _for_rgb(placement: Placement, layers: Mapping[str, Any], row: Published | None) -> Placement:
    """Return weights for images of red, green and blue as their published preprocessing has them.

    torchvision's Inception-v3 itself changes the images that it is given.
    """
    notes = list(placement.notes)
    if placement.bgr:
        placement = fold_bgr(placement, stem_of(layers))
        notes.append("the channels of the first kernel are reversed, for red, green and blue")
    if row is not None and (row.name, row.network) == ("torchvision", "inception_v3"):
        change = renormalising((row.mean, row.std), _OF_INCEPTION)
        placement = fold_input(placement, stem_of(layers), *change)
        notes.append("transform_input is in the first convolution and its normalisation")
    return dataclasses.replace(placement, notes=tuple(notes))


def _report(
    path: Path,
    arrays: NamedArrays,
    networks: Names,
    theirs: list[str],
    placement: Placement,
    adapted: Adapted,
) -> WeightsReport:
    notes = placement.notes
    if theirs and not networks:
        kept = f"the file has the weights of {either(theirs)}"
        notes += (f"{kept}; the strides, padding and connections of the model may be others",)
    elif placement.source == OURS and (others := [one for one in theirs if one not in networks]):
        notes += (f"the names and shapes in the file are also those of {either(others)}",)
    return WeightsReport(
        file=str(path),
        format=arrays.kind,
        weights=None,
        network=" or ".join(sorted(networks)) or None,
        source=placement.source,
        taken=arrays.taken,
        loaded={name: value.key for name, value in adapted.values.items()},
        values={name: value.array.size for name, value in adapted.values.items()},
        adapted=adapted.adapted,
        anew=adapted.anew,
        left_out=placement.left_out,
        unexplained=placement.unexplained,
        missing=adapted.missing,
        notes=notes,
    )
