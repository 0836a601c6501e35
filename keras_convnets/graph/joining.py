"""Blocks of models that do not use our naming scheme: graph segments, joined by layer names."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from keras_convnets.graph.calls import Call
from keras_convnets.graph.layer_types import GLOBAL_POOLINGS, LayerType
from keras_convnets.graph.prefixes import Name, Words, is_numbered
from keras_convnets.graph.topology import Piece

# A segment with more layers than any published block is not a block, as in U-Nets and NASNet.
MOST_LAYERS_OF_A_BLOCK = 60
_PREPARES = {LayerType.PADDING, LayerType.FLATTEN}


@dataclasses.dataclass(frozen=True)
class Group:
    """Layers that will form one block.

    ``words`` are the words in the name of its first named layer. ``label`` is the part of the names
    that identifies the block, or empty. A weak label counts only if a neighbour shares it.
    """

    calls: list[Call]
    words: Words
    label: Words
    has_branches: bool
    begins_by_class: bool  # whether its first layer has an automatic name
    is_weak: bool = False


def groups_of(pieces: Iterable[Piece], names: Mapping[Call, Name]) -> list[Group]:
    """Return the blocks formed by the pieces of a model, given its parsed layer names."""
    groups: list[Group] = []
    for piece in pieces:
        groups += _of_piece(piece, names)
    return _joined(_joined_forward(_joined(_without_weak_labels(groups))))


def _of_piece(piece: Piece, names: Mapping[Call, Name]) -> list[Group]:
    """Return a piece as one group or, if it is not a single block, split along its chains.

    It is split where names change, if names distinguish blocks. In a U-Net they do; in NASNet, all
    blocks share a few prefixes.
    """
    group = _group(piece.calls, names)
    is_small = len(piece.calls) <= MOST_LAYERS_OF_A_BLOCK
    if is_small and not piece.takes_inputs and (group.label or not _has_blocks(piece.calls, names)):
        return [group]
    single = [_group([call], names) for chain in piece.chains for call in chain]
    labels = [group.label for group in _joined(single)]
    named = [label for label in labels if label]
    if len(named) <= 2 * len(set(named)):
        return single
    return [
        Group(chain, (), (), has_branches=False, begins_by_class=names[chain[0]].is_by_class)
        for chain in piece.chains
    ]


def _has_blocks(segment: Sequence[Call], names: Mapping[Call, Name]) -> bool:
    """Return whether the layer names refer to several blocks, as in a U-Net."""
    own = [names[call] for call in segment if not names[call].is_by_class]
    return len({name.label for name in own if name.is_numbered}) > 2


def _group(segment: list[Call], names: Mapping[Call, Name]) -> Group:
    own = [names[call] for call in segment if not names[call].is_by_class]
    words = [name.words for name in own]
    first, by_class = words[0] if words else (), names[segment[0]].is_by_class
    if len(segment) == 1:
        label = own[0].label if own else ()
        is_weak = bool(label) and not own[0].is_numbered
        return Group(segment, first, label, False, by_class, is_weak)
    shared = tuple(word[0] for word in itertools.takewhile(_all_equal, zip(*words, strict=False)))
    # If only the merge has an explicit name (Inception-v3's mixed10), the block is named after it.
    is_named = not names[segment[-1]].is_by_class and not _has_blocks(segment, names)
    return Group(segment, first, shared or (words[-1] if is_named else ()), True, by_class)


def _all_equal(words: Words) -> bool:
    return len(set(words)) == 1


def _without_weak_labels(groups: list[Group]) -> list[Group]:
    """Drop a label without a number unless only one run of several neighbours has it.

    Thus ``stem_conv`` and ``stem_bn`` form a block, but ``avg_pool`` is not named ``avg``.
    """
    runs = [(label, len(list(run))) for label, run in itertools.groupby(groups, _get_label)]
    times = Counter(label for label, _ in runs)
    kept = {label for label, length in runs if length > 1 and times[label] == 1}
    return [
        dataclasses.replace(group, label=()) if group.is_weak and group.label not in kept else group
        for group in groups
    ]


def _get_label(group: Group) -> Words:
    return group.label


def _joined(groups: Sequence[Group]) -> list[Group]:
    """Join consecutive segments that belong to the same block."""
    found: list[Group] = []
    for group in groups:
        if found and _belong_together(found[-1], group):
            found[-1] = dataclasses.replace(
                found[-1],
                calls=found[-1].calls + group.calls,
                has_branches=found[-1].has_branches or group.has_branches,
            )
        else:
            found.append(group)
    return found


def _joined_forward(groups: Sequence[Group]) -> list[Group]:
    """Join layers such as padding and flattening with the layer that follows them."""
    found: list[Group] = []
    for group in groups:
        last = found[-1] if found else None
        if last and _only_prepares(last) and _follows(last, group):
            found.pop()
            calls = last.calls + group.calls
            group = dataclasses.replace(group, calls=calls, begins_by_class=last.begins_by_class)
        found.append(group)
    return found


def _belong_together(last: Group, new: Group) -> bool:
    if not _follows(last, new) or (last.has_branches and new.has_branches):
        return False
    if last.label and new.label:
        return last.label == new.label or _extends(last, new)
    if new.label or len(new.calls[0].parents) > 1 or new.has_branches:
        return False
    if last.label:
        return new.begins_by_class and _completes(new.calls[0])
    return _continues(last.calls, new.calls[0])


def _follows(last: Group, new: Group) -> bool:
    return last.calls[-1] in new.calls[0].parents


def _extends(last: Group, new: Group) -> bool:
    """Return whether a name extends the block's label without a further block number."""
    length = len(last.label)
    names = (new.label,) if new.has_branches else (new.words, new.label)
    begins_alike = any(name[:length] == last.label for name in names)
    return begins_alike and not is_numbered(new.label[length:])


def _completes(call: Call) -> bool:
    """Return whether a layer belongs to the layers before it: BN, ReLU, dropout."""
    return not call.description.heavy and call.type not in _PREPARES


def _continues(calls: Sequence[Call], call: Call) -> bool:
    """Return whether an unnamed layer belongs to the ones before it: conv → BN → ReLU.

    A block begins with its convolution, or with the padding or normalisation before it.
    """
    before = [one for one in calls if one.description.heavy]
    if not call.description.heavy:
        return not before or _completes(call)
    return all(_flattens(one) for one in before)


def _flattens(call: Call) -> bool:
    return call.type in GLOBAL_POOLINGS or call.type is LayerType.FLATTEN


def _only_prepares(group: Group) -> bool:
    return not group.label and not any(call.description.heavy for call in group.calls)
