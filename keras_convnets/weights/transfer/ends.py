"""What is at the two ends of a model: whether it changes its images, and its classifier.

A network within a larger model may get other images than the model, and be followed by other
layers. What is known of the network's images and classes holds for the larger model only if not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from keras_convnets.keras_private import graph_inside, nodes_by_depth, operation_of
from keras_convnets.weights.placing.model_layers import variables_of

# Layers that give images to the first weights as they are: padded, flattened, or, outside of
# training, unchanged.
_PASSING = (
    *(keras.layers.ZeroPadding2D, keras.layers.Flatten, keras.layers.Dropout),
    *(keras.layers.GaussianNoise, keras.layers.RandomFlip, keras.layers.RandomRotation),
    *(keras.layers.RandomTranslation, keras.layers.RandomZoom, keras.layers.RandomContrast),
    *(keras.layers.RandomBrightness, keras.layers.RandomCrop),
)


def takes_its_images(model: Any) -> bool:
    """Return whether the images that a model is given are those that its first kernels see."""
    graph = graph_inside(model)
    if graph is None:
        return False
    nodes = [node for level in nodes_by_depth(graph).values() for node in level]
    given = {operation_of(tensor) for tensor in graph.inputs}
    while given:
        reached = {
            node.operation
            for node in nodes
            if any(operation_of(tensor) in given for tensor in node.input_tensors)
        }
        if not all(map(_is_neutral, reached)):
            return False
        given = {one for one in reached if isinstance(one, _PASSING)}
    return True


def _is_neutral(operation: Any) -> bool:
    if isinstance(operation, keras.Model):
        return takes_its_images(operation)
    return isinstance(operation, _PASSING) or "kernel" in _variables(operation)


def classifier_of(model: Any) -> Any | None:
    """Return the layer with weights whose outputs are those of a model, perhaps normalised.

    It is that of the first output. ``None`` if several layers have a part in it.
    """
    graph = graph_inside(model)
    if graph is None:
        return None
    return _last(graph.outputs[0], {id(tensor): node for node, tensor in _made(graph)})


def _made(graph: Any) -> Iterator[tuple[Any, Any]]:
    for level in nodes_by_depth(graph).values():
        for node in level:
            for tensor in node.output_tensors:
                yield node, tensor


def _last(tensor: Any, nodes: dict[int, Any]) -> Any | None:
    while (node := nodes.get(id(tensor))) is not None:
        operation = node.operation
        if isinstance(operation, keras.Model):
            return classifier_of(operation)
        if getattr(operation, "weights", None):
            return operation
        if len(node.input_tensors) != 1:
            return None
        tensor = node.input_tensors[0]
    return None


def _variables(operation: Any) -> dict[str, Any]:
    return variables_of(operation) if isinstance(operation, keras.layers.Layer) else {}
