"""Every command with every fault around it: one line and a known exit code, or all of its work."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hostile_tries.command_faults import FAULTS, Circumstance
from hostile_tries.forks import Fault
from hostile_tries.trying import REFUSED, WORKED, Ended, Try, check_line, command

_TRAIN = ("train", "--model", "lenet_5", "--epochs", "1", "--batch-size", "256")
_KINDS = ("svg", "png", "pdf", "dot", "html")
_FILES = (*_KINDS, "npz")
_OLD = "before"
_BEGUN, _FINISHED = {"config.json", "start.keras", "checkpoint.npz"}, {"config.json", "model.keras"}

# The arguments of each command and its exit code without a fault, for those that take no time ...
_QUICK = {
    "help": (("train", "--help"), 0),
    "version": (("--version",), 0),
    "list": (("list",), 0),
    "list as json": (("list", "--cost", "--format", "json"), 0),
    "summary": (("summary", "lenet_5"), 0),
    "cost": (("cost", "lenet_5", "--by", "layer"), 0),
    "cost as md": (("cost", "lenet_5", "--format", "md"), 0),
    "compare": (("compare", "lenet_5", "lenet_5_original", "--format", "csv"), 0),
    "compare, drawn": (("compare", "lenet_5", "lenet_5", "--plot", "net.svg"), 0),
    "summary by stage": (("summary", "lenet_5", "--detail", "stage", "--format", "json"), 0),
    "figures": (("figures", "lecture", "--only", "lenet_5"), 0),
    "accuracy": (("accuracy", "vgg*", "--plot", "net.svg"), 0),
    "receptive-field": (("receptive-field", "lenet_5"), 0),
    **{f"plot {kind}": (("plot", "lenet_5", f"net.{kind}"), 0) for kind in _KINDS},
    "weights": (("weights", "--format", "json"), 0),
    "convert": (("convert", "{run}/model.keras", "net.npz"), 0),
    "no command": ((), 2),
    "an unknown command": (("tar\x1b[31min\n",), 2),
    "an unknown network": (("cost", "resnet_19"), 2),
    "data that are not there": (("train", "--data", "folder:none"), 2),
    "a run that is not there": (("train", "--resume", "none"), 2),
    "no run to evaluate": (("evaluate", "none"), 2),
    "no run to predict with": (("predict", "none", "a.png"), 2),
    "no run to look into": (("maps", "none", "a.png", "net.png"), 2),
    "no weights to predict with": (("predict", "--weights", "none.pth", "a.png"), 2),
    "no weights to train from": (("train", "--weights", "none.pth", "--out", "new/run"), 2),
    "no weights to convert": (("convert", "none.pth", "net.npz"), 2),
}
# ... and for those that take seconds.
_SLOW = {
    "dry run": ((*_TRAIN, "--dry-run"), 0),
    "train": ((*_TRAIN, "--out", "new/run"), 0),
    "evaluate": (("evaluate", "{run}"), 0),
    "kernels": (("maps", "{run}", "net.svg", "--kernels"), 0),
    "predict": (("predict", "{run}", "none.png", "{run}/curves.png"), 2),
}


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    _let_everybody_in(place)
    run = place / "run"
    made = command(*_TRAIN, "--out", str(run), cwd=place)
    if made.code:
        raise Fault(f"no run to try with: {made.err}")
    for fault, circumstance in FAULTS.items():
        for name, (arguments, code) in (_QUICK | (_SLOW if circumstance.for_slow else {})).items():
            given = [argument.format(run=run) for argument in arguments]
            trial = functools.partial(_try, place / "here", given, code, circumstance)
            yield Try(f"{name}, {fault}", trial)


def _try(here: Path, given: list[str], code: int, circumstance: Circumstance) -> str:
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    here.chmod(0o777)
    for kind in _FILES:
        (here / f"net.{kind}").write_text(_OLD)
        (here / f"net.{kind}").chmod(0o666)
    ended = command(*given, cwd=here, prepare=functools.partial(circumstance.prepare, here))
    allowed = circumstance.codes or {code}
    if ended.code not in (allowed if code == 0 else allowed | {code}):
        raise Fault(f"exit code {ended.code}: {(ended.out + ended.err)[-500:]}")
    _check_words(ended, circumstance)
    _check_files(here, ended, circumstance)
    return WORKED if ended.code == 0 else REFUSED


def _check_words(ended: Ended, circumstance: Circumstance) -> None:
    lines = [line for line in ended.err.splitlines() if line.startswith("keras-convnets: ")]
    if len(lines) != ended.err.count("\n"):
        raise Fault(f"not only lines of its own: {ended.err[-500:]}")
    if ended.code in (1, 2, 130) and not ended.out and not circumstance.is_silent:
        check_line(ended.err)


def _check_files(here: Path, ended: Ended, circumstance: Circumstance) -> None:
    """Demand whole files, the old ones after a refusal, and no folder that was left."""
    for path in here.iterdir() if here.is_dir() else ():
        if path.name.startswith("."):
            raise Fault(f"left {path.name}")
        if path.name == "lecture":
            made = {file.name for file in path.iterdir() if file.stat().st_size > 500}
            refused = ended.code == 2 and not circumstance.is_of_stdout
            if refused or made != {"lenet_5.svg", "lenet_5.pdf"}:
                raise Fault(f"left a folder with {sorted(made)}, exit code {ended.code}")
        elif path.is_dir():
            inside = {file.name for file in (path / "run").iterdir()}
            is_run = inside >= _BEGUN or inside >= _FINISHED
            if ended.code == 2 or not is_run:
                raise Fault(f"left a folder with {sorted(inside)}, exit code {ended.code}")
        elif path.read_bytes() != _OLD.encode():
            is_whole = path.stat().st_size > 500
            if not is_whole or (ended.code == 2 and not circumstance.is_of_stdout):
                raise Fault(f"changed {path.name} to {path.read_bytes()[:50]!r}")


def _let_everybody_in(place: Path) -> None:
    """Let a process without privileges reach the folder."""
    for folder in (place, *place.parents):
        if os.stat(folder).st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
