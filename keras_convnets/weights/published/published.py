"""The files of weights that are published: where they are, and the images that they are for.

The table ``published.csv`` has a row a file and network. ``scripts/published_table.py`` writes it.
"""

from __future__ import annotations

import csv
import fnmatch
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keras_convnets import checks
from keras_convnets.image_config import fitted
from keras_convnets.received import shown
from keras_convnets.typed import typed

FILE = Path(__file__).with_name("published.csv")
CHANNELS = 3
TIMM = "timm"


class Published(NamedTuple):
    """A published file of weights, and the images that a network with these weights takes.

    The images are of red, green and blue, whatever the source's own order is.

    Attributes:
        name: the name of the weights: ``"torchvision"``, ``"torchvision_v2"``, ``"keras"``,
            ``"keras_notop"``, ``"caffe"``, or one of timm's such as ``"timm/resnet50.a1_in1k"``.
        network: the network of this package, as in ``list_models()``.
        file: the name of the file in a folder of weights.
        address: where it can be fetched.
        hash: ``"sha256:"`` and the first digits, ``"md5:"`` and all digits, or empty if none is
            published.
        top1: the accuracy on ImageNet's validation images in percent; ``None`` if unknown.
        top1_source: who says so.
        rows: the rows and columns of the images.
        shorter_side: the shorter side that images are resized to before the centre crop.
        interpolation: ``"bilinear"`` or ``"bicubic"``.
        mean: the mean of each channel after scaling.
        std: the standard deviation of each channel after scaling.
        scale: the divisor of the pixels.
        classes: the number of classes; 1,001 has a background first, and 0 is without a head.
        licence: the licence of the weights; empty if unknown.
    """

    name: str
    network: str
    file: str
    address: str
    hash: str
    top1: float | None
    top1_source: str
    rows: int
    shorter_side: int
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    classes: int
    licence: str


def rows(network: str | None = None) -> tuple[Published, ...]:
    """Return the published files of a network, or all, in the order of the table.

    Of the files of a source, that which the source takes by default is first.
    """
    return tuple(row for row in _table() if network in (None, row.network))


@functools.cache
def _table() -> tuple[Published, ...]:
    with FILE.open(encoding="utf-8", newline="") as stream:
        return tuple(_row(values) for values in csv.DictReader(stream))


def _row(values: Mapping[str, str]) -> Published:
    numbers: dict[str, Any] = {name: int(values[name]) for name in ("rows", "shorter_side")}
    numbers |= {name: _numbers(values[name]) for name in ("mean", "std")}
    return Published(
        **dict(values)
        | numbers
        | {
            "top1": float(values["top1"]) if values["top1"] else None,
            "scale": float(values["scale"]),
            "classes": int(values["classes"]),
        }
    )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


@typed
def list_weights(network: str = "*") -> list[str]:
    """Return the names of published weights of the networks that match a glob pattern.

    The option ``weights`` of builders and `create_model` takes such a name.

    Examples:
        >>> from keras_convnets import list_weights
        >>> list_weights("densenet_169")
        ['torchvision', 'timm/densenet169.tv_in1k']
        >>> list_weights("lenet*")
        []
    """
    found = (row.name for row in rows() if fnmatch.fnmatchcase(row.network, network))
    return list(dict.fromkeys(found))


def find(name: str, network: str | None = None) -> Published:
    """Return the published file of weights with a name.

    Args:
        name: the name. ``"timm"`` and ``"timm/resnet50"`` are the file that timm takes by default.
        network: the network that is to have the weights; ``None`` if the name tells it.

    Raises:
        ValueError: no such weights are published, or not for the network.

    Examples:
        >>> find("torchvision", "resnet_v1_5_50").file
        'resnet50-0676ba61.pth'
        >>> find("timm/resnet50", "resnet_v1_5_50").name
        'timm/resnet50.a1_in1k'
        >>> find("torchvision_v2", "vgg_16")
        Traceback (most recent call last):
        ValueError: weights: received 'torchvision_v2'; expected a file, or a name of weights \
that are published for vgg_16: 'torchvision', 'timm/vgg16.tv_in1k', 'keras', 'keras_notop'. \
Did you mean 'torchvision'?
    """
    offered = rows(network)
    for row in offered:
        if name in _names(row) and (network is not None or "/" in name):
            return row
    raise _unknown(name, network, offered)


