"""Changes of the values within JSON."""

from __future__ import annotations

import copy
import functools
import random
from typing import Any

from hostile_tries.fuzz.fuzzing import CANARY

_DEEP = functools.reduce(lambda inner, _: [inner], range(400), 0)
_LAMBDA = {
    "class_name": "__lambda__",
    "config": {"value": "4wAAAAAAAAAA", "defaults": None, "closure": None},
}
_HARM = (
    {"class_name": "Lambda", "module": "keras.layers", "config": {"function": _LAMBDA}},
    {"class_name": "function", "module": "os", "config": "system", "registered_name": "system"},
    {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "."}},
    {"class_name": "run_functions_eagerly", "module": "keras.config", "config": {}},
    {"class_name": "get_file", "module": "keras.utils", "config": {"origin": "file:///etc/passwd"}},
    {
        "class_name": "StringLookup",
        "module": "keras.layers",
        "config": {"vocabulary": "/etc/passwd", "name": CANARY},
    },
)
_VALUES = (
    *(None, True, False, 0, 1, -1, 2, 3.5, -0.0, 1e308, float("nan"), float("inf")),
    *(2**31, 2**40, 2**63, -(2**63), 10**30, "", "relu", "float32", "\ud800", "\0", "x" * 500),
    *([], {}, [1, 2, 3], [[]], {"": None}, {"a": 1}, [None, 2**40, 2**40, 3], _DEEP, _LAMBDA),
    *_HARM,
)


def anywhere(chance: random.Random, value: Any) -> Any:
    """Change values, keys and their order in some places."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        value = _once(chance, value)
    return value


def _once(chance: random.Random, value: Any) -> Any:
    places = list(_places(value))
    if not places:
        return copy.deepcopy(chance.choice(_VALUES))
    holder, key = chance.choice(places)
    way = chance.randrange(6)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[chance.choice(("class_name", "name", "config", "x", "__class__"))] = holder.pop(key)
    elif way == 2:
        other, its_key = chance.choice(places)
        holder[key] = copy.deepcopy(other[its_key])
    elif way == 3 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif isinstance(holder[key], int) and chance.random() < 0.5:
        holder[key] = chance.choice((holder[key] + 1, holder[key] - 1, 2**31 - 1, -holder[key]))
    else:
        holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return value


def _places(value: Any) -> Any:
    left = [value]
    while left:
        holder = left.pop()
        if isinstance(holder, list | dict):
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            for key in keys:
                yield holder, key
                left.append(holder[key])
