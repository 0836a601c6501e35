"""The layer whose feature maps are looked at: by its name, by its stage, or the last stage's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from keras_convnets import checks
from keras_convnets.explaining.forward import Place, place_of
from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import GLOBAL_POOLINGS, KERNELS, POOLINGS, LayerType
from keras_convnets.graph.stages import Placed, column_of, full_name, placed_layers
from keras_convnets.graph.topology import ancestors, trunk
from keras_convnets.graph.walk import walk
from keras_convnets.received import shown

# What only selects or moves values: the feature maps before it have the finer places.
_PASSING = POOLINGS | {
    *(LayerType.DROPOUT, LayerType.IDENTITY, LayerType.PADDING, LayerType.CROPPING),
    *(LayerType.PAD_OPERATION, LayerType.RESHAPE, LayerType.REARRANGEMENT),
}
_HEAD = re.compile(r"(\w+_)?(aux[0-9]*|head)")


@dataclasses.dataclass(frozen=True)
class FeatureLayer:
    """A layer of a model whose output is feature maps.

    Attributes:
        name: its name, after those of the models around it.
        stage: the name of its stage.
        place: the place of its call in the model.
        shape: the shape of its output without the batch axis, in the data format of the model.
        size: the rows and columns of the feature maps.
        dtype: the type of its output.
    """

    name: str
    stage: str
    place: Place
    shape: tuple[int, ...]
    size: tuple[int, int]
    dtype: str


def feature_layer(
    model: Any, wanted: Any, image_shape: Sequence[int], of_one_pixel: bool = False
) -> FeatureLayer:
    """Return a layer of feature maps.

    Args:
        model: a functional model of one input.
        wanted: the name of a layer, a block, a stage or a nested model; of more than a layer, the
            last feature maps that all paths pass. ``None`` for those of the last stage.
        image_shape: ``(channels, rows, cols)`` of the images.
        of_one_pixel: whether feature maps of one row and one column count, which have no places but
            say what is in the image. Those after global pooling are none.

    Raises:
        ValueError: there is no such layer, or it outputs no feature maps.
    """
    placed = placed_layers(model)
    maps = _maps(placed, of_one_pixel)
    if not maps:
        raise ValueError(
            f"model: {model.name} has no feature maps: none of its layers outputs rows and columns "
            "of what a convolution has computed; expected a convolutional network. Pass one; of "
            "explain's methods, 'integrated_gradients' and 'occlusion' need none."
        )
    found = _last(placed, maps) if wanted is None else _named(model, placed, maps, wanted)
    place = place_of(found.call)
    [call] = [one for one in walk(model, tuple(image_shape)) if one.outputs and _is(one, place)]
    [output] = call.outputs
    rows, cols = call.spatial
    sizes: Any = output.shape
    return FeatureLayer(found.name, found.stage, place, tuple(sizes), (rows, cols), output.dtype)


def _is(call: Call, place: Place) -> bool:
    return not call.is_input and place_of(call) == place


def _maps(placed: Sequence[Placed], of_one_pixel: bool) -> list[Placed]:
    """Return the calls whose output is feature maps."""
    kernels = {one.call for one in placed if one.call.type in KERNELS}
    pooled = {one.call for one in placed if one.call.type in GLOBAL_POOLINGS}

    def is_one(call: Call) -> bool:
        if len(call.outputs) != 1 or len(call.shape) != 3:
            return False
        before = ancestors([call])
        if call.spatial == (1, 1) and not (of_one_pixel and pooled.isdisjoint(before)):
            return False
        return not kernels.isdisjoint(before)

    return [one for one in placed if is_one(one.call)]


def _last(placed: Sequence[Placed], maps: Sequence[Placed]) -> Placed:
    """Return the last feature maps on all paths, not those of a head, nor pooled ones."""
    on_trunk = set(trunk([one.call for one in placed]))
    found = [one for one in maps if one.call in on_trunk] or list(maps)
    found = [one for one in found if not _HEAD.fullmatch(one.block)] or found
    return next((one for one in reversed(found) if one.call.type not in _PASSING), found[-1])


def _named(model: Any, placed: Sequence[Placed], maps: Sequence[Placed], wanted: Any) -> Placed:
    checks.text("layer", wanted, "the name of a stage or of a layer, such as 'conv4'")
    members = [one for one in placed if f"/{wanted}/" in f"/{one.call.model}/"]
    if not members:
        name = full_name(dict.fromkeys(one.name for one in placed), wanted, "layer")
        members = [one for one in placed if one.name == name][-1:]  # its last use
    if not members:
        name, column = column_of(placed, wanted, "layer")
        members = [one for one, its in zip(placed, column, strict=True) if its == name]
    inside = [one for one in maps if one in members]
    if not inside:
        stages = ", ".join(dict.fromkeys(repr(one.stage) for one in maps))
        shape = tuple(members[-1].call.shape)
        raise ValueError(
            f"layer: received {shown(wanted)}, which outputs {shape}; expected feature maps, of "
            f"rows and columns, in one of the stages {stages} of {model.name}. Name a stage or one "
            "of its layers."
        )
    on_trunk = set(trunk([one.call for one in placed]))
    return next((one for one in reversed(inside) if one.call in on_trunk), inside[-1])