def _names(row: Published) -> tuple[str, ...]:
    """Return the names that a row can be found by; the first row with a name has it."""
    source, _, rest = row.name.partition("/")
    return (row.name, f"{source}/{rest.partition('.')[0]}", source) if rest else (row.name,)


def _unknown(name: str, network: str | None, offered: tuple[Published, ...]) -> ValueError:
    received = f"weights: received {shown(name)}"
    names = list(dict.fromkeys(row.name for row in offered))
    near = checks.did_you_mean(name, [one for one in names if network or "/" in one])
    others = [row.network for row in rows() if "/" in name and name in _names(row)]
    if network is None:
        meant = "a name of published weights that tells their network, such as 'timm/resnet50'"
        return ValueError(
            f"{received}; expected a file, or {meant}.{near} Name the network with --model "
            "(network)."
        )
    if others:
        return ValueError(
            f"{received}, which are weights of {' and '.join(dict.fromkeys(others))}; expected "
            f"those of {network}. Build the network that they are of."
        )
    if not names:
        return ValueError(
            f"{received}; expected a file, for no weights of {network} are published. Name one, or "
            "a network in the list that keras-convnets weights prints."
        )
    return ValueError(
        f"{received}; expected a file, or a name of weights that are published for {network}: "
        f"{', '.join(map(repr, names))}.{near}"
    )


def is_of(row: Published, theirs: str) -> bool:
    """Return whether a file is of the network that its source calls so, such as ``"resnet50"``."""
    name = theirs.lower()  # as in keras.applications.ResNet50
    return row.file.lower().startswith((f"{name}-", f"{name}.", f"{name}_weights"))


def networks_called(theirs: str) -> dict[str, list[str]]:
    """Return the networks that others call so, each with these others.

    Examples:
        >>> networks_called("resnet50")
        {'resnet_v1_5_50': ['torchvision', 'timm'], 'resnet_v1_50_keras': ['keras']}
    """
    found: dict[str, list[str]] = {}
    for row in rows():
        source = row.name.partition("/")[0].partition("_")[0]
        if is_of(row, theirs) and source not in found.setdefault(row.network, []):
            found[row.network].append(source)
    return found


def is_name(name: str) -> bool:
    """Return whether weights may be called so: names of the table, and those like timm's."""
    return name == TIMM or name.startswith(f"{TIMM}/") or any(row.name == name for row in rows())


def images_of(
    row: Published, image_shape: tuple[int, int | None, int | None] | None = None
) -> dict[str, Any] | None:
    """Return the configuration of the ``Preprocessing`` of a network with these weights.

    Args:
        row: the published file.
        image_shape: ``(channels, rows, cols)`` that the network takes; by default what the file is
            for. Images of another size are cropped to the same share of their shorter side, and
            grey images have the mean of the three channels' means and deviations.

    Returns:
        The configuration; ``None`` if the network takes neither grey nor colour images.

    Examples:
        >>> images = images_of(find("torchvision", "resnet_v1_5_50"))
        >>> images["rows"], images["shorter_side"], images["mean"]
        (224, 256, [0.485, 0.456, 0.406])
    """
    images = own_images_of(row)
    return images if image_shape is None else fitted(images, image_shape)


def own_images_of(row: Published) -> dict[str, Any]:
    """Return the configuration of the ``Preprocessing`` of the images that a file is for."""
    return {
        "channels": CHANNELS,
        "rows": row.rows,
        "cols": row.rows,
        "scale": row.scale,
        "mean": list(row.mean),
        "std": list(row.std),
        "resize": "crop",
        "shorter_side": row.shorter_side,
        "interpolation": row.interpolation,
    }
