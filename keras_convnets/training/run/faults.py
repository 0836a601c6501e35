"""What ended the steps of a run, in a line."""

from __future__ import annotations

import tensorflow as tf

from keras_convnets import files, memory
from keras_convnets.errors import OutOfMemoryError, RunStopped
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.data import Data
from keras_convnets.training.distribute.multi_worker import explained
from keras_convnets.training.recipe.recipe import Recipe
from keras_convnets.training.run.checkpoint import Position
from keras_convnets.training.run.enough_memory import REMEDY, asked


def explain(
    error: Exception, data: Data, recipe: Recipe, position: Position, has_begun: bool
) -> None:
    """Raise what ended the steps in a line, if it is known; leave the rest to `patched_fit`.

    Args:
        error: what was raised.
        data: the data of the run.
        recipe: its recipe.
        position: that of its last checkpoint.
        has_begun: whether it has taken a step.
    """
    if memory.is_exhausted(error):
        raise _out_of_memory(error, asked(recipe, data), has_begun) from error
    if not isinstance(error, tf.errors.OpError) or explained(error) is not error:
        return
    epoch, step = position.epoch + 1, position.step
    whole = f"The last checkpoint, of step {step:,} of epoch {epoch}, is intact"
    if broken := pipeline.explain(error, data):
        raise RunStopped(
            f"{broken}. {whole}: mend or remove the file, and go on with --resume."
        ) from error
    if refused := files.reason(error):
        raise RunStopped(
            f"{refused}. {whole}: mend what the system refused, and go on with --resume."
        ) from error


def _out_of_memory(error: Exception, step: str, has_begun: bool) -> Exception:
    """Return an error that is a refusal if the run has not taken a step, or else stops it."""
    what = f"out of memory in {step} ({memory.words(error)})"
    if not has_begun:
        return OutOfMemoryError(f"{what}. {REMEDY}.")
    return RunStopped(
        f"{what}. The last checkpoint is intact: free some memory, and go on with --resume."
    )
