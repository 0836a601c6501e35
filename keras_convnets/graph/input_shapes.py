"""The input shapes for which a model is walked: those it was built with, or others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.graph.calls import Call, TensorShape, in_papers_order


def input_shapes(graph: Any, given: Any, data_format: str) -> list[TensorShape]:
    """Return the shapes of a graph's inputs in Keras' order.

    ``given`` has the shapes in the order of papers; if it is ``None``, the built shapes are used.

    Raises:
        ValueError: if the inputs cannot have these shapes.
    """
    built = [tuple(tensor.shape[1:]) for tensor in graph.inputs]
    if given is None:
        return built
    alone = len(built) == 1 and not _is_list_of_shapes(given)
    shapes = [given] if alone or not isinstance(given, list | tuple) else list(given)
    if len(shapes) != len(built):
        raise ValueError(
            f"input_shape: received {given!r}; expected a list with a shape for each of the "
            f"{len(built)} inputs."
        )
    return [_checked(*pair, data_format) for pair in zip(shapes, built, strict=True)]


def _is_list_of_shapes(given: Any) -> bool:
    return (
        bool(given)
        and isinstance(given, list | tuple)
        and all(isinstance(one, list | tuple) for one in given)
    )


def _checked(given: Any, built: TensorShape, data_format: str) -> TensorShape:
    """Return a shape in Keras' order, after checking that the input accepts it."""
    papers = in_papers_order(built, data_format)
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(built):
        raise ValueError(
            f"input_shape: received {given!r}; expected {len(built)} sizes, channels first, for an "
            f"input of {papers}."
        )
    if len(built) == 3 and given[0] != papers[0]:
        given = checks.input_shape(given)  # detects a shape with the channels last
    given = [checks.size("input_shape", size) for size in given]
    if not papers:
        return ()
    if papers[0] not in (None, given[0]):
        raise ValueError(
            f"input_shape: received {tuple(given)!r}; expected {papers[0]} channels, as the model "
            "was built with."
        )
    channels, *sizes = given
    return (channels, *sizes) if data_format == "channels_first" else (*sizes, channels)


def open_sizes(call: Call) -> ValueError:
    """Return the error for a call with unknown sizes."""
    names = {1: "steps", 2: "rows, cols", 3: "depth, rows, cols"}
    sizes = names.get(len(call.shape) - 1, "...")
    channels = "channels" if call.shape[0] is None else call.shape[0]
    shape = ", ".join("None" if size is None else str(size) for size in call.shape)
    return ValueError(
        f"input_shape: the model leaves sizes open, {call.name}: ({shape}); expected all of them. "
        f"Pass input_shape=({channels}, {sizes}), on the command line --input-shape."
    )
