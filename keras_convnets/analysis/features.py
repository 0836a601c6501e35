"""Feature maps for detection and segmentation: the stages' outputs of any network, by stride."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import keras

from keras_convnets.analysis.level_numbers import level_numbers
from keras_convnets.analysis.receptive_field.strides import Stride, strides
from keras_convnets.graph.calls import Call
from keras_convnets.graph.functional import is_functional
from keras_convnets.graph.groups import places
from keras_convnets.graph.topology import trunk
from keras_convnets.graph.walk import walk
from keras_convnets.recursion import room_for

# What detectors take: strides 2 to 32. C0, at the size of the image, is there when asked for.
_USUAL = range(1, 6)
_NEVER = re.compile(r"(transition|aux)[0-9]*|head")


class Level(NamedTuple):
    """One of the feature maps that a network offers: the output of a stage.

    Attributes:
        name: ``"C3"`` for the feature maps of stride 8, ``2**3``.
        layer: the name of the layer whose output it is.
        stride: pixels of the image from one unit to the next one.
        channels: their number of channels.
    """

    name: str
    layer: str
    stride: int
    channels: int


def levels(model: Any) -> tuple[Level, ...]:
    """Return the feature levels that a functional model has, finest first, C0 included.

    Level C<k> is the last tensor of stride ``2**k`` which all of the network's paths pass and
    which ends a block, or comes right before the pooling that ends one. Strides are exact, also
    for odd sizes and valid padding: they are read off the layers, not off the sizes. Transitions
    (those of DenseNets, and poolings between blocks) are no level where anything else has their
    stride; heads and auxiliary heads are none. Where few tensors are on all paths, as in NASNet,
    whose cells look two back, levels are missing.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not; sizes may be open.

    Raises:
        ValueError: not a functional model, or one whose inputs have no rows and columns.

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


def features(model: Any, levels: Iterable[int | str] | None = None) -> keras.Model:
    """Return a model of the same input whose outputs are the feature maps at the end of each stage.

    It is what detection and segmentation are built on: an FPN, a U-Net's decoder, DeepLab. The
    layers are those of ``model``, and so are the weights: what trains one trains the other.
    [`levels`][keras_convnets.levels] says which layer's output a level is.

    Args:
        model: a functional ``keras.Model`` or a built ``keras.Sequential``, built by this package
            or not, with its top or without, in any data format; rows and columns may be open.
        levels: such as ``(3, 4, 5)`` or ``("C3", "C4", "C5")``: C<k> has stride ``2**k``. By
            default, those of C1 to C5 that the network has.

    Returns:
        A functional model whose output is a dictionary of feature maps, ``{"C1": ..., "C2": ...}``,
        finest first. Its attribute ``levels`` has a
        [`Level`][keras_convnets.analysis.features.Level] for each: name, layer, stride, channels.
        Keras does not save the attribute; ``levels`` lists what a loaded model has.

    Raises:
        ValueError: the model lacks a level; it is not functional; its input has no rows and
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
    outputs = {f"C{number}": found[number].outputs[0].symbol for number in chosen}
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    with room_for(len(calls)):
        made = keras.Model(inputs, outputs, name=f"{model.name}_features")
    made.levels = tuple(_level(number, found[number]) for number in chosen)
    return made


def _level(number: int, call: Call) -> Level:
    return Level(f"C{number}", call.name, 2**number, cast(int, call.shape[0]))


def _walk(model: Any) -> list[Call]:
    """Return the calls of a model on images; models within are one call each."""
    calls = walk(model, expand_nested=False)
    shapes = [call.shape for call in calls if call.is_input]
    if all(len(shape) != 3 for shape in shapes):
        raise ValueError(
            f"model: received {model.name!r}, whose input is {' and '.join(map(str, shapes))}; "
            "expected images of (channels, rows, cols). Pass a network of 2D convolutions."
        )
    return calls


def _found(model: Any, calls: Sequence[Call]) -> dict[int, Call]:
    """Return the calls whose outputs are the levels, by their numbers, finest first."""
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
    """Yield what all paths of the image pass, from the first convolution to the last feature maps.

    A decoder, where strides fall again on the trunk, is left out, and so is what follows global
    pooling.
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
    """Yield what can be a level of a block: its end, and what its last layer strides over.

    ``passed`` is what all paths pass of the block. Its own first layers are no level, for they
    come before the work of the block: batch normalisation and ReLU of a pre-activation.
    """
    heavy = [call for call in block if call.description.heavy]
    if heavy and heavy[-1] in passed and any(map(_computes, heavy[:-1])):
        before = [call for call in passed[: passed.index(heavy[-1])] if not _pads(call)]
        if before and stride[before[-1]] != stride[heavy[-1]]:
            yield before[-1]
    yield passed[-1]


def _only_passes_on(passed: Sequence[Call], block: Sequence[Call]) -> bool:
    """Return whether a block pools, and sees more in no other way: a DenseNet's transition."""
    kernels = [getattr(call.layer, "kernel_size", (1,)) for call in block]
    pools = any(hasattr(call.layer, "pool_size") and max(call.layer.strides) > 1 for call in passed)
    return pools and all(max(kernel) == 1 for kernel in kernels)


def _computes(call: Call) -> bool:
    """Return whether a call is a convolution, or a model that may hold some."""
    return call.description.kind in ("convolution", "model")


def _pads(call: Call) -> bool:
    return call.kind.startswith("ZeroPadding")


def _number(stride: Stride) -> int | None:
    """Return 3 of stride 8 on both axes; ``None`` of one that is no power of 2."""
    if stride is None or len(set(stride)) > 1 or stride[0].denominator > 1:
        return None
    pixels = stride[0].numerator
    return pixels.bit_length() - 1 if pixels.bit_count() == 1 else None


def _chosen(model: Any, found: dict[int, Call], given: Any) -> list[int]:
    """Return the numbers of the levels that are asked for, finest first."""
    usual = [number for number in found if number in _USUAL]
    asked = usual if given is None else level_numbers(given)
    absent = [f"C{number}" for number in sorted(set(asked) - set(found))]
    if asked and not absent:
        return sorted(set(asked))
    has = ", ".join(f"C{number} ({call.name})" for number, call in found.items()) or "none"
    remedy = f" Leave out {', '.join(absent)}." if absent and found else " Ask for one of them."
    raise ValueError(
        f"levels: received {given!r}; expected levels that {model.name!r} has: {has}."
        f"{remedy if found else ''}{_about_models_within(model)}"
    )


def _about_models_within(model: Any) -> str:
    inner = [layer.name for layer in model.layers if is_functional(layer)]
    if not inner:
        return ""
    return (
        " Layers of models within it are none of its own: for them, pass "
        f"model.get_layer({max(inner, key=len)!r})."
    )
