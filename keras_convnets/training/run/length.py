"""How long a run is, in steps and in epochs."""

from __future__ import annotations

import dataclasses

from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import steps_per_epoch
from keras_convnets.training.recipe.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Length:
    """The length of a run.

    Attributes:
        steps_per_epoch: the steps of an epoch.
        total_steps: the steps of the run.
        epochs: its epochs; the last may be incomplete.
    """

    steps_per_epoch: int
    total_steps: int
    epochs: int

    @classmethod
    def of(cls, data: Data, recipe: Recipe) -> Length:
        """Return the length of a run of a recipe on some data."""
        steps = steps_per_epoch(data, recipe.batch_size)
        return cls(steps, recipe.total_steps(steps), recipe.total_epochs(steps))

    def steps_before(self, epoch: int) -> int:
        """Return the number of steps of the run before an epoch, counted from 0."""
        return min(epoch * self.steps_per_epoch, self.total_steps)

    def steps_in(self, epoch: int) -> int:
        """Return the number of steps of an epoch; the last epoch may be incomplete."""
        return self.steps_before(epoch + 1) - self.steps_before(epoch)
