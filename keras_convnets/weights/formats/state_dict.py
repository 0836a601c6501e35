"""The weights within a checkpoint: which of its dictionaries they are, and what to call them.

Training scripts put the state of the optimizer, their arguments and a moving average of the
weights (EMA) beside the weights. The average is what they evaluate, so it is preferred, as timm
does; what was taken and what else was there is said. Of several dictionaries that are equally
plausible, none is taken.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from keras_convnets.printable import cut, printable
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.readers.torch_values import Opaque, Tensor

_Value = TypeVar("_Value")
_Path = tuple[str, ...]

_AVERAGED = {"state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema", "shadow"}
_AVERAGED |= {"ema_model_state_dict", "model_ema_state_dict", "model_state_dict_ema"}
_WEIGHTS = {"state_dict", "model", "model_state", "model_state_dict", "net", "network", "module"}
_WEIGHTS |= {"weights", "params", "net_state_dict", "state"}
_OPTIMIZER = {"param_groups", "state"}  # the keys of an optimizer's state
_DEEPEST = 3
_MOST = 8  # names in a line
_PREFIX = re.compile(r"(module|_orig_mod|model|net|network|backbone|encoder)\.")
_COUNTER = "n_averaged"  # of torch.optim.swa_utils.AveragedModel, beside the model that it averages


@dataclasses.dataclass(frozen=True)
class Found:
    """The weights in a checkpoint.

    Attributes:
        tensors: the tensors by name, without a prefix.
        taken: where they were and what else was there, in words.
        prefix: the prefix that was removed.
    """

    tensors: dict[str, Tensor]
    taken: str
    prefix: str


def find(value: Any) -> Found:
    """Return the weights in what a file of PyTorch has.

    Raises:
        DamagedFile: there are none, or several of which none is preferred.
    """
    if not isinstance(value, Mapping):
        raise DamagedFile(_not_weights(value))
    candidates = dict(_candidates(value, (), set()))
    path = _chosen(candidates, value)
    found = candidates[path]
    tensors, rest = {}, []
    for key, one in found.items():
        if _text(key) in tensors:  # of Python 2 and 3
            raise DamagedFile(f"it has two tensors called {_shown(_text(key))}")
        if isinstance(one, Tensor):
            tensors[_text(key)] = one
        elif isinstance(one, Opaque) and one.is_tensor:
            raise DamagedFile(
                f"its {_shown(_text(key))} is a tensor of a kind that is not read: {one.name}"
            )
        else:
            rest.append(_text(key))
    if _COUNTER in tensors and len(tensors) > 1:
        del tensors[_COUNTER]
        rest.append(_COUNTER)
    tensors, prefix = without_prefix(tensors)
    return Found(tensors, _taken(path, value, rest), prefix)


def without_prefix(named: Mapping[str, _Value]) -> tuple[dict[str, _Value], str]:
    """Return values by names without the prefix that wrappers gave to all of them, and the prefix.

    Examples:
        >>> without_prefix({"module.model.conv1.weight": 1, "module.model.fc.bias": 2})
        ({'conv1.weight': 1, 'fc.bias': 2}, 'module.model.')
        >>> without_prefix({"model.conv1.weight": 1, "head.bias": 2})
        ({'model.conv1.weight': 1, 'head.bias': 2}, '')
    """
    found, removed = dict(named), ""
    while found and (prefix := _PREFIX.match(next(iter(found)))):
        if not all(name.startswith(prefix[0]) and name != prefix[0] for name in found):
            break
        found = {name[len(prefix[0]) :]: value for name, value in found.items()}
        removed += prefix[0]
    return found, removed


def _candidates(
    value: Mapping[Any, Any], path: _Path, seen: set[int]
) -> Iterator[tuple[_Path, Mapping[Any, Any]]]:
    """Yield the dictionaries that have tensors, each once, by where they are."""
    if value.keys() >= _OPTIMIZER or id(value) in seen:
        return
    seen.add(id(value))
    if any(_is_tensor(one) for one in value.values()):
        yield path, value
    if len(path) < _DEEPEST:
        for key, one in value.items():
            if isinstance(one, Mapping) and isinstance(key, str | bytes):
                yield from _candidates(one, (*path, _text(key)), seen)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Opaque) and value.is_tensor)


def _chosen(candidates: dict[_Path, Mapping[Any, Any]], value: Mapping[Any, Any]) -> _Path:
    averaged = [path for path in candidates if _is_called(path, _AVERAGED)]
    named = [path for path in candidates if path and _is_called(path, _WEIGHTS, every=True)]
    most = max(map(_tensors, candidates.values()), default=0)
    whole = [path for path in candidates if not path and _tensors(candidates[path]) == most]
    for plausible in (averaged, named, whole, list(candidates)):
        if len(plausible) == 1:
            return plausible[0]
        if plausible:
            names = ", ".join(_shown(".".join(path)) for path in plausible[:_MOST])
            raise DamagedFile(
                f"it has several state dicts: {names}. Save the one that you mean: "
                'torch.save(checkpoint["..."], path)'
            )
    raise DamagedFile(_no_weights(value))


def _tensors(value: Mapping[Any, Any]) -> int:
    return sum(map(_is_tensor, value.values()))


def _is_called(path: _Path, names: set[str], every: bool = False) -> bool:
    """Return whether one of the keys of a path, or all of them, are among names."""
    return (all if every else any)(key.lower() in names for key in path)


def _taken(path: _Path, value: Mapping[Any, Any], rest: list[str]) -> str:
    """Return where the weights were, and what else was there; empty if they are all."""
    beside = [_text(key) for key in value if not path or _text(key) != path[0]] if path else rest
    if not path and not beside:
        return ""
    names = [printable(cut(name, 40)) for name in beside]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    where = printable(cut(".".join(path), 80)) if path else "all tensors"
    return f"{where}; also there: {', '.join(names[:_MOST])}{more}" if names else where


def _not_weights(value: Any) -> str:
    if isinstance(value, Opaque):
        return (
            f"it is a whole object of class {value.name}, not its weights. Load it with PyTorch, "
            "and save them: torch.save(model.state_dict(), path)"
        )
    what = (
        "a single tensor"
        if isinstance(value, Tensor)
        else f"one value of type {type(value).__name__}"
    )
    return f"it has {what}; expected a state dict, as torch.save(model.state_dict(), path) writes"


def _no_weights(value: Mapping[Any, Any]) -> str:
    """Say what a file without weights has."""
    remedy = "Save the weights: torch.save(model.state_dict(), path)"
    if value.keys() >= _OPTIMIZER:
        return f"it is the state of an optimizer. {remedy}"
    objects = [one.name for one in value.values() if isinstance(one, Opaque)]
    if objects:
        return f"it has no tensors, but an object of class {objects[0]}. {remedy}"
    keys = ", ".join(_shown(_text(key)) for key in list(value)[:_MOST]) or "nothing"
    return f"it has no tensors, but {keys}. {remedy}"


def _text(key: Any) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _shown(name: str) -> str:
    return printable(repr(cut(name, 40)))
