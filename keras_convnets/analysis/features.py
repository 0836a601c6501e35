"""Feature maps for detection and segmentation: the stage outputs of any network, by stride."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import keras

from keras_convnets.analysis.level_numbers import level_numbers
from keras_convnets.analysis.receptive_field.strides import Stride, strides
from keras_convnets.fast.layers import fast_layers
from keras_convnets.graph.calls import Call
from keras_convnets.graph.functional import given_to, graph_of
from keras_convnets.graph.groups import places, walk_by_blocks
from keras_convnets.graph.layer_types import KERNELS, WINDOW_POOLINGS, LayerType
from keras_convnets.graph.topology import trunk
from keras_convnets.known import pass_on
from keras_convnets.recursion import room_for
from keras_convnets.typed import explaining

# The levels that detectors use, of strides 2 to 32. C0, at image size, is returned only on request.
_USUAL = range(1, 6)
_NEVER = re.compile(r"(\w+_)?((transition|aux)[0-9]*|head)")


class Level(NamedTuple):
    """A feature level of a network: the output of a stage.

    Attributes:
        name: ``"C3"`` for feature maps of stride 8, ``2**3``.
        layer: the name of the layer that outputs the feature maps.
        stride: the distance between neighbouring units, in pixels of the image.
        channels: the number of channels.
    """

    name: str
    layer: str
    stride: int
    channels: int


@explaining
def levels(model: Any) -> tuple[Level, ...]:
    """Return the feature levels of a functional model, finest first, including C0.

    Level C<k> is the last tensor of stride ``2**k`` that is on all paths of the network and ends a
    block, or directly precedes the pooling that ends a block. Strides are exact even for odd sizes
    and valid padding, because they are computed from the layers, not from the sizes. A transition
    (in a DenseNet, or pooling between blocks) is a level only if no other tensor has its stride.
    Heads and auxiliary heads are never levels. If few tensors are on all paths, as in NASNet, whose
    cells take the outputs of the two previous cells, some levels are missing. A nested model that
    has several blocks, such as the base of a fine-tuned model, has its own levels.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not; sizes may be unknown.

    Raises:
        ValueError: if the model is not functional, or its inputs have no rows and columns.

    Examples:
        >>> from keras_convnets import create_model, levels
        >>> for level in levels(create_model("resnet_18")):
        ...     print(*level)
        C1 conv1_relu 2 64
        C2 conv2_block2_add 4 64
        C3 conv3_block2_add 8 128
        C4 conv4_block2_add 16 256
        C5 final_relu 32 512
    """
    return tuple(_level(*item) for item in _found(model, _walk(model)).items())


@explaining
def features(model: Any, levels: Iterable[int | str] | None = None) -> keras.Model:
    """Return a model with the same input that outputs the feature maps at the end of each stage.

    Detection and segmentation networks (an FPN, a U-Net decoder, DeepLab) can be built on it. It
    shares the layers and weights of ``model``, so training one also trains the other.
    [`levels`][keras_convnets.levels] lists the layer of each level.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not, with or without its top, in any data format; rows and columns may be unknown.
        levels: the levels to return, such as ``(3, 4, 5)`` or ``("C3", "C4", "C5")``: C<k> has
            stride ``2**k``. By default, all of C1 to C5 that the network has.

    Returns:
        A functional model whose output is a dictionary of feature maps, ``{"C1": ..., "C2": ...}``,
        finest first. Its attribute ``levels`` has a
        [`Level`][keras_convnets.analysis.features.Level] for each: name, layer, stride, channels.
        Keras does not save the attribute; for a loaded model, call ``levels`` again. A nested model
        with levels is computed once for these, and once more if a later level depends on it.

    Raises:
        ValueError: if the model lacks a level or is not functional, or if its input has no rows and
            columns.

    Examples:
        >>> from keras_convnets import create_model, features
        >>> backbone = features(create_model("resnet_18", (3, 64, 96), 10), (3, 4, 5))
        >>> {name: maps.shape for name, maps in backbone.output.items()}["C4"]
        (None, 4, 6, 256)
        >>> [(level.name, level.stride, level.channels) for level in backbone.levels]
        [('C3', 8, 128), ('C4', 16, 256), ('C5', 32, 512)]
    """
    calls = _walk(model)
    found = _found(model, calls)
    chosen = _chosen(model, found, levels)
    ends = {f"C{number}": found[number] for number in chosen}
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    with room_for(len(calls)):
        outputs = _tensors(ends)
        made = keras.Model(
            inputs, {name: outputs[name] for name in ends}, name=f"{model.name}_features"
        )
    made.levels = tuple(_level(number, found[number]) for number in chosen)
    pass_on(model, made, class_names=False)
    return fast_layers(made)


def _tensors(ends: dict[str, Call], depth: int = 0) -> dict[str, Any]:
    """Return the outputs of calls in the graph of the model around them.

    A nested model is called anew, with the calls within it as its outputs.
    """
    found = {
        name: end.outputs[0].symbol for name, end in ends.items() if len(end.enclosing) == depth
    }
    within: dict[Any, dict[str, Call]] = {}
    for name in ends.keys() - found.keys():
        within.setdefault(ends[name].enclosing[depth], {})[name] = ends[name]
    for number, (node, inner) in enumerate(within.items()):
        name = f"{node.operation.name}_features{number or ''}"
        graph = graph_of(node.operation)
        nested = keras.Model(graph.inputs, _tensors(inner, depth + 1), name=name)
        found |= nested(given_to(node, node.operation))
    return found


def _level(number: int, call: Call) -> Level:
    return Level(f"C{number}", call.name, 2**number, cast(int, call.shape[0]))


def _walk(model: Any) -> list[Call]:
    """Return the calls of a model on images, and of nested models that have several blocks."""
    calls = walk_by_blocks(model)
    shapes = [call.shape for call in calls if call.is_input]
    if all(len(shape) != 3 for shape in shapes):
        raise ValueError(
            f"model: received {model.name!r}, whose input is {' and '.join(map(str, shapes))}; "
            "expected images of (channels, rows, cols). Pass a network of 2D convolutions."
        )
    return calls


def _found(model: Any, calls: Sequence[Call]) -> dict[int, Call]:
    """Return the calls whose outputs are the levels, keyed by level number, finest first."""
    placed = places(calls, model.name)
    stride = strides(calls)
    blocks: dict[str, list[Call]] = {}
    for call in calls:
        blocks.setdefault(placed[call].block, []).append(call)
    found: dict[int | None, Call] = {}
    spare: dict[int | None, Call] = {}
    for name, run in itertools.groupby(_backbone(calls, stride), lambda call: placed[call].block):
        if not _NEVER.fullmatch(name):
            passed, block = list(run), blocks[name]
            kept = spare if _only_passes_on(passed, block) else found
            kept.update((_number(stride[call]), call) for call in _ends(passed, block, stride))
    numbered = {number: call for number, call in (spare | found).items() if number is not None}
    return dict(sorted(numbered.items()))


def _backbone(calls: Sequence[Call], stride: dict[Call, Stride]) -> Iterator[Call]:
    """Yield the calls on all image paths, from the first convolution to the last feature maps.

    A decoder, in which strides decrease again along the trunk, is excluded, as are the calls after
    global pooling.
    """
    of_image: set[Call] = set()
    computed: set[Call] = set()
    for call in calls:
        if (call.is_input and stride[call]) or not of_image.isdisjoint(call.parents):
            of_image.add(call)
        if _computes(call) or not computed.isdisjoint(call.parents):
            computed.add(call)
    before = None
    for call in trunk([call for call in calls if call in of_image]):
        now = stride[call]
        if before and (now is None or now < before):
            return
        if call in computed and len(call.outputs) == 1:
            yield call
            before = now


def _ends(
    passed: Sequence[Call], block: Sequence[Call], stride: dict[Call, Stride]
) -> Iterator[Call]:
    """Yield the candidates for levels in a block: its end, and the input of a final stride.

    ``passed`` are the calls of the block that are on all paths. Layers before the first convolution
    of the block, such as the BN and ReLU of a pre-activation, are not candidates.
    """
    heavy = [call for call in block if call.description.heavy]
    if heavy and heavy[-1] in passed and any(map(_computes, heavy[:-1])):
        before = [call for call in passed[: passed.index(heavy[-1])] if not _pads(call)]
        if before and stride[before[-1]] != stride[heavy[-1]]:
            yield before[-1]
    yield passed[-1]


def _only_passes_on(passed: Sequence[Call], block: Sequence[Call]) -> bool:
    """Return whether a block pools and all its kernels are 1x1, as in a DenseNet's transition."""
    kernels = [call.layer.kernel_size for call in block if call.type in KERNELS]
    pools = any(call.type in WINDOW_POOLINGS and max(call.layer.strides) > 1 for call in passed)
    return pools and all(max(kernel) == 1 for kernel in kernels)


