"""Which block and which stage a layer stands in: from the names, else from the graph.

A model whose layers all follow this package's names is grouped as they say. In any other, the
segments between articulation points are joined by the prefixes that their layers' names
share; layers that Keras named by their class are joined as convolutions with what follows
them.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from keras_convnets import naming
from keras_convnets.analysis.describe import is_heavy, noun
from keras_convnets.analysis.topology import chains, components, is_acyclic, segments
from keras_convnets.analysis.walk import Call

# A segment with more layers than any published block has is no block: a U-Net, NASNet.
_MOST_LAYERS_OF_A_BLOCK = 60
_NUMBER = re.compile(r"[0-9]+[a-z]?")
_NUMBERED = re.compile(r"[A-Za-z]\w*?_?[0-9]+[a-z]?")
# In ``stage1_block2_conv1_bn`` the last number is a layer's, not a block's.
_LAYER_WORDS = re.compile(r"(conv|sepconv|dwconv|bn|norm|relu|act|pool|fc|dense|add|concat)_?[0-9]")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a layer stands: its block, and the stage that the block belongs to, if any."""

    stage: str | None
    block: str


@dataclasses.dataclass(frozen=True)
class _Group:
    """Layers that are to be one block.

    ``words`` are those of its first layer's name; ``label`` is what says the block's name, or
    nothing where no name says it; a ``weak`` label holds only if a neighbour has it too.
    """

    calls: list[Call]
    words: tuple[str, ...]
    label: tuple[str, ...]
    has_branches: bool
    is_weak: bool = False


def places(calls: Sequence[Call], model_name: str = "") -> dict[Call, Place]:
    """Return the place of every call of a model, in the order of computation."""
    inputs = [call for call in calls if call.is_input]
    found = _by_our_names(calls) or _by_prefix_and_graph(calls, f"{model_name}_")
    for call in inputs:
        found[call] = Place(None, "input" if len(inputs) == 1 else call.name)
    return _told_apart(inputs, {call: found[call] for call in calls})


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names with a number behind those that were there before: ``conv``, ``conv (2)``.

    Examples:
        >>> unique_names(["conv", "conv", "conv (2)"])
        ['conv', 'conv (2)', 'conv (2) (2)']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        candidates = (name if n == 1 else f"{name} ({n})" for n in itertools.count(1))
        unique = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(unique)
        found.append(unique)
    return found


def _told_apart(inputs: Sequence[Call], found: dict[Call, Place]) -> dict[Call, Place]:
    """Give inputs names that no block has, and number the parts of a stage that is left between."""
    blocks = {place.block for call, place in found.items() if not call.is_input}
    names = unique_names([*blocks, *(found[call].block for call in inputs)])[len(blocks) :]
    for call, name in zip(inputs, names, strict=True):
        found[call] = Place(None, name)
    if is_acyclic({call: f"{place.stage or place.block}" for call, place in found.items()}):
        return found
    in_order = dict.fromkeys((place.block, place.stage) for place in found.values())
    runs = [list(run) for _, run in itertools.groupby(in_order, key=lambda pair: pair[1])]
    stages = unique_names(run[0][1] or "" for run in runs)
    stage_of = {
        block: name for run, name in zip(runs, stages, strict=True) for block, stage in run if stage
    }
    return {call: Place(stage_of.get(at.block), at.block) for call, at in found.items()}


def _by_our_names(calls: Sequence[Call]) -> dict[Call, Place] | None:
    found = {}
    for call in calls:
        parsed = naming.parse(call.name)
        if parsed is not None:
            found[call] = Place(parsed.stage if parsed.block else None, parsed.group)
        elif not call.is_input:
            return None
    ends = {call: "an input" for call in calls if call.is_input}
    blocks = {call: place.block for call, place in found.items()}
    return found if is_acyclic(blocks | ends) else None


def _by_prefix_and_graph(calls: Sequence[Call], model_prefix: str) -> dict[Call, Place]:
    groups: list[_Group] = []
    for segment in segments(calls):
        groups += _groups_of(segment, model_prefix)
    groups = _joined(_joined_forward(_joined(_without_weak_labels(groups))))
    named = _named(groups)
    return {call: place for group, place in zip(groups, named, strict=True) for call in group.calls}


