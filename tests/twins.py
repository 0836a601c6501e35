"""Two models of one graph: the layers that answer to each other, and copying their weights."""

import keras


def copy_weights(source, target):
    """Copy weights layer by layer between two models whose graphs are the same.

    Layers are paired by where they stand in the graph, never by name or by order in
    ``model.layers``. A normalisation that lacks the scale or the offset of its twin leaves it at 1
    or 0.
    """
    for one, other in twin_layers(source, target):
        values = {weight.name: weight.numpy() for weight in one.weights}
        missing = {weight.name for weight in other.weights} ^ set(values)
        assert missing <= {"gamma", "beta"}, (one.name, other.name, missing)
        for weight in other.weights:
            if weight.name in values:
                weight.assign(values[weight.name])


def twin_layers(source, target):
    """Return pairs of layers with weights, walking both graphs from their outputs at once."""
    pairs, paired = [], {}
    stack = list(zip(source.outputs, target.outputs, strict=True))
    while stack:
        one, other = (_next_weighted_or_merge(tensor) for tensor in stack.pop())
        if one in paired or one.is_input:
            assert paired.get(one, other) is other or other.is_input, (one, other)
            continue
        paired[one] = other
        layers = one.operation, other.operation
        if len(one.input_tensors) == 1:
            assert type(layers[0]) is type(layers[1]), [layer.name for layer in layers]
            pairs.append(layers)
        inputs = one.input_tensors, other.input_tensors
        assert len(inputs[0]) == len(inputs[1]), [layer.name for layer in layers]
        if not isinstance(layers[0], keras.layers.Concatenate):
            inputs = [sorted(tensors, key=_signature) for tensors in inputs]
        stack.extend(zip(*inputs, strict=True))
    assert len(pairs) == sum(bool(layer.weights) for layer in source.layers)
    assert len(pairs) == sum(bool(layer.weights) for layer in target.layers)
    return pairs


def _next_weighted_or_merge(tensor):
    """Return the node behind a tensor, past layers that have one input and no weights."""
    operation, index, _ = tensor._keras_history
    node = operation._inbound_nodes[index]
    while not (node.is_input or operation.weights or len(node.input_tensors) > 1):
        operation, index, _ = node.input_tensors[0]._keras_history
        node = operation._inbound_nodes[index]
    return node


def _signature(tensor):
    """Return what tells the inputs of an addition apart: the weighted layers right behind them."""
    shapes, node = [], _next_weighted_or_merge(tensor)
    while len(shapes) < 4 and not node.is_input:
        if len(node.input_tensors) > 1:
            # One network may add where its twin scales and adds in one layer.
            shapes.append(("merge", []))
            break
        kind = type(node.operation).__name__
        shapes.append((kind, [tuple(weight.shape) for weight in node.operation.weights]))
        node = _next_weighted_or_merge(node.input_tensors[0])
    return str(shapes)
