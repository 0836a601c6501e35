"""The training batches of an epoch of a run, on one device or several."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_convnets import axes
from keras_convnets.training.data import pipeline
from keras_convnets.training.data.data import Data
from keras_convnets.training.recipe.objective import Objective


def epoch_batches(
    model: Any,
    data: Data,
    batch_size: int,
    seed: int,
    objective: Objective,
    epoch: int,
    steps: range,
) -> Any:
    """Return the batches of some steps of an epoch, for the devices that the model is on.

    Args:
        model: the model.
        data: the data to train on.
        batch_size: images a step, over all devices and machines.
        seed: the seed of the shuffle and the augmentation.
        objective: the training objective, which knows the format of the labels.
        epoch: the epoch, from 0.
        steps: its steps.
    """
    strategy = model.distribute_strategy

    def batches(context: Any) -> tf.data.Dataset:
        found = pipeline.training_batches(
            data,
            batch_size,
            seed=seed,
            epoch=epoch,
            first_step=steps.start,
            data_format=axes.format_of(model),
            replicas=strategy.num_replicas_in_sync,
            pipeline=context.input_pipeline_id,
            pipelines=context.num_input_pipelines,
        )
        a_step = strategy.num_replicas_in_sync // context.num_input_pipelines
        return objective.labelled(found.take(len(steps) * a_step))

    if strategy.num_replicas_in_sync == 1:
        return batches(tf.distribute.InputContext())
    return strategy.distribute_datasets_from_function(batches)
