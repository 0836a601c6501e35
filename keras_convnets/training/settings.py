"""What a training run can be told, checked before anything starts."""

from __future__ import annotations

import dataclasses

from keras_convnets import checks


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a run: stochastic gradient descent with Nesterov momentum 0.9.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: at the start; it falls to 0 along half a cosine.
        seed: of the initial weights, the split, the order of the images and their augmentation.

    Raises:
        ValueError: a number out of its range.
    """

    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        checks.positive_integer("epochs", self.epochs, "the passes over the data, such as 12")
        checks.positive_integer("batch_size", self.batch_size, "the images a step, such as 32")
        checks.non_negative_integer("seed", self.seed, "any such number, 0 for instance")
        checks.positive_number("learning_rate", self.learning_rate, "a step size, such as 0.03")
