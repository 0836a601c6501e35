"""A network whose classes each have a probability of their own."""

from __future__ import annotations

import keras

from keras_convnets.graph.topology import ends
from keras_convnets.graph.walk import walk


def with_sigmoids(model: keras.Model) -> keras.Model:
    """Return a new classifier with a sigmoid for each class in place of its softmax.

    The weights and the names of its layers stay the same. Outputs that are no softmax, such as
    logits, stay as they are.

    Examples:
        >>> from keras_convnets import create_model
        >>> from keras_convnets.inference.outputs import outputs_of
        >>> outputs_of(with_sigmoids(create_model("lenet_5")))
        Outputs(kind='sigmoid', count=10)
    """
    for call in ends(walk(model)):
        if getattr(call.layer, "activation", None) is keras.activations.softmax:
            call.layer.activation = keras.activations.sigmoid
    return model
