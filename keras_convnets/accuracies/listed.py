"""The accuracies that are published for networks of this package, with their costs and sources.

On ImageNet they are those of the published weights, in ``weights/published/published.csv``; on
CIFAR-10 those that the papers report, in ``cifar10.csv``.
"""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from keras_convnets import checks, golden
from keras_convnets.analysis.tabled import OnlyTabled
from keras_convnets.analysis.tables import Column, Table
from keras_convnets.received import shown
from keras_convnets.typed import typed
from keras_convnets.weights.published import published

_CIFAR10 = Path(__file__).with_name("cifar10.csv")
_COLUMNS = (
    Column("network", "network"),
    Column("accuracy", "accuracy, %", is_number=True),
    Column("parameters", "parameters", is_number=True),
    Column("multiply_adds", "multiply-adds", is_number=True),
    Column("source", "source of the accuracy"),
    Column("weights", "weights"),
)
DATA = {
    "imagenet": "ImageNet, validation images, one crop: top-1 accuracy as the source states it.",
    "cifar10": "CIFAR-10, test images, the paper's augmentation: accuracy as the paper states it.",
}


class PublishedAccuracy(NamedTuple):
    """The accuracy that is published for a network, and what the network costs.

    Attributes:
        network: the network, as in [`list_models()`][keras_convnets.list_models].
        accuracy: the accuracy in percent.
        parameters: the number of parameters.
        multiply_adds: the multiply-adds of one image.
        source: who states the accuracy.
        weights: the name of the published weights that reach it; empty if there are none.
    """

    network: str
    accuracy: float
    parameters: int
    multiply_adds: int
    source: str
    weights: str


class Accuracies(OnlyTabled):
    """Published accuracies, one row for each network.

    Attributes:
        data: ``"imagenet"`` or ``"cifar10"``.
        rows: a [`PublishedAccuracy`][keras_convnets.accuracies.listed.PublishedAccuracy] for each
            network, grouped by family.
    """

    def __init__(self, data: str, rows: Iterable[PublishedAccuracy]) -> None:
        self.data = data
        self.rows = tuple(rows)

    def table(self) -> Table:
        """Return the table, with what the accuracies are of and how multiply-adds are counted."""
        return Table(_COLUMNS, self.rows, (DATA[self.data], golden.convention()))


@typed
def published_accuracies(
    pattern: str = "*", data: str = "imagenet", weights: str | None = None
) -> Accuracies:
    """Return the accuracies that are published for networks, beside what the networks cost.

    No two sources train alike. Newer recipes (torchvision's second weights, timm's) gain several
    points over the older ones with the same network, so compare networks within a source.

    Args:
        pattern: a glob pattern of the networks' names.
        data: ``"imagenet"`` for the published weights, or ``"cifar10"`` for the papers' figures.
        weights: a glob pattern of the names of weights, such as ``"torchvision_v2"``, of those that
            [`list_weights`][keras_convnets.list_weights] returns. A network has the first of its
            weights that match; by default, the first of all. Only for ImageNet.

    Raises:
        ValueError: for unknown data, or if nothing matches.

    Examples:
        >>> from keras_convnets import published_accuracies
        >>> for row in published_accuracies("resnet_v1_*").rows[:2]:
        ...     print(row.network, row.accuracy, row.source)
        resnet_v1_18 69.758 torchvision
        resnet_v1_34 73.314 torchvision
        >>> published_accuracies("cifar_resnet_20", "cifar10").rows[0].accuracy
        91.25
    """
    checks.choice("data", data, DATA)
    if weights is not None and data != "imagenet":
        raise ValueError(
            f"weights: received {shown(weights)} with data={data!r}, for which no weights are "
            "published; expected None. Leave it out."
        )
    found = _imagenet(weights or "*") if data == "imagenet" else _cifar10()
    by_name = {row.network: row for row in found if fnmatch.fnmatchcase(row.network, pattern)}
    if not by_name:
        of = f" with weights like {shown(weights)}" if weights else ""
        raise ValueError(
            f"pattern: received {shown(pattern)}, which matches no network that has an accuracy "
            f"published for {data}{of}; expected a glob pattern, such as 'resnet*'. "
            "published_accuracies() lists all."
        )
    return Accuracies(data, (by_name[name] for name in golden.networks() if name in by_name))


def _imagenet(weights: str) -> Iterator[PublishedAccuracy]:
    """Yield the first accuracy of each network; a file counts for one network only."""
    networks, files = set[str](), set[str]()
    for row in published.rows():
        if row.top1 is None or row.network in networks or row.file in files:
            continue
        if fnmatch.fnmatchcase(row.name, weights):
            networks.add(row.network)
            files.add(row.file)
            yield _row(row.network, row.top1, row.top1_source, row.name)


def _cifar10() -> Iterator[PublishedAccuracy]:
    with _CIFAR10.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            accuracy = round(100 - float(row["test_error"]), 2)
            yield _row(row["network"], accuracy, row["source"], "")


def _row(network: str, accuracy: float, source: str, weights: str) -> PublishedAccuracy:
    known = golden.networks()[network]
    costs = known.parameters, known.multiply_adds
    return PublishedAccuracy(network, accuracy, *costs, source, weights)
