"""What weights tell of their network and its images before a model is built for them."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras_convnets import files
from keras_convnets.known import Known
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.weights.formats import formats
from keras_convnets.weights.formats.arrays import NamedArrays
from keras_convnets.weights.placing.head_layers import is_head
from keras_convnets.weights.placing.model_layers import layers_of
from keras_convnets.weights.published import fetch, published
from keras_convnets.weights.published.imagenet import imagenet_classes
from keras_convnets.weights.published.published import Published
from keras_convnets.weights.transfer.knowing import kept_in
from keras_convnets.weights.transfer.matching import first, match
from keras_convnets.weights.transfer.recognition import (
    check_same_network,
    either,
    network_of_file,
    network_of_model,
)

_WITH_BACKGROUND = 1001  # outputs, of which the first is left out


class Told(NamedTuple):
    """What weights tell.

    Attributes:
        network: the name of the network that they are for.
        images: the configuration of the ``Preprocessing`` of its images; ``None`` if unknown.
        class_names: the names of its classes, by label; ``None`` if unknown.
        is_usual: whether the images are those that their source usually has, because the file does
            not tell.
    """

    network: str
    images: dict[str, Any] | None
    class_names: tuple[str, ...] | None
    is_usual: bool = False


def told(weights: str, network: str | None = None) -> Told:
    """Return what weights tell.

    Args:
        weights: a file, or the name of published weights.
        network: the network that they are for; by default what they tell.

    Raises:
        ValueError: there are no such weights, their file cannot be read, or they may be for several
            networks, or for none.
    """
    path, row = fetch.resolve(weights, () if network is None else (network,))
    arrays = formats.read(path)
    try:
        what, _ = kept_in(arrays.metadata)
    except (ValueError, DamagedFile) as error:
        raise ValueError(f"weights: cannot read {files.shown(path)}: {error}.") from error
    is_own = what != Known()  # whatever the file is called
    if row is not None and not is_own and network in (None, row.network):
        return Told(row.network, published.images_of(row), imagenet_classes(row.classes))
    network = network or _network_of(weights, arrays)
    if is_own:
        return Told(network, what.preprocessing, what.class_names)
    sources = {source for name, source in network_of_file(arrays.arrays) if name == network}
    images = _usual_images(network, sources)
    return Told(network, images, None, images is not None)


def _usual_images(network: str, sources: set[str]) -> dict[str, Any] | None:
    """Return the images of the first published file; ``None`` if a source normalises others.

    torchvision and timm normalise those of Inception-v3 otherwise, under the same names.
    """
    offered = [row for row in published.rows(network) if _source_of(row) in sources]
    firsts = {_source_of(row): row for row in reversed(offered)}.values()
    if len({(row.mean, row.std, row.scale) for row in firsts}) != 1:
        return None
    return published.images_of(offered[0])


def _source_of(row: Published) -> str:
    return row.name.partition("/")[0].partition("_")[0]


def _network_of(weights: str, arrays: NamedArrays) -> str:
    found = list(dict.fromkeys(name for name, _ in network_of_file(arrays.arrays)))
    if not found:
        names = [name for name in arrays.arrays if not name.endswith("num_batches_tracked")]
        raise ValueError(
            f"weights: received {files.shown(weights)}, whose names, {first(names)}, and "
            "shapes are those of no network here; expected the weights of one that keras-convnets "
            "list prints. Name it with --model (network) if they are of one that was changed."
        )
    if len(found) != 1:
        raise ValueError(
            f"weights: received {files.shown(weights)}, which may be the weights of "
            f"{either(found)}; expected the name of the network with them. Name it with --model "
            "(network)."
        )
    return found[0]


def ends_of(weights: str, model: Any) -> tuple[int | None, int | None]:
    """Return the channels of the images and the number of outputs of the network in a file.

    Args:
        weights: a file, or the name of published weights.
        model: the network, of any channels and outputs; its weights need no values.

    Returns:
        Both; ``None`` for what the file does not tell.

    Raises:
        ValueError: the file cannot be read, or its weights are not those of the network.
    """
    networks = network_of_model(model)
    path, _ = fetch.resolve(weights, sorted(networks))
    arrays = formats.read(path)
    theirs = list(dict.fromkeys(name for name, _ in network_of_file(arrays.arrays)))
    check_same_network(path, networks, theirs)
    placement = match(path, arrays, layers_of(model), networks)
    shapes = [(name, value.array.shape) for name, value in placement.values.items()]
    kernels = [(name, shape) for name, shape in shapes if name.endswith("/kernel")]
    channels = next((shape[2] for _, shape in kernels if len(shape) == 4), None)
    heads = [shape[-1] for name, shape in kernels if is_head(name.rpartition("/")[0])]
    outputs = heads[-1] if heads and heads[-1] != _WITH_BACKGROUND else None
    return channels, outputs
