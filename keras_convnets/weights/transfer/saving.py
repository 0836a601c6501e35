"""Writing the weights of a model to a file, with our own names or those of another library."""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import Any

import keras

from keras_convnets import checks, files
from keras_convnets.known import KEY, known, to_plain
from keras_convnets.typed import typed
from keras_convnets.weights.formats.writing import check_suffix, write
from keras_convnets.weights.placing.keras_writing import check_keras_suffix, write_keras
from keras_convnets.weights.placing.model_layers import check_has_values, layers_of, weights_of
from keras_convnets.weights.placing.placing import written
from keras_convnets.weights.rules import LAYOUTS
from keras_convnets.weights.rules.keras import APPLICATIONS
from keras_convnets.weights.rules.layout import Layout
from keras_convnets.weights.transfer.recognition import Names, network_of_model

_KERAS = ".weights.h5"
_APPLICATIONS = "keras"  # keras.applications, whose files have a format of their own
_WRITTEN = ("torchvision", "timm", _APPLICATIONS)  # whose names can be written


@typed
def save_weights(
    model: keras.Model, path: str | os.PathLike[str], *, layout: str | None = None
) -> None:
    """Write the weights of a model to a file.

    [`load_weights`][keras_convnets.load_weights] reads it back, exactly. A ``.safetensors`` file
    also has the name of the network, its preprocessing and its class names, as far as the model
    knows them.

    Args:
        model: a network of this package, or a model with layers of the same names.
        path: the file: ``.safetensors`` or ``.npz``, ``.weights.h5`` as Keras writes it, or
            ``.h5`` with ``layout="keras"``. An existing one is replaced.
        layout: whose names and axes the arrays get: ``"torchvision"`` or ``"timm"``, whose
            networks then take the file by ``load_state_dict(safetensors.torch.load_file(path))``;
            ``"keras"``, whose ``keras.applications.ResNet50(weights=path)`` takes it; by default
            the names of our layers, such as ``conv1_conv/kernel``.

    Raises:
        ValueError: the model has no values, ``layout`` has no such network, or the file cannot be
            written.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from keras_convnets import create_model, load_weights, save_weights
        >>> model = create_model("resnet_v1_18", num_outputs=10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "resnet18.safetensors"
        ...     save_weights(model, path, layout="torchvision")
        ...     report = load_weights(model, path)
        >>> report.source, report.loaded["head_dense/kernel"]
        ('torchvision', 'fc.weight')
    """
    layers = layers_of(model)
    check_has_values(model, layers)
    networks = network_of_model(model)
    if layout == _APPLICATIONS and (known_there := networks.intersection(APPLICATIONS)):
        check_keras_suffix(path)
        write_keras(path, layers, min(known_there))
        return
    chosen = None if layout is None else _layout(layout, networks, model.name)
    if str(PurePath(path)).endswith(_KERAS) and chosen is None:
        with files.replacing(path) as target:
            _save_as_keras(model, target)
        return
    check_suffix(path)
    if chosen is None:
        arrays = {
            name: keras.ops.convert_to_numpy(weight) for name, weight in weights_of(layers).items()
        }
    else:
        arrays = written(layers, chosen)
    write(path, arrays, _metadata(model, networks))


def _layout(source: str, networks: Names, name: str) -> Layout:
    checks.choice("layout", source, (*_WRITTEN, None))
    for layout in LAYOUTS:
        if layout.source == source and networks.intersection(layout.networks):
            return layout
    having = {one.source for one in LAYOUTS if networks.intersection(one.networks)} & {*_WRITTEN}
    having |= {_APPLICATIONS} if networks.intersection(APPLICATIONS) else set()
    others = " or ".join(
        [repr(one) for one in sorted(having)] + ["None for the names of its layers"]
    )
    network = " or ".join(sorted(networks)) or f"{name}, which is none of the package's networks"
    raise ValueError(
        f"layout: received {source!r} for {network}; expected a network that {source} has. Pass "
        f"{others}."
    )


def _metadata(model: keras.Model, networks: Names) -> dict[str, str]:
    """Return what safetensors keeps beside the arrays; PyTorch's libraries ask for the format."""
    what = to_plain(known(model)) | {"networks": sorted(networks)}
    return {"format": "pt", KEY: json.dumps(what)}


def _save_as_keras(model: keras.Model, target: Any) -> None:
    folder = target.parent
    path = folder / f"new{_KERAS}"
    model.save_weights(path)
    path.replace(target)
