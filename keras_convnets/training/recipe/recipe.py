"""A training recipe: every setting that a paper gives for its training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from keras_convnets import checks
from keras_convnets.training.recipe.fields import normalised
from keras_convnets.training.recipe.moot import changed, refuse_moot

_LARGEST_SHARE = 0.5  # of a moving average that may be the first weights


@dataclasses.dataclass(frozen=True)
class Recipe:
    """An optimizer with its learning rate over the run, and all else that a paper gives for it.

    Attributes:
        source: the paper or other source of the recipe.
        batch_size: the global batch size: images per step, over all devices and machines.
        learning_rate: the learning rate after the warm-up.
        epochs: the length of the run in passes over the training images.
        steps: the length of the run in steps. Either this or ``epochs`` is ``None``.
        schedule: ``"drops"``, ``"constant"``, or ``"cosine"`` for half a cosine down to
            ``final_rate``. Schedules count steps, whatever the ``accumulation_steps``.
        drops: when the learning rate drops, as fractions of the run.
        drop_factor: the factor of the learning rate at each drop.
        warmup_epochs: the epochs over which the learning rate rises linearly from ``warmup_rate``.
        warmup_steps: the steps for which the learning rate is constant at ``warmup_rate``.
        warmup_rate: the learning rate of ``warmup_epochs`` or ``warmup_steps``.
        momentum: the momentum of ``"sgd"``.
        nesterov: whether the momentum of ``"sgd"`` is Nesterov's.
        weight_decay: the decay, ``w -= rate * decay * w``, as defined in papers. With ``"sgd"`` it
            is that of the convolution kernels, as an L2 penalty of half the factor. With any other
            optimizer it is decoupled from the gradient (Loshchilov and Hutter 2017,
            arXiv:1711.05101), and applies to all kernels, those of dense layers too, but not to
            biases, normalisations and other weights of one dimension; it replaces the penalties.
            ``None`` is the optimizer's own decay if it has one (0.004 of ``"adamw"``), else the
            penalties that the model was built with.
        label_smoothing: the share of a label that is spread over all classes.
        augmentation: the augmentation of the training images; ``None`` for the data's default.
        images_per_rate: if given, ``learning_rate`` applies to updates from this many images and
            is scaled linearly to their actual number, the batch size times ``accumulation_steps``.
        stage_decay: the factor of the learning rate from each stage to the one before it, for
            fine-tuning; 1 gives all stages the same rate.
        optimizer: an optimizer of Keras by the name of its class, in any case: ``"adamw"``.
        optimizer_arguments: its other arguments by name, such as ``{"beta_2": 0.95}``.
        clipnorm: the largest norm of the gradient of a weight; 0 for any. As in Keras, whose three
            ways of clipping exclude each other.
        clipvalue: the largest absolute value in a gradient; 0 for any.
        global_clipnorm: the largest norm of all gradients together; 0 for any.
        accumulation_steps: the number of steps whose mean gradient makes one update. Groups of
            steps continue into the next epoch; steps left over at the end of the run make no
            update. Each step's batch normalisation is its own.
        ema_momentum: the momentum of an exponential moving average of the weights, updated after
            every step; 0 for none. The averages are validated and tested, and are the weights of
            the trained model, while training continues with the others. Moving statistics of batch
            normalisation are averages already, and stay as they are.
        loss: ``"binary_crossentropy"`` for each class by itself, which needs a model with a sigmoid
            for each class; ``None`` for what suits the outputs of the model.
        final_rate: the learning rate at the end of a cosine.
        class_weights: the weight of each class in the loss of training and validation:
            ``"balanced"`` for more of rare classes, as scikit-learn defines it, or weights by the
            name of the class; 1 for those that are not named. The loss of `evaluate` has none.
        sampling: ``"balanced"`` for epochs in which all classes are equally frequent; by default,
            every image is shown once. An epoch has as many steps as without it.
        patience: the epochs after which the run ends without a better one than the best so far, by
            validation accuracy, then loss; ``None`` for all epochs.

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
    optimizer: str = "sgd"
    optimizer_arguments: dict[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    clipnorm: float = 0.0
    clipvalue: float = 0.0
    global_clipnorm: float = 0.0
    accumulation_steps: int = 1
    ema_momentum: float = 0.0
    loss: str | None = None
    final_rate: float = 0.0
    class_weights: str | dict[str, float] | None = dataclasses.field(default=None, hash=False)
    sampling: str | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        checks.fields(self, **normalised(vars(self)))
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                f"epochs: received epochs={self.epochs} and steps={self.steps}; expected one of "
                "the two. Leave the other one None."
            )
        refuse_moot(vars(self), DEFAULTS)
        checks.positive_number("learning_rate", self.peak_rate, "one that fits images_per_rate")

    @property
    def peak_rate(self) -> float:
        """The learning rate after the warm-up, scaled to the batch size if the recipe says so."""
        if self.images_per_rate is None:
            return self.learning_rate
        images = self.batch_size * self.accumulation_steps
        return self.learning_rate * images / self.images_per_rate

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
            rates = schedules.half_cosine(self.peak_rate, total, self.final_rate)
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

    def check_patience(self, epochs: int) -> None:
        """Refuse a patience that cannot end a run of so many epochs before its end."""
        if self.patience is not None and self.patience > epochs - 2:
            expected = f"at most {epochs - 2}" if epochs > 2 else "none"
            raise ValueError(
                f"patience: received {self.patience} with a run of {epochs} epochs, which it could "
                f"not end earlier; expected {expected}. Train longer, or leave it out."
            )

    def check_length(self, steps: int) -> None:
        """Refuse a run that is too short for its updates or its averages.

        Args:
            steps: the steps of the whole run.

        Raises:
            ValueError: it makes no update, or the averages of its weights would be mostly those
                of the weights that it starts from.
        """
        if self.accumulation_steps > steps:
            raise ValueError(
                f"accumulation_steps: received {self.accumulation_steps:,}; expected at most the "
                f"{steps:,} steps of the run. Train longer, or accumulate fewer."
            )
        share = self.ema_momentum**steps
        if share > _LARGEST_SHARE:
            most = _LARGEST_SHARE ** (1 / steps)
            raise ValueError(
                f"ema_momentum: received {self.ema_momentum:g}, with which {share:.0%} of the "
                f"averages are the first weights after the {steps:,} steps of the run; expected at "
                f"most {most:.4g}, for half of them. Train longer, or lower it."
            )

    def _check_warmup(self, steps_per_epoch: int, total: int) -> None:
        steps = max(self.warmup_steps, self.warmup_epochs * steps_per_epoch)
        end = round(self.drops[0] * total) if self.drops else total
        if steps and steps >= end:
            name = "warmup_steps" if self.warmup_steps else "warmup_epochs"
            until = " before its rate drops" if self.drops else ""
            raise ValueError(
                f"{name}: received {steps:,} steps of it; expected fewer than the {end:,} steps "
                f"that the run has{until}. Train longer, or lower it."
            )

    def replace(self, **changes: Any) -> Recipe:
        """Return the recipe with some values changed.

        Values of the recipe that a change leaves without an effect give way: epochs replace steps
        and vice versa, and the drops of a recipe give way to a cosine. So do those that belong to
        an optimizer when there is another one: its decay, its arguments and its learning rate, in
        place of which comes Keras' default.

        Raises:
            ValueError: a value is out of range, or a change has no effect.

        Examples:
            >>> from keras_convnets.training import RECIPES
            >>> RECIPES["resnet-cifar"].replace(epochs=2).steps is None
            True
            >>> RECIPES["resnet-cifar"].replace(schedule="cosine").drops
            ()
            >>> RECIPES["resnet-cifar"].replace(optimizer="adamw").learning_rate
            0.001
        """
        for name in changes:
            checks.choice("recipe", name, DEFAULTS)
        return Recipe(**changed(vars(self), normalised(changes), DEFAULTS))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a begun run from its ``config.json``.

        Earlier versions began runs with values that have no effect, which are kept here.

        Raises:
            ValueError: a value is out of range.
        """
        recipe = object.__new__(cls)
        checks.fields(recipe, **normalised(DEFAULTS | dict(config)))
        return recipe


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


DEFAULTS: dict[str, Any] = {field.name: _default(field) for field in dataclasses.fields(Recipe)}
