"""Lower bounds of the memory that a model takes: with less, it cannot run at all.

What a model really takes is more, up to several times as much, for that depends on the order in
which the backend computes and on what it keeps. These bounds serve to refuse the impossible.
"""

from __future__ import annotations

from keras_convnets.analysis.cost.cost import Cost

_VALUE = 4  # bytes of a momentum or gradient


def of_training(found: Cost, batch_size: int, values_per_weight: int = 1) -> int:
    """Return the least bytes of a training step, beyond the weights and the batch itself.

    Those are what the optimizer keeps of every trainable parameter, the largest gradient, and for
    each layer with trainable parameters that is multiplied with its input, as many values as it
    outputs: either they or what the next layer makes of them are kept for the gradients.

    Args:
        found: the cost of the model, for an image.
        batch_size: the images of a step on this machine.
        values_per_weight: how many values the optimizer keeps of each parameter, such as 1 for
            its momentum.
    """
    trained = [row.trainable_params for row in found.rows]
    kept = sum(row.activation_bytes for row in found.rows if row.trainable_params and row.macs)
    optimizer = values_per_weight * sum(trained)
    return _VALUE * (optimizer + max(trained, default=0)) + batch_size * kept


def of_answers(found: Cost, batch_size: int) -> int:
    """Return the least bytes of a forward pass, beyond the weights and the batch itself.

    Args:
        found: the cost of the model, for an image.
        batch_size: the images that it takes at once.
    """
    return batch_size * max((row.activation_bytes for row in found.rows), default=0)
