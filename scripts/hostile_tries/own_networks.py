"""Networks by ``module:function``: whatever a module may hold, and whatever a function may do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hostile_tries.trying import REFUSED, WORKED, Count, Try, check_line, refused_or_worked

_FUNCTIONS = """
import os, sys, threading
import keras

INPUT = keras.Input((8, 8, 1))
FLAT = keras.layers.Flatten()(INPUT)
SHARED = keras.Model(INPUT, keras.layers.Dense(10)(FLAT))

class Own(keras.Model):
    def call(self, x):
        return x

class Endless:
    def __getattr__(self, name):
        return self
    def __call__(self, *arguments):
        return self

endless, number, text, holder = Endless(), 5, "text", [1]
nothing = lambda shape, outputs: None
itself = lambda shape, outputs: itself
layer = lambda shape, outputs: keras.layers.Dense(outputs)
tensor = lambda shape, outputs: FLAT
shared = lambda shape, outputs: SHARED
own = lambda shape, outputs: Own()
two = lambda shape, outputs: keras.Model([INPUT, keras.Input((3,))], FLAT)
several = lambda shape, outputs: keras.Model(INPUT, [FLAT, FLAT])
several_named = lambda shape, outputs: keras.Model(INPUT, {"a": FLAT})
images = lambda shape, outputs: keras.Model(INPUT, INPUT + 1)
unbuilt = lambda shape, outputs: keras.Sequential([keras.layers.Dense(outputs)])
starred = lambda *arguments: SHARED
default = lambda shape, outputs, more=1: SHARED
keyword = lambda shape, outputs, *, more: SHARED
first = lambda shape: SHARED
recursion = lambda shape, outputs: recursion(shape, outputs)
exits = lambda shape, outputs: sys.exit(3)
lines = lambda shape, outputs: (_ for _ in ()).throw(RuntimeError("a\\nb\\x1b[31m" + "c" * 10**5))
stop = lambda shape, outputs: next(iter(()))
class Odd(Exception):
    def __str__(self):
        raise ValueError("no words")
odd = lambda shape, outputs: (_ for _ in ()).throw(Odd())
async def later(shape, outputs):
    return SHARED
def generated(shape, outputs):
    yield SHARED
"""
_HELD = """
Own Endless endless endless.a.b number text holder nothing itself layer tensor shared
own two several several_named images unbuilt starred default keyword first recursion exits
lines stop odd generated gone SHARED keras os os.getcwd __name__ __builtins__ threading.Thread
"""
_MODULES = {
    "lines": "def (",
    "raises": "raise RuntimeError('a\\nb')",
    "exits": "import sys; sys.exit()",
    "nul": "x = 1\x00",
    "latin": "# \xe9",
    "lacking": "import lacking.more",
    "itself": "import itself; itself.x",
    "deep": "(" * 1000 + ")" * 1000,
}
_ODD = (
    *(":", "a:", ":a", "a:b:c", "a b:c", "../x:y", "os :path", "1:2", "a.:b", "a..b:c", "é:ü"),
    "x" * 999 + ":y",
)


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    (place / "functions.py").write_text(_FUNCTIONS)
    for name, text in _MODULES.items():
        (place / f"m_{name}.py").write_bytes(text.encode("latin-1"))
    yield Try("what a module holds", lambda: _each([f"functions:{name}" for name in _HELD.split()]))
    yield Try("modules that cannot be imported", lambda: _each([f"m_{m}:f" for m in _MODULES]))
    yield Try("odd names", lambda: _each(_ODD))


def _each(names: tuple[str, ...] | list[str]) -> Count:
    """Plan a run of each network: in one process, which none may spoil for the next."""
    from keras_convnets.training.data.loading import load_data
    from keras_convnets.training.recipe.recipes import RECIPES
    from keras_convnets.training.run.configuration import check_run
    from keras_convnets.zoo import create_model

    data = load_data("digits", image_size=8)
    counts = {REFUSED: 0, WORKED: 0}
    for name in names:

        def plan(name: str = name) -> None:
            check_run(create_model(name, (1, 8, 8), 10), data, RECIPES["quick"])

        counts[refused_or_worked(plan)] += 1
    check_line("no name was spoilt" if counts[WORKED] <= 3 else "", "no name was spoilt")
    return counts