def _computes(call: Call) -> bool:
    """Return whether a call is a convolution, or a model that may contain convolutions."""
    return call.description.kind in ("convolution", "model")


def _pads(call: Call) -> bool:
    return call.type in (LayerType.PADDING, LayerType.PAD_OPERATION)


def _number(stride: Stride) -> int | None:
    """Return the level of a stride: 3 for 8 on both axes, ``None`` if it is not a power of 2."""
    if stride is None or len(set(stride)) > 1 or stride[0].denominator > 1:
        return None
    pixels = stride[0].numerator
    return pixels.bit_length() - 1 if pixels.bit_count() == 1 else None


def _chosen(model: Any, found: dict[int, Call], given: Any) -> list[int]:
    """Return the numbers of the requested levels, finest first."""
    usual = [number for number in found if number in _USUAL]
    asked = usual if given is None else level_numbers(given)
    absent = [f"C{number}" for number in sorted(set(asked) - set(found))]
    if asked and not absent:
        return sorted(set(asked))
    has = ", ".join(f"C{number} ({call.name})" for number, call in found.items()) or "none"
    remedy = f" Leave out {', '.join(absent)}." if absent and found else " Ask for one of them."
    raise ValueError(
        f"levels: received {given!r}; expected levels that {model.name!r} has: {has}."
        f"{remedy if found else ''}"
    )
