"""A run as one value, before anything is loaded: the command line makes it, `launch` runs it."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path
from typing import Any

from keras_convnets import checks
from keras_convnets.own_networks import in_a_path, is_file
from keras_convnets.training import run_folder
from keras_convnets.training.data import arguments
from keras_convnets.training.distribute.together import (
    check_batch,
    check_together,
    check_updates,
)
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings, seconds_of
from keras_convnets.training.run import config_file
from keras_convnets.training.run.begun import check_same_request
from keras_convnets.training.run.request_parts import DataRequest, Devices

NETWORK = "resnet_18"


@dataclasses.dataclass(frozen=True)
class ResumeRequest:
    """A run to resume from its last checkpoint.

    Attributes:
        out: the folder of the run.
        network: the network's name, if it should be checked.
        data_dir: the folder of the data files, if they have moved.
        devices: where to resume the run; they may differ from those it was started on.
        time_limit: the seconds after which the process ends; by default as the run was begun.
    """

    out: Path
    network: str | None = None
    data_dir: Path | None = None
    devices: Devices = dataclasses.field(default_factory=Devices)
    time_limit: float | None = None

    def __post_init__(self) -> None:
        checks.fields(
            self,
            time_limit=None if self.time_limit is None else seconds_of(self.time_limit),
            out=checks.path("resume", self.out),
            network=_text("model", self.network),
            data_dir=arguments.folder_of(self.data_dir),
            devices=checks.instance("devices", self.devices, Devices, "Pass Devices(...)."),
        )

    def check_folder(self) -> None:
        """Refuse a folder that is not a run's."""
        config_file.read(self.out)

    def check_shared_folder(self) -> None:
        """Do nothing: the folder is always given."""

    def check_machines(self, machines: int) -> None:
        """Refuse settings of the run that do not work on so many machines."""
        config = config_file.read(self.out)
        settings = config.settings
        check_together(machines, settings.jit, settings.steps_per_execution)
        check_updates(machines, config.recipe)


