"""The plan of a run, before it starts."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import keras
import numpy as np

from keras_convnets import axes, memory
from keras_convnets.analysis.cost.cost import Cost, cost
from keras_convnets.printable import printable
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.data import Data, images_in_words
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.named import in_words
from keras_convnets.training.recipe.optimizers import values_per_weight
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.recipe.settings import Settings
from keras_convnets.training.recipe.words import optimizer_in_words
from keras_convnets.training.run.configuration import check_run
from keras_convnets.training.run.enough_memory import REMEDY, asked, check_memory
from keras_convnets.training.words import bytes_in_words, class_list, duration, left_out
from keras_convnets.typed import explaining

_BARS = "▁▂▃▄▅▆▇█"
_CURVE = 60  # characters of the learning-rate curve
_BYTES = 4  # of a float32 value


@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan of a run: its costs, steps, time and memory.

    Attributes:
        costs: the costs of the model for one image.
        data: the data.
        recipe: the training recipe.
        steps_per_epoch: the number of batches per epoch.
        compile_seconds: the time of the first step, in which TensorFlow builds the graph.
        step_seconds: the time of a step, the mean of two.
        weights: what was loaded into the model, in lines.
    """

    costs: Cost
    data: Data
    recipe: Recipe
    steps_per_epoch: int
    compile_seconds: float
    step_seconds: float
    weights: tuple[str, ...] = ()

    @property
    def total_steps(self) -> int:
        """The number of steps of the whole run."""
        return self.recipe.total_steps(self.steps_per_epoch)

    @property
    def epoch_seconds(self) -> float:
        """The time of an epoch's steps, without validation."""
        return self.steps_per_epoch * self.step_seconds

    @property
    def memory(self) -> dict[str, int]:
        """Estimated bytes: weights with their optimizer state, and the activations of a batch."""
        trained = self.costs.trainable_params * _BYTES
        return {
            "weights": self.costs.weight_bytes,
            "gradients": trained,
            "optimizer": trained * values_per_weight(self.recipe),
            "activations": self.costs.activation_bytes * self.recipe.batch_size,
        }

    def to_text(self) -> str:
        """Return the plan as text."""
        said = {
            "model": self._model(),
            **({"weights": f"\n{'':15}".join(self.weights)} if self.weights else {}),
            "data": self._images(),
            **({"left out": self._left_out()} if self.data.skipped else {}),
            "images": f"{self.data.preprocessing}; augmentation {self.data.augmentation}",
            "recipe": self._recipe(),
            "steps": self._steps(),
            "optimizer": self._optimizer(),
            "learning rate": self._curve(),
            "time": self._time(),
            "memory": self._memory(),
        }
        return "\n".join(f"{what:<15}{text}" for what, text in said.items())

    def _model(self) -> str:
        costs = self.costs
        counts = f"{costs.params:,} parameters, {costs.macs:,} multiply-adds an image"
        return f"{costs.model}: {counts}"

    def _images(self) -> str:
        first = f"{self.data.name}: {images_in_words(self.data)}, {self._classes()}"
        return f"\n{'':15}".join([first, *self.data.words])

    def _left_out(self) -> str:
        return f"\n{'':15}".join(map(printable, left_out(self.data.skipped)))

    def _classes(self) -> str:
        names = self.data.class_names
        return f"{len(names):,} classes ({class_list(names)})"

    def _recipe(self) -> str:
        words, source = in_words(self.recipe), self.recipe.source
        return words if words.startswith(source) else f"{words} ({source})"

    def _steps(self) -> str:
        count = self.recipe.total_epochs(self.steps_per_epoch)
        epochs = f"{count} epoch{'' if count == 1 else 's'}"
        an_epoch = f"{self.steps_per_epoch:,} steps of {self.recipe.batch_size:,} images"
        return f"{self.total_steps:,}: {epochs} of {an_epoch}"

    def _optimizer(self) -> str:
        return optimizer_in_words(self.recipe, self.total_steps)

    def _time(self) -> str:
        run = duration(self.total_steps * self.step_seconds)
        return (
            f"{self.step_seconds:.3f} s a step, {duration(self.epoch_seconds)} an epoch, {run} the "
            "run, without validation (two steps were timed; the first one, in which the graph is "
            f"made, took {self.compile_seconds:.1f} s)"
        )

    def _memory(self) -> str:
        parts = ", ".join(f"{name} {bytes_in_words(value)}" for name, value in self.memory.items())
        return f"about {bytes_in_words(sum(self.memory.values()))} at most: {parts}"

    def _curve(self) -> str:
        rates = self.rates(np.linspace(0, self.total_steps - 1, _CURVE))
        bars = "".join(_BARS[round(rate / max(rates) * (len(_BARS) - 1))] for rate in rates)
        corners = [
            f"{'':15}step {step:>7,}  epoch {step / self.steps_per_epoch:6.1f}  {rate:.4g}"
            for step, rate in self._corners()
        ]
        return "\n".join([bars, *corners])

    def _corners(self) -> list[tuple[int, float]]:
        """Return the steps, with their rates, at which the learning rate starts, turns and ends."""
        recipe, total = self.recipe, self.total_steps
        warm = max(recipe.warmup_steps, recipe.warmup_epochs * self.steps_per_epoch)
        drops = [round(share * total) for share in recipe.drops]
        steps = sorted({0, warm, *drops, total - 1})
        return list(zip(steps, self.rates(np.array(steps)), strict=True))

    def rates(self, steps: Any) -> list[float]:
        """Return the learning rate at some steps, counted from 0."""
        schedule = self.recipe.rates(self.steps_per_epoch)
        return [float(schedule(int(step))) for step in steps]


@explaining
def plan(model: keras.Model, data: Data, recipe: Recipe, settings: Settings) -> Plan:
    """Return the plan of a run; this trains the model for three steps.

    Raises:
        ValueError: as in `train`.
    """
    data = check_run(model, data, recipe)
    check_memory(model, data, recipe)
    steps_per_epoch = pipeline.steps_per_epoch(data, recipe.batch_size)
    objective = compile_model(model, data, recipe, settings)
    batches = pipeline.training_batches(
        data,
        recipe.batch_size,
        seed=settings.seed,
        epoch=0,
        data_format=axes.format_of(model),
    )
    with memory.explained(asked(recipe, data), REMEDY):
        images, labels = next(iter(batches))
    labels = objective.labels(labels)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        with memory.explained(asked(recipe, data), REMEDY):
            model.train_on_batch(images, labels)
        seconds.append(time.monotonic() - started)
    costs = cost(model, data.image_shape)
    return Plan(costs, data, recipe, steps_per_epoch, seconds[0], sum(seconds[1:]) / 2)
