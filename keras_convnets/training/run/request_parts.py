"""The parts of a request for a run: which data, and on which devices and machines."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from keras_convnets import checks
from keras_convnets.training.data import arguments
from keras_convnets.training.data.arguments import ImageSize
from keras_convnets.training.distribute.cluster import Cluster, find_cluster


@dataclasses.dataclass(frozen=True)
class DataRequest:
    """The data to load: the arguments of `load_data` except the seed and the preprocessing.

    Attributes:
        name: the name of the data set.
        data_dir: a folder of files that are already on this machine.
        validation_split: the share of the training images to hold out for validation.
        image_size: rows and columns to resize to, one number or two.
        channels: 1 to convert the images to grey, 3 to colour; any other number is that of all
            images.
        strict: refuse a folder with files that are not images.
        augmentation: the augmentation of the training images; ``None`` for the data's default.

    Raises:
        ValueError: a value is out of range, or has no effect on this data set.
    """

    name: str = "digits"
    data_dir: Path | None = None
    validation_split: float = 0.0
    image_size: ImageSize | None = None
    channels: int | None = None
    strict: bool = False
    augmentation: str | None = None

    def __post_init__(self) -> None:
        checks.fields(
            self,
            name=arguments.name_of(self.name),
            data_dir=arguments.folder_of(self.data_dir),
            validation_split=arguments.share_of(self.validation_split),
            image_size=arguments.size_of(self.image_size),
            channels=arguments.channels_of(self.channels),
            strict=checks.boolean("strict", self.strict),
            augmentation=arguments.augmentation_of(self.augmentation),
        )
        arguments.refuse_moot(self.name, self.data_dir, self.strict)


@dataclasses.dataclass(frozen=True)
class Devices:
    """Where a run is carried out: the arguments of `choose_strategy`.

    Attributes:
        strategy: ``"auto"``, ``"one"``, ``"mirrored"`` or ``"multi-worker"``.
        workers: ``host:port`` of all machines, separated by commas, the chief first.
        index: the index of this machine, from 0.
        secret_file: a file with a secret, the same on all machines.
    """

    strategy: str = "auto"
    workers: str | None = None
    index: int | None = None
    secret_file: Path | None = None

    def cluster(self) -> Cluster | None:
        """Return the machines; ``None`` for a run on this machine alone.

        Raises:
            ValueError: as in `find_cluster`.
        """
        return find_cluster(self.strategy, self.workers, self.index, self.secret_file)