def _groups_of(segment: list[Call], model_prefix: str) -> list[_Group]:
    """Return a segment as one group; as several where it is no block, or has several inputs."""
    rest = [call for call in segment if not call.is_input]
    if len(rest) < len(segment) and len(rest) > 1:
        *before, last = rest
        towers = [part for tower in components(before) for part in segments(tower)]
        return [one for part in [*towers, [last]] for one in _groups_of(part, model_prefix)]
    if not rest:
        return []
    group = _group(rest, model_prefix)
    if len(rest) <= _MOST_LAYERS_OF_A_BLOCK and (group.label or not _has_blocks_inside(rest)):
        return [group]
    return _taken_apart(chains(rest), model_prefix)


def _taken_apart(runs: Sequence[list[Call]], model_prefix: str) -> list[_Group]:
    """Return runs without a fork as groups: cut where names change, if that says blocks apart.

    In a U-Net it does; in NASNet, layers of all blocks share their few prefixes.
    """
    single = [_group([call], model_prefix) for run in runs for call in run]
    labels = [group.label for group in _joined(single)]
    named = [label for label in labels if label]
    if len(named) <= 2 * len(set(named)):
        return single
    return [_Group(run, (), (), has_branches=False) for run in runs]


def _has_blocks_inside(segment: Sequence[Call]) -> bool:
    """Return whether the layers' names speak of several blocks, as those of a U-Net do."""
    named = [call for call in segment if not _is_named_by_class(call)]
    labels = {_leading(_words(call, "")) for call in named}
    return sum(any(_NUMBERED.fullmatch(word) for word in label) for label in labels) > 2


def _group(segment: list[Call], model_prefix: str) -> _Group:
    named = [call for call in segment if not _is_named_by_class(call)]
    names = [_words(call, model_prefix) for call in named]
    words = names[0] if names else ()
    if len(segment) == 1:
        label = _leading(words)
        is_weak = bool(label) and not any(_NUMBERED.fullmatch(word) for word in label)
        return _Group(segment, words, label, has_branches=False, is_weak=is_weak)
    shared = tuple(words[0] for words in itertools.takewhile(_all_equal, zip(*names, strict=False)))
    # Where only the merge has a name (Inception-v3's mixed10), the block is called after it.
    is_named = bool(named) and named[-1] is segment[-1] and not _has_blocks_inside(segment)
    return _Group(segment, words, shared or (names[-1] if is_named else ()), has_branches=True)


def _all_equal(words: tuple[str, ...]) -> bool:
    return len(set(words)) == 1


def _without_weak_labels(groups: list[_Group]) -> list[_Group]:
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


def _get_label(group: _Group) -> tuple[str, ...]:
    return group.label


def _joined(groups: Sequence[_Group]) -> list[_Group]:
    """Join segments that follow each other and are of one block."""
    found: list[_Group] = []
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


def _joined_forward(groups: Sequence[_Group]) -> list[_Group]:
    """Join padding, flattening and the like with the layer that they prepare."""
    found: list[_Group] = []
    for group in groups:
        last = found[-1] if found else None
        if last and _only_prepares(last) and _follows(last, group):
            found.pop()
            group = dataclasses.replace(group, calls=last.calls + group.calls)
        found.append(group)
    return found


def _belong_together(last: _Group, new: _Group) -> bool:
    if not _follows(last, new) or (last.has_branches and new.has_branches):
        return False
    if last.label and new.label:
        return last.label == new.label or _extends(last, new)
    if new.label or len(new.calls[0].parents) > 1 or new.has_branches:
        return False
    if last.label:
        return _is_named_by_class(new.calls[0]) and _completes(new.calls[0])
    return _continues(last.calls, new.calls[0])


def _follows(last: _Group, new: _Group) -> bool:
    return last.calls[-1] in new.calls[0].parents


def _extends(last: _Group, new: _Group) -> bool:
    """Return whether a name goes on where the block's label ends, without a block's number."""
    length = len(last.label)
    names = (new.label,) if new.has_branches else (new.words, new.label)
    begins_alike = any(name[:length] == last.label for name in names)
    return begins_alike and not any(_NUMBERED.fullmatch(word) for word in new.label[length:])


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


def _only_prepares(group: _Group) -> bool:
    return not group.label and not any(is_heavy(call.layer) for call in group.calls)


