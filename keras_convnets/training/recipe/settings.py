"""How a run is carried out, checked before anything starts."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets import checks


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a run is carried out.

    Everything else is in its [recipe][keras_convnets.training.Recipe].

    Attributes:
        seed: the seed of the shuffle and the augmentation.
        checkpoint_steps: the number of steps between checkpoints within an epoch; there is also one
            after every epoch.
        steps_per_execution: the number of steps that TensorFlow takes before returning to Python.
        jit: whether XLA compiles the training step.
        sync_bn: whether batch normalisation computes its statistics over all devices and machines.
        memory_efficient: whether the dense blocks of the model train in less memory; see
            `memory_efficient`.
        deterministic: whether TensorFlow prefers deterministic implementations of operations. This
            applies to the whole process and is set by `make_repeatable`, as the command does.
        time_limit: the seconds after which the process ends, with a checkpoint, after its current
            step; ``None`` for no limit.
        keep_best: whether the model of the epoch with the best validation accuracy is kept beside
            the last one; ``None`` for where there are validation images that are not for the test.

    Raises:
        ValueError: a number is out of range.
    """

    seed: int = 0
    checkpoint_steps: int = 500
    steps_per_execution: int = 1
    jit: bool = False
    sync_bn: bool = False
    memory_efficient: bool = False
    deterministic: bool = False
    time_limit: float | None = None
    keep_best: bool | None = None

    def __post_init__(self) -> None:
        steps = ("checkpoint_steps", "steps_per_execution")
        whole = "a number of steps, such as 500"
        limit, keeps = self.time_limit, self.keep_best
        checks.fields(
            self,
            time_limit=None if limit is None else seconds_of(limit),
            keep_best=None if keeps is None else checks.boolean("keep_best", keeps),
            seed=checks.seed(self.seed),
            **{name: checks.positive_integer(name, getattr(self, name), whole) for name in steps},
            **{
                name: checks.boolean(name, getattr(self, name))
                for name in ("jit", "sync_bn", "memory_efficient", "deterministic")
            },
        )
        if self.checkpoint_steps % self.steps_per_execution:
            raise ValueError(
                f"checkpoint_steps: received {self.checkpoint_steps} with steps_per_execution="
                f"{self.steps_per_execution}; expected a multiple of it, for only then does "
                f"TensorFlow come back. Pass {self.steps_per_execution * 100}."
            )


def seconds_of(value: Any) -> float:
    """Return a time limit in seconds."""
    return checks.positive_number("time_limit", value, "seconds, such as 3600")
