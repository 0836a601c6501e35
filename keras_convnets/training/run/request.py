"""A run as one value, before anything is loaded: the command line makes it, `launch` runs it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from keras_convnets.training import run_folder
from keras_convnets.training.distribute.cluster import Cluster, find_cluster
from keras_convnets.training.recipe.recipes import RECIPES, Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.run import config_file

NETWORK = "resnet_18"


@dataclasses.dataclass(frozen=True)
class DataRequest:
    """The data to load: the arguments of `load_data` except the seed and the preprocessing.

    Attributes:
        name: the name of the data set.
        data_dir: a folder of files that are already on this machine.
        validation_split: the share of the training images to hold out for validation.
        image_size: rows and columns to resize to.
        strict: refuse a folder with files that are not images.
        augmentation: the augmentation of the training images; ``None`` for the data's default.
    """

    name: str = "digits"
    data_dir: Path | None = None
    validation_split: float = 0.0
    image_size: int | None = None
    strict: bool = False
    augmentation: str | None = None


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


@dataclasses.dataclass(frozen=True)
class ResumeRequest:
    """A run to resume from its last checkpoint.

    Attributes:
        out: the folder of the run.
        network: the network's name, if it should be checked.
        data_dir: the folder of the data files, if they have moved.
        devices: where to resume the run; they may differ from those it was started on.
    """

    out: Path
    network: str | None = None
    data_dir: Path | None = None
    devices: Devices = Devices()

    def check_folder(self) -> None:
        """Refuse a folder that is not a run's."""
        config_file.read(self.out)

    def check_shared_folder(self) -> None:
        """Do nothing: the folder is always given."""


@dataclasses.dataclass(frozen=True)
class RunRequest:
    """A run to start.

    Attributes:
        network: the name of the network to train; by default ``"resnet_18"``. Leave it out if
            ``fine_tune`` names a model.
        fine_tune: the folder of a finished run, or a ``.keras`` file, to start from.
        freeze_until: the first stage to train; see `freeze_until`.
        precision: the Keras dtype policy to build the network with.
        data: the data to train on.
        recipe: the training recipe.
        settings: how the run is carried out.
        devices: where the run is carried out.
        out: the folder to create; by default one under ``runs/``, named after the model, the data
            and the time.
        or_resume: resume the run in ``out`` if there is one.

    Raises:
        ValueError: ``fine_tune`` with a network or precision, or ``or_resume`` without ``out``.

    Examples:
        >>> from keras_convnets.training import DataRequest, RunRequest
        >>> request = RunRequest("lenet_5", data=DataRequest("mnist"))
        >>> request.folder.parts[0], request.folder.name.startswith("lenet_5-mnist-")
        ('runs', True)
    """

    network: str | None = None
    fine_tune: Path | None = None
    freeze_until: str | None = None
    precision: str | None = None
    data: DataRequest = DataRequest()
    recipe: Recipe = RECIPES["quick"]
    settings: Settings = dataclasses.field(default_factory=Settings)
    devices: Devices = Devices()
    out: Path | None = None
    or_resume: bool = False

    def __post_init__(self) -> None:
        if self.or_resume and self.out is None:
            raise ValueError("continue: expected --out with it, the folder of the run. Name one.")
        for option, value in (("model", self.network), ("precision", self.precision)):
            if self.fine_tune is not None and value is not None:
                raise ValueError(
                    f"fine-tune: received --{option} with it; expected none, for the model is that "
                    f"of {self.fine_tune}. Leave --{option} out."
                )

    @property
    def network_name(self) -> str:
        """The name of the network to build, unless the run starts from a trained model."""
        return self.network or NETWORK

    @functools.cached_property
    def folder(self) -> Path:
        """The folder to create."""
        if self.out is not None:
            return self.out
        start = self.fine_tune.stem if self.fine_tune else self.network_name
        return run_folder.default(start, self.data.name)

    def check_folder(self) -> None:
        """Refuse a folder that exists or cannot be created."""
        if not self.or_resume:
            run_folder.check_free(self.folder)

    def check_shared_folder(self) -> None:
        """Refuse a run whose machines would each choose a different folder."""
        if self.out is None:
            raise ValueError(
                "out: expected a folder with several machines, the same for all and one that they "
                "share. Name it with --out."
            )

    def resumed(self) -> ResumeRequest | None:
        """Return the request to resume the run if it has started and ``or_resume`` is set."""
        if not self.or_resume or not run_folder.is_run(self.folder):
            return None
        return ResumeRequest(self.folder, self.network, self.data.data_dir, self.devices)
