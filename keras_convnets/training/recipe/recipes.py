"""The training recipes of the papers, as data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from keras_convnets import checks
from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.recipe.moot import changed, refuse_moot

SCHEDULES = ("drops", "cosine")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent with momentum, and every setting that a paper gives for it.

    Attributes:
        source: the paper or other source of the recipe.
        batch_size: the global batch size: images per step, over all devices and machines.
        learning_rate: the learning rate after the warm-up.
        epochs: the length of the run in passes over the training images.
        steps: the length of the run in optimizer steps. Either this or ``epochs`` is ``None``.
        schedule: ``"drops"``, or ``"cosine"`` for half a cosine down to 0.
        drops: when the learning rate drops, as fractions of the run.
        drop_factor: the factor of the learning rate at each drop.
        warmup_epochs: the epochs over which the learning rate rises linearly from ``warmup_rate``.
        warmup_steps: the steps for which the learning rate is constant at ``warmup_rate``.
        warmup_rate: the learning rate of ``warmup_epochs`` or ``warmup_steps``.
        momentum: the momentum of the optimizer.
        nesterov: whether to use Nesterov momentum.
        weight_decay: the decay of convolution kernels, ``w -= rate * decay * w``, as defined in
            papers: twice the factor of an L2 penalty. ``None`` keeps the penalties that the model
            was built with.
        label_smoothing: the share of a label that is spread over all classes.
        augmentation: the augmentation of the training images; ``None`` for the data's default.
        images_per_rate: if given, ``learning_rate`` applies to a batch of this many images and is
            scaled linearly to the actual batch size.
        stage_decay: the factor of the learning rate from each stage to the one before it, for
            fine-tuning; 1 gives all stages the same rate.

    Raises:
        ValueError: a value is out of range or has no effect beside the others, or both or neither
            of epochs and steps are given.
    """

    source: str
    batch_size: int
    learning_rate: float
    epochs: int | None = None
    steps: int | None = None
    schedule: str = "drops"
    drops: tuple[float, ...] = ()
    drop_factor: float = 0.1
    warmup_epochs: int = 0
    warmup_steps: int = 0
    warmup_rate: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float | None = None
    label_smoothing: float = 0.0
    augmentation: str | None = None
    images_per_rate: int | None = None
    stage_decay: float = 1.0

    def __post_init__(self) -> None:
        checks.fields(self, **_normalised(vars(self)))
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                f"epochs: received epochs={self.epochs} and steps={self.steps}; expected one of "
                "the two. Leave the other one None."
            )
        refuse_moot(vars(self), _DEFAULTS)
        checks.positive_number("learning_rate", self.peak_rate, "one that fits images_per_rate")

    @property
    def peak_rate(self) -> float:
        """The learning rate after the warm-up, scaled to the batch size if the recipe says so."""
        if self.images_per_rate is None:
            return self.learning_rate
        return self.learning_rate * self.batch_size / self.images_per_rate

    def total_steps(self, steps_per_epoch: int) -> int:
        """Return the number of steps of the whole run."""
        total = self.steps or (self.epochs or 0) * steps_per_epoch
        return checks.positive_integer("epochs", total, "fewer: the product is the run's steps")

    def total_epochs(self, steps_per_epoch: int) -> int:
        """Return the number of epochs of the whole run; the last may be incomplete."""
        return math.ceil(self.total_steps(steps_per_epoch) / steps_per_epoch)

    def rates(self, steps_per_epoch: int) -> Any:
        """Return the learning rate over the run, as a Keras schedule.

        Raises:
            ValueError: the warm-up is longer than the run up to its first drop.
        """
        from keras_convnets.training.recipe import schedules  # with Keras: seconds to import

        total = self.total_steps(steps_per_epoch)
        self._check_warmup(steps_per_epoch, total)
        if self.schedule == "cosine":
            rates = schedules.half_cosine(self.peak_rate, total)
        else:
            starts = [0, *(round(share * total) for share in self.drops)]
            values = [self.peak_rate * self.drop_factor**drop for drop in range(len(starts))]
            if self.warmup_steps:
                starts[0], values = self.warmup_steps, [self.warmup_rate, *values]
                starts = [0, *starts]
            rates = schedules.in_steps(values, starts)
        if self.warmup_epochs:
            steps = self.warmup_epochs * steps_per_epoch
            rates = schedules.LinearWarmUp(rates, self.warmup_rate, steps)
        return rates

    def _check_warmup(self, steps_per_epoch: int, total: int) -> None:
        steps = max(self.warmup_steps, self.warmup_epochs * steps_per_epoch)
        end = round(self.drops[0] * total) if self.drops else total
        if steps and steps >= end:
            raise ValueError(
                f"warm-up: received {steps:,} steps of it; expected fewer than the {end:,} steps "
                "that the run has before its rate drops. Train longer, or set warmup_steps and "
                "warmup_epochs to 0."
            )

    def replace(self, **changes: Any) -> Recipe:
        """Return the recipe with some values changed.

        Values of the recipe that a change leaves without an effect give way: epochs replace steps
        and vice versa, and the drops of a recipe give way to a cosine.

        Raises:
            ValueError: a value is out of range, or a change has no effect.

        Examples:
            >>> RECIPES["resnet-cifar"].replace(epochs=2).steps is None
            True
            >>> RECIPES["resnet-cifar"].replace(schedule="cosine").drops
            ()
        """
        for name in changes:
            checks.choice("recipe", name, _DEFAULTS)
        return Recipe(**changed(vars(self), _normalised(changes), _DEFAULTS))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a begun run from its ``config.json``.

        Earlier versions began runs with values that have no effect, which are kept here.

        Raises:
            ValueError: a value is out of range.
        """
        recipe = object.__new__(cls)
        checks.fields(recipe, **_normalised(_DEFAULTS | dict(config)))
        return recipe


def _normalised(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a recipe, or some of them, as plain Python values."""
    return {
        name: None if value is None and name in _MAY_BE_NONE else _CHECKS[name](name, value)
        for name, value in values.items()
    }


