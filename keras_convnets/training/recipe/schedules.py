"""Learning-rate schedules: Keras' own, with an optional warm-up before them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PiecewiseConstantDecay


@keras.saving.register_keras_serializable("keras_convnets")
class LinearWarmUp(LearningRateSchedule):
    """A learning rate that rises linearly to that of another schedule, and then follows it.

    Args:
        schedule: the schedule to follow after ``steps`` steps.
        start: the learning rate at step 0.
        steps: the length of the warm-up in steps.

    Examples:
        >>> import keras
        >>> flat = keras.optimizers.schedules.PiecewiseConstantDecay([100], [0.8, 0.08])
        >>> rate = LinearWarmUp(flat, start=0.0, steps=4)
        >>> [round(float(rate(step)), 2) for step in (0, 1, 2, 4, 99)]
        [0.0, 0.2, 0.4, 0.8, 0.8]
    """

    def __init__(self, schedule: LearningRateSchedule, start: float, steps: int) -> None:
        super().__init__()
        self.schedule, self.start, self.steps = schedule, start, steps

    def __call__(self, step: Any) -> Any:
        rate = self.schedule(step)
        done = ops.cast(step, rate.dtype) / self.steps
        target = self.schedule(ops.full_like(step, self.steps))
        return ops.where(done < 1, self.start + (target - self.start) * done, rate)

    def get_config(self) -> dict[str, Any]:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "start": self.start, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LinearWarmUp:
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["start"], config["steps"])


def in_steps(rates: list[float], starts: list[int]) -> PiecewiseConstantDecay:
    """Return a piecewise constant schedule: each rate holds from its step, from 0, to the next.

    Examples:
        >>> rate = in_steps([0.1, 0.01], [0, 32_000])
        >>> [round(float(rate(step)), 3) for step in (0, 31_999, 32_000)]
        [0.1, 0.1, 0.01]
    """
    if len(rates) == 1:
        return PiecewiseConstantDecay([0], rates * 2)
    # In Keras, a boundary is the last step of the previous rate.
    return PiecewiseConstantDecay([start - 1 for start in starts[1:]], rates)


def half_cosine(rate: float, steps: int, last: float = 0.0) -> CosineDecay:
    """Return a schedule that falls from ``rate`` to ``last`` along half a cosine.

    Examples:
        >>> rate = half_cosine(0.3, 10, 0.1)
        >>> [round(float(rate(step)), 3) for step in (0, 5, 10)]
        [0.3, 0.2, 0.1]
    """
    return CosineDecay(rate, decay_steps=steps, alpha=last / rate)