def _leading(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a layer's name up to its block: those before its own, numbers last.

    Examples:
        >>> _leading(("conv2", "block1", "1", "conv"))
        ('conv2', 'block1')
        >>> _leading(("stem", "conv"))
        ('stem',)
    """
    outer = words[:-1] if len(words) > 1 else words
    numbered = [bool(_NUMBERED.fullmatch(word)) for word in outer]
    if not any(numbered):
        return outer[:1] if len(words) > 1 else ()
    end = numbered.index(True) + 1
    while end < len(outer) and numbered[end] and not _LAYER_WORDS.match(outer[end]):
        end += 1
    return outer[:end]


def _words(call: Call, model_prefix: str) -> tuple[str, ...]:
    """Return a layer's name as words, a lone number joined to the word before it.

    Examples:
        >>> _split("conv2_block1_1_conv")
        ('conv2', 'block1', '1', 'conv')
        >>> _split("stage_0_block_2_gamma")
        ('stage_0', 'block_2', 'gamma')
    """
    outer, _, name = call.name.rpartition("/")
    own = outer.rpartition("/")[2] + "_"
    for prefix in (model_prefix, own):
        name = name.removeprefix(prefix)
    return (*filter(None, [outer]), *_split(name))


def _split(name: str) -> tuple[str, ...]:
    words: list[str] = []
    for word in name.split("_"):
        if _NUMBER.fullmatch(word) and words and not _NUMBERED.fullmatch(words[-1]):
            words[-1] += f"_{word}"
        else:
            words.append(word)
    return tuple(words)


def _is_named_by_class(call: Call) -> bool:
    """Return whether Keras named the layer, by its class: ``conv2d_17``, ``add``."""
    name = call.name.rpartition("/")[2]
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", call.kind)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", snake).lower()
    return re.fullmatch(re.escape(snake) + r"(_[0-9]+)?", name) is not None


def _named(groups: Sequence[_Group]) -> list[Place]:
    """Return the places of groups: named by their labels, numbered where those do not suffice."""
    times = Counter(group.label for group in groups if group.label)
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for group in groups:
        label = group.label or (noun(group.calls),)
        own_name = _own_name(group)
        seen[label] += 1
        if not group.label:
            found.append(Place(None, own_name or f"{label[0]} {seen[label]}"))
        elif times[label] > 1:
            found.append(Place(_text(label), f"{_text(label)} ({seen[label]})"))
        else:
            found.append(Place(_stage(label), _text(label)))
    unique = unique_names(place.block for place in found)
    found = [Place(place.stage, name) for place, name in zip(found, unique, strict=True)]
    frames = Counter(place.stage for place in found)
    alone = {stage for stage, count in frames.items() if count == 1}
    found = [Place(None if place.stage in alone else place.stage, place.block) for place in found]
    return found if any(place.stage for place in found) else _by_size(groups, found)


def _own_name(group: _Group) -> str:
    """Return the name of a group's last layer with a name of its own, heavy ones before light."""
    named = [call for call in group.calls if not _is_named_by_class(call)]
    heavy = [call for call in named if is_heavy(call.layer)]
    return next((call.name for call in reversed(heavy or named)), "")


def _stage(label: tuple[str, ...]) -> str | None:
    """Return the stage in a label: ``conv2`` of ``conv2_block1``, ``block2`` of ``block2a``."""
    letter = re.fullmatch(r"(.*[0-9])[a-z]", label[-1])
    if letter:
        return _text((*label[:-1], letter.group(1)))
    numbers = [word for word in label if re.search(r"[0-9]", word)]
    return _text(label[:-1]) if len(numbers) > 1 else None


def _text(label: tuple[str, ...]) -> str:
    return "_".join(label)


def _by_size(groups: Sequence[_Group], found: list[Place]) -> list[Place]:
    """Make stages of the blocks in a row whose maps are of one size."""
    sizes = [_map_size(group.calls[-1]) for group in groups]
    stages: list[Place] = []
    for size, run in itertools.groupby(zip(sizes, found, strict=True), key=lambda pair: pair[0]):
        blocks = [place.block for _, place in run]
        stages += [Place(size if len(blocks) > 1 else None, block) for block in blocks]
    return stages


def _map_size(call: Call) -> str | None:
    shape = call.shape
    if len(shape) != 3 or None in shape:
        return None
    return f"{shape[1]} × {shape[2]}"