def _positive_integer(name: str, value: Any) -> int:
    return checks.positive_integer(name, value, "a number such as 32")


def _count(name: str, value: Any) -> int:
    return checks.non_negative_integer(name, value, "a number such as 5")


def _positive_number(name: str, value: Any) -> float:
    return checks.positive_number(name, value, "a number such as 0.1")


def _number(name: str, value: Any) -> float:
    return checks.non_negative_number(name, value, "a number such as 0.01, or 0 for none")


def _text(name: str, value: Any) -> str:
    return checks.text(name, value, "a name")


_MAY_BE_NONE = ("epochs", "steps", "weight_decay", "augmentation", "images_per_rate")
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "source": _text,
    "batch_size": _positive_integer,
    "learning_rate": _positive_number,
    "epochs": _positive_integer,
    "steps": _positive_integer,
    "schedule": lambda name, value: checks.choice(name, value, SCHEDULES),
    "drops": checks.shares,
    "drop_factor": _positive_number,
    "warmup_epochs": _count,
    "warmup_steps": _count,
    "warmup_rate": _number,
    "momentum": lambda name, value: checks.rate(
        name, value, "the share of the last step to keep, such as 0.9"
    ),
    "nesterov": checks.boolean,
    "weight_decay": _number,
    "label_smoothing": lambda name, value: checks.rate(
        name, value, "the share of a label that all classes have, such as 0.1"
    ),
    "augmentation": lambda name, value: checks.choice(name, value, AUGMENTATIONS),
    "images_per_rate": _positive_integer,
    "stage_decay": checks.share,
}
_DEFAULTS = {
    field.name: None if field.default is dataclasses.MISSING else field.default
    for field in dataclasses.fields(Recipe)
}

_HE_2015 = "He et al. 2015 (arXiv:1512.03385), section 4.2"
_HUANG_2016 = "Huang et al. 2016 (arXiv:1608.06993), section 4.2"
_ZAGORUYKO_2016 = "Zagoruyko and Komodakis 2016 (arXiv:1605.07146), section 3"
_GOYAL_2017 = "Goyal et al. 2017 (arXiv:1706.02677); label smoothing: arXiv:1512.00567"

# fmt: off
RECIPES = {
    "quick": Recipe("small data on a CPU", 32, 0.03, epochs=12, schedule="cosine", nesterov=True),
    "resnet-cifar": Recipe(_HE_2015, 128, 0.1, steps=64_000, drops=(0.5, 0.75), weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "resnet-cifar-110": Recipe(_HE_2015, 128, 0.1, steps=64_000, drops=(0.5, 0.75), warmup_steps=400, warmup_rate=0.01, weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "densenet-cifar": Recipe(_HUANG_2016, 64, 0.1, epochs=300, drops=(0.5, 0.75), nesterov=True, weight_decay=1e-4, augmentation="crop-flip"),  # noqa: E501
    "wide-resnet-cifar": Recipe(_ZAGORUYKO_2016, 128, 0.1, epochs=200, drops=(0.3, 0.6, 0.8), drop_factor=0.2, nesterov=True, weight_decay=5e-4, augmentation="crop-flip"),  # noqa: E501
    "imagenet": Recipe(_GOYAL_2017, 256, 0.1, epochs=90, drops=(1 / 3, 2 / 3, 8 / 9), warmup_epochs=5, warmup_rate=0.1, nesterov=True, weight_decay=1e-4, label_smoothing=0.1, augmentation="resized-crop", images_per_rate=256),  # noqa: E501
}
# fmt: on
"""The recipes by name; ``RECIPES["quick"].replace(epochs=3)`` is one with another value."""


def find(name: str) -> Recipe:
    """Return the recipe called ``name``; raise a ``ValueError`` that lists the names if none is."""
    return RECIPES[checks.choice("recipe", name, RECIPES)]
