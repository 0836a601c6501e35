"""From calls to blocks, where no names of ours say them: segments of the graph, joined by names."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence

from keras_convnets.graph.calls import Call
from keras_convnets.graph.prefixes import Words, is_named_by_class, is_numbered, leading, words_of
from keras_convnets.graph.topology import chains, components, segments
from keras_convnets.graph.words import is_heavy

# A segment with more layers than any published block has is no block: a U-Net, NASNet.
_MOST_LAYERS_OF_A_BLOCK = 60


@dataclasses.dataclass(frozen=True)
class Group:
    """Layers that are to be one block.

    ``words`` are those of its first layer's name; ``label`` is what says the block's name, or
    nothing where no name says it; a ``weak`` label holds only if a neighbour has it too.
    """

    calls: list[Call]
    words: Words
    label: Words
    has_branches: bool
    is_weak: bool = False


def groups_of(calls: Sequence[Call], model_prefix: str) -> list[Group]:
    """Return the blocks of a model; inputs are left out."""
    groups: list[Group] = []
    for segment in segments(calls):
        groups += _of_segment(segment, model_prefix)
    return _joined(_joined_forward(_joined(_without_weak_labels(groups))))


def _of_segment(segment: list[Call], model_prefix: str) -> list[Group]:
    """Return a segment as one group; as several where it is no block, or has several inputs."""
    rest = [call for call in segment if not call.is_input]
    if len(rest) < len(segment) and len(rest) > 1:
        towers = components(rest[:-1])
        if len(towers) > 1:
            parts = [*(part for tower in towers for part in segments(tower)), rest[-1:]]
            return [group for part in parts for group in _of_segment(part, model_prefix)]
        return _taken_apart(chains(rest), model_prefix)
    if not rest:
        return []
    group = _group(rest, model_prefix)
    if len(rest) <= _MOST_LAYERS_OF_A_BLOCK and (group.label or not _has_blocks_inside(rest)):
        return [group]
    return _taken_apart(chains(rest), model_prefix)


def _taken_apart(runs: Sequence[list[Call]], model_prefix: str) -> list[Group]:
    """Return runs without a fork as groups: cut where names change, if that says blocks apart.

    In a U-Net it does; in NASNet, layers of all blocks share their few prefixes.
    """
    single = [_group([call], model_prefix) for run in runs for call in run]
    labels = [group.label for group in _joined(single)]
    named = [label for label in labels if label]
    if len(named) <= 2 * len(set(named)):
        return single
    return [Group(run, (), (), has_branches=False) for run in runs]


def _has_blocks_inside(segment: Sequence[Call]) -> bool:
    """Return whether the layers' names speak of several blocks, as those of a U-Net do."""
    named = [call for call in segment if not is_named_by_class(call)]
    labels = {leading(words_of(call, "")) for call in named}
    return sum(is_numbered(label) for label in labels) > 2


def _group(segment: list[Call], model_prefix: str) -> Group:
    named = [call for call in segment if not is_named_by_class(call)]
    names = [words_of(call, model_prefix) for call in named]
    words = names[0] if names else ()
    if len(segment) == 1:
        label = leading(words)
        is_weak = bool(label) and not is_numbered(label)
        return Group(segment, words, label, has_branches=False, is_weak=is_weak)
    shared = tuple(words[0] for words in itertools.takewhile(_all_equal, zip(*names, strict=False)))
    # Where only the merge has a name (Inception-v3's mixed10), the block is called after it.
    is_named = bool(named) and named[-1] is segment[-1] and not _has_blocks_inside(segment)
    return Group(segment, words, shared or (names[-1] if is_named else ()), has_branches=True)


def _all_equal(words: Words) -> bool:
    return len(set(words)) == 1


def _without_weak_labels(groups: list[Group]) -> list[Group]:
    """Drop a label without a number unless it is of several neighbours, and of them alone.

    So ``stem_conv`` and ``stem_bn`` are a block, and ``avg_pool`` is not called ``avg``.
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
    """Join segments that follow each other and are of one block."""
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
    """Join padding, flattening and the like with the layer that they prepare."""
    found: list[Group] = []
    for group in groups:
        last = found[-1] if found else None
        if last and _only_prepares(last) and _follows(last, group):
            found.pop()
            group = dataclasses.replace(group, calls=last.calls + group.calls)
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
        return is_named_by_class(new.calls[0]) and _completes(new.calls[0])
    return _continues(last.calls, new.calls[0])


def _follows(last: Group, new: Group) -> bool:
    return last.calls[-1] in new.calls[0].parents


def _extends(last: Group, new: Group) -> bool:
    """Return whether a name goes on where the block's label ends, without a block's number."""
    length = len(last.label)
    names = (new.label,) if new.has_branches else (new.words, new.label)
    begins_alike = any(name[:length] == last.label for name in names)
    return begins_alike and not is_numbered(new.label[length:])


def _completes(call: Call) -> bool:
    """Return whether a layer belongs to what comes before it: BN, ReLU, dropout."""
    return not is_heavy(call.layer) and not call.kind.startswith(("ZeroPadding", "Flatten"))


def _continues(calls: Sequence[Call], call: Call) -> bool:
    """Return whether an unnamed layer goes with those before it: conv → BN → ReLU.

    A block begins with its convolution, or with the padding or the normalisation before it.
    """
    before = [one for one in calls if is_heavy(one.layer)]
    if not is_heavy(call.layer):
        return not before or _completes(call)
    return all(_ends_maps(one) for one in before)


def _ends_maps(call: Call) -> bool:
    return call.kind.startswith("Global") or call.kind == "Flatten"


def _only_prepares(group: Group) -> bool:
    return not group.label and not any(is_heavy(call.layer) for call in group.calls)
