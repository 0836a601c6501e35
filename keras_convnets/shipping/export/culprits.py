"""Which layer of a model a converter refuses, by what it says about operations of the graph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from keras_convnets.keras_private import all_layers
from keras_convnets.received import line
from keras_convnets.shipping.export.graph import Graph

_NUMBERED = re.compile(r"_[0-9]+$")


def refused(graph: Graph, runtime: str, error: Exception) -> ValueError:
    """Return the error of a converter that cannot write a graph.

    Args:
        graph: the graph.
        runtime: the name of what would run it.
        error: what the converter raised.
    """
    # LiteRT's converter says the places in a list beside its message.
    nodes = _named(graph, " ".join(map(str, [error, *getattr(error, "errors", ())])))
    found = list({layer_of(graph.model, node.name): node.op for node in nodes}.items())
    where = "; ".join(f"{layer} ({operation})" for layer, operation in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    reason = f"cannot do {where}{more}" if found else f"refuses it ({line(str(error))})"
    return ValueError(
        f"model: received {graph.model.name!r}, but {runtime} {reason}; expected operations that "
        "it has. Replace that layer, or export to another kind of file."
    )


def layer_of(model: Any, operation: str) -> str:
    """Return the words for the layer that an operation of the graph belongs to, by its name.

    Keras opens a scope of the layer's name, to which TensorFlow may add a number.
    """
    names = {layer.name: layer for layer in all_layers(model) if layer is not model}
    for part in reversed(operation.split("/")):
        for name in (part, _NUMBERED.sub("", part)):
            if name in names:
                return f"layer {name!r} ({type(names[name]).__name__})"
    return f"operation {operation!r}"


def _named(graph: Graph, text: str) -> Iterator[Any]:
    """Yield the operations whose names a text mentions; if there are none, those of its types."""
    nodes = graph.function.graph.as_graph_def().node
    words = set(re.findall(r"[\w./-]+", text))
    known = [node for node in nodes if node.op not in ("Const", "Placeholder", "Identity", "NoOp")]
    by_name = [node for node in known if node.name in words and "/" in node.name]
    if by_name:
        yield from by_name
        return
    types = words | {word.removeprefix("tf.").removeprefix("Flex") for word in words}
    yield from (node for node in known if node.op in types)
