"""Backends, packages and configurations of Keras that are missing or broken."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Try, command, refused_command

_SUMMARY = ("summary", "lenet_5")
_CONFIGURATIONS = {
    "no JSON": "{",
    "a list": "[1]",
    "a list for a name": '{"floatx": []}',
    "an unknown backend": '{"backend": "tensorflwo"}',
}


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    missing = [name for name in ("jax", "torch") if not importlib.util.find_spec(name)]
    for backend in ("tensorflwo", *missing):
        chosen = {"KERAS_BACKEND": backend}
        refuse = functools.partial(refused_command, *_SUMMARY, env=chosen, fresh=True)
        yield Try(f"KERAS_BACKEND={backend}", refuse)
    for name, arguments in _ON_TORCH.items() if "torch" not in missing else ():
        yield Try(f"KERAS_BACKEND=torch, {name}", functools.partial(_on_torch, place, arguments))
    for name, text in _CONFIGURATIONS.items():
        yield Try(f"keras.json, {name}", functools.partial(_configured, place, text))
    for package in ("pygraphviz", "tensorflow"):
        yield Try(f"a broken {package}", functools.partial(_broken, place, package))
    for seconds in (0.3, 1.5, 2.5):
        yield Try(f"Ctrl-C after {seconds} s", functools.partial(_interrupted, seconds))


_ON_TORCH = {
    "cost": ("cost", "lenet_5"),
    "plot": ("plot", "lenet_5", "net.svg"),
    "train": ("train", "--out", "run"),
    "evaluate": ("evaluate", "run"),
}


def _on_torch(place: Path, arguments: tuple[str, ...]) -> str:
    """Demand that commands work, or refuse in one line: training, and a run that is not there."""
    ended = command(*arguments, env={"KERAS_BACKEND": "torch"}, cwd=place, fresh=True)
    works = arguments[0] in ("cost", "plot")
    if ended.code != (0 if works else 2) or ended.err.count("\n") != ended.code // 2:
        raise Fault(f"exit code {ended.code}: {ended.err}")
    return WORKED if works else REFUSED


def _configured(place: Path, text: str) -> str:
    home = place / f"home{os.getpid()}"
    home.mkdir()
    (home / "keras.json").write_text(text)
    ended = command(*_SUMMARY, env={"KERAS_HOME": str(home)}, fresh=True)
    if ended.code not in (0, 2) or ended.err.count("\n") != ended.code // 2:
        raise Fault(f"exit code {ended.code}: {ended.err}")
    return REFUSED if ended.code else WORKED


def _broken(place: Path, package: str) -> str:
    """Put a package that cannot be imported before the real one."""
    folder = place / f"path{os.getpid()}"
    folder.mkdir()
    (folder / f"{package}.py").write_text("raise ImportError('libcgraph.so.6: no such file')\n")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = ("plot", "lenet_5", "net.svg")
    found = refused_command(*arguments, env={"PYTHONPATH": path}, cwd=folder, fresh=True)
    if (folder / "net.svg").exists():
        raise Fault("drew without it")
    return found


def _interrupted(seconds: float) -> str:
    """Send Ctrl-C while the interpreter starts or imports."""

    def prepare() -> None:
        parent = os.getpid()
        if os.fork() == 0:
            for descriptor in (0, 1, 2):
                os.close(descriptor)
            time.sleep(seconds)
            if os.getppid() == parent:
                os.kill(parent, signal.SIGINT)
            os._exit(0)

    ended = command(*_SUMMARY, prepare=prepare, fresh=True)
    if ended.code not in (0, 130) or ended.err.count("\n") > 1:
        raise Fault(f"exit code {ended.code}: {json.dumps(ended.err)}")
    return REFUSED if ended.code else WORKED