@dataclasses.dataclass(frozen=True)
class RunRequest:
    """A run to start.

    Attributes:
        network: the name of the network to train; by default the one that the file of ``weights``
            is for, else ``"resnet_18"``. Leave it out if ``fine_tune`` names a model. The name of
            a ``.keras`` file is that of a model to train as it is, without a new head.
        weights: a file of weights to start from, or the name of published ones, as in
            `load_weights`. Images are prepared as those that they were trained on.
        fine_tune: the folder of a finished run, or a ``.keras`` file, to start from.
        freeze_until: the first stage to train; see `freeze_until`.
        preprocessing: how images are prepared, where the model or the weights to start from do not
            tell, or instead of the usual: ``"none"``, ``"0-1"``, ``"-1-1"``, ``"imagenet"``,
            ``"caffe"``, or the folder of a run with the same.
        precision: the Keras dtype policy to build the network with.
        one_output: build the network with one sigmoid for two classes, in place of two outputs.
        data: the data to train on.
        recipe: the training recipe.
        settings: how the run is carried out.
        devices: where the run is carried out.
        out: the folder to create; by default one under ``runs/``, named after the model, the data
            and the time.
        or_resume: resume the run in ``out`` if there is one. What is requested otherwise than it
            was begun with is refused, except where it is carried out.
        load: the files that ``build`` needs, for the record in the run's folder.
        given: the names of the command's options that were given, which a run to resume must agree
            with; by default those whose values are not the defaults.

    Raises:
        ValueError: a value is of the wrong kind, ``fine_tune`` is given with a network, weights or
            precision, or ``or_resume`` without ``out``.

    Examples:
        >>> from keras_convnets.training import DataRequest, RunRequest
        >>> request = RunRequest("lenet_5", data=DataRequest("mnist"))
        >>> request.folder.parts[0], request.folder.name.startswith("lenet_5-mnist-")
        ('runs', True)
    """

    network: str | None = None
    weights: str | None = None
    fine_tune: Path | None = None
    freeze_until: str | None = None
    preprocessing: str | None = None
    precision: str | None = None
    one_output: bool = False
    data: DataRequest = dataclasses.field(default_factory=DataRequest)
    recipe: Recipe = RECIPES["quick"]
    settings: Settings = dataclasses.field(default_factory=Settings)
    devices: Devices = dataclasses.field(default_factory=Devices)
    out: Path | None = None
    or_resume: bool = False
    load: tuple[Path, ...] = ()
    given: frozenset[str] | None = None

    def __post_init__(self) -> None:
        checks.fields(
            self,
            network=_text("model", self.network),
            weights=_weights(self.weights),
            fine_tune=_path("fine_tune", self.fine_tune),
            freeze_until=_text("freeze_until", self.freeze_until),
            preprocessing=_text("preprocessing", self.preprocessing),
            precision=_text("precision", self.precision),
            one_output=checks.boolean("one_output", self.one_output),
            load=tuple(checks.path("load", file) for file in checks.items("load", self.load)),
            out=_path("out", self.out),
            or_resume=checks.boolean("or_resume", self.or_resume),
            given=None if self.given is None else frozenset(_names(self.given)),
        )
        for name, kind in _PARTS.items():
            remedy = f"Pass {kind.__name__}(...), or leave it out."
            checks.instance(name, getattr(self, name), kind, remedy)
        if self.or_resume and self.out is None:
            raise ValueError("continue: expected --out with it, the folder of the run. Name one.")
        self._check_one_output()
        of_model = {"model": self.network, "weights": self.weights, "precision": self.precision}
        for option, value in of_model.items():
            if self.fine_tune is not None and value is not None:
                raise ValueError(
                    f"fine-tune: received --{option} with it; expected none, for the model is that "
                    f"of {self.fine_tune}. Leave --{option} out."
                )
        for option in ("weights", "precision"):
            if self.network is not None and is_file(self.network) and of_model[option] is not None:
                raise ValueError(
                    f"{option}: received {of_model[option]!r} with the saved model {self.network}, "
                    f"which has its own; expected none. Leave --{option} out."
                )

    def _check_one_output(self) -> None:
        is_built = self.fine_tune is None and self.weights is None
        if self.one_output and (not is_built or is_file(self.network_name)):
            raise ValueError(
                "one_output: received True with a model that is trained or saved; expected it only "
                "with a network that is built anew. Leave --one-output out."
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
        return run_folder.default(self._start, self.data.name)

    @property
    def _start(self) -> str:
        """What the run starts from, in the name of its folder."""
        if self.fine_tune is not None:
            return self.fine_tune.stem
        if self.weights is not None and self.network is None:
            return Path(self.weights).name.partition(".")[0] or self.network_name
        return in_a_path(self.network_name)

    def check_folder(self) -> None:
        """Refuse a folder that exists, unless it is that of a run to resume as it was begun."""
        if not self.or_resume:
            run_folder.check_free(self.folder)
        elif self.resumed() is not None:
            check_same_request(self)

    def check_shared_folder(self) -> None:
        """Refuse a run whose machines would each choose a different folder."""
        if self.out is None:
            raise ValueError(
                "out: expected a folder with several machines, the same for all and one that they "
                "share. Name it with --out."
            )

    def check_machines(self, machines: int) -> None:
        """Refuse a run that cannot be carried out on so many machines."""
        settings, is_half = self.settings, self.precision == "mixed_float16"
        check_together(machines, settings.jit, settings.steps_per_execution, is_half)
        check_updates(machines, self.recipe)
        check_batch(machines, self.recipe.batch_size)

    def resumed(self) -> ResumeRequest | None:
        """Return the request to resume the run if it has started and ``or_resume`` is set."""
        if not self.or_resume or not run_folder.is_run(self.folder):
            return None
        where = self.data.data_dir, self.devices, self.settings.time_limit
        return ResumeRequest(self.folder, self.network, *where)


_PARTS = {"data": DataRequest, "recipe": Recipe, "settings": Settings, "devices": Devices}


def _names(given: Any) -> list[str]:
    return [checks.text("given", name, "names of options") for name in checks.items("given", given)]


def _text(name: str, value: Any) -> str | None:
    return None if value is None else checks.text(name, value, "a name, or None")


def _weights(value: Any) -> str | None:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    meaning = "a file of weights, or the name of published ones such as 'torchvision'"
    return None if value is None else checks.text("weights", value, meaning)


def _path(name: str, value: Any) -> Path | None:
    return None if value is None else checks.path(name, value)
