"""Two processes that fight for one run, and are killed at random again and again.

Both run the same command with ``--continue``, over and over: one of them trains, the other is told
which does. Whatever is killed when, also while the run is being made, what comes out is bit for bit
what an undisturbed process makes. Steps are slowed down, so that there is something to kill.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile_tries.forks import SHOWN, Fault, contained, redirect
from hostile_tries.trying import Count, Try, command

KILLS = 20
NAP = 0.03  # seconds after each step
PAUSE = 2.0  # the most seconds between starts
SELDOM = 4.0  # the most seconds between kills
LONGEST = 300.0  # seconds for all of it
OPTIONS = "train --model lenet_5 --epochs 3 --batch-size 128 --checkpoint-steps 2 --deterministic"
ALL_STATE = (  # each of which has variables, or draws, that a killed run must go on with
    "--optimizer adamw --weight-decay 0.05 --ema-momentum 0.9 --accumulation-steps 3 --clipnorm 1 "
    "--stage-decay 0.7 --augmentation crop-flip+mixup:0.2+cutmix:1"
)
REFUSALS = ("is being trained by", "which exists")


def tries(place: Path) -> Iterator[Try]:
    """Yield the tries of this group."""
    import sklearn.datasets
    import sklearn.model_selection  # noqa: F401

    yield Try("two processes, one run, 20 kills", lambda: fight(place), LONGEST)


def fight(place: Path) -> Count:
    """Let two processes fight for one run after another, until so many of them were killed."""
    rng = random.Random(7)
    fighters = Fighters(place / "said")
    runs = 0
    for kind, more in enumerate(("", ALL_STATE)):
        straight, until = place / f"straight-{kind}", KILLS * (kind + 1) // 2
        if command(*arguments(straight, more), seconds=120).code:
            raise Fault(f"the undisturbed run {more} did not work")
        while fighters.kills < until:
            run = place / f"fought-{runs}"
            fighters.fight(run, more, until, rng)
            differences = contained(lambda r=run, s=straight: compared(r, s), 120)
            if differences["largest"] or differences["problems"]:
                raise Fault(f"after {fighters.kills} kills: {differences}")
            runs += 1
    fighters.end()
    note = (
        f"{fighters.kills} kills over {runs} runs, {fighters.kills_in_making} of them while a run "
        f"was being made; {fighters.refused} processes refused; difference of weights and history 0"
    )
    return {"worked": runs, "refused": fighters.refused, "notes": [note]}


def arguments(run: Path, more: str) -> list[str]:
    """Return the command that makes or continues a run, with more options."""
    return [*OPTIONS.split(), *more.split(), "--out", str(run), "--continue"]


@dataclasses.dataclass
class Fighters:
    """The processes that fight, and what became of them.

    Attributes:
        said: the folder for what they print.
        kills: how many were killed.
        kills_in_making: how many of them before there was a run.
        refused: how many were told that another one trains.
        is_finished: whether one of them has finished the run.
        living: the numbers of those that still run.
    """

    said: Path
    kills: int = 0
    kills_in_making: int = 0
    refused: int = 0
    is_finished: bool = False
    living: set[int] = dataclasses.field(default_factory=set)

    def fight(self, run: Path, more: str, until: int, rng: random.Random) -> None:
        """Fight for a run with more options until it is finished, and for so many kills."""
        self.said.mkdir(exist_ok=True)
        self.is_finished = False
        starts, kills = 0.0, time.monotonic() + rng.uniform(0, SELDOM)
        while not self.is_finished:
            now = time.monotonic()
            if len(self.living) < 2 and now >= starts:
                self.living.add(start(arguments(run, more), self.said))
                starts = now + rng.uniform(0, PAUSE)
            if self.living and now >= kills and self.kills < until:
                self.kill(rng.choice(sorted(self.living)), run)
                kills = now + rng.uniform(0, SELDOM)
            time.sleep(0.05)
            self.reap()
        self.end()

    def kill(self, pid: int, run: Path) -> None:
        """Kill a process, which may have ended by itself."""
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.living.remove(pid)
        if os.WIFSIGNALED(status):
            self.kills += 1
            self.kills_in_making += not run.exists()
        else:
            self.ended(pid, os.waitstatus_to_exitcode(status))

    def reap(self) -> None:
        """Take note of who has ended by itself."""
        for pid in sorted(self.living):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.living.remove(pid)
                self.ended(pid, os.waitstatus_to_exitcode(status))

    def ended(self, pid: int, code: int) -> None:
        """Check how a process ended by itself."""
        text = (self.said / str(pid)).read_text(errors="replace")
        is_refused = code == 2 and any(words in text for words in REFUSALS)
        if "Traceback" in text or not (code == 0 or is_refused):
            raise Fault(f"exit code {code}: {text[-SHOWN:]}")
        self.refused += is_refused
        self.is_finished |= code == 0

    def end(self) -> None:
        """Wait for the others: there is nothing to do for them any more."""
        while self.living:
            self.reap()
            time.sleep(0.05)


def start(arguments: list[str], said: Path) -> int:
    """Run a command in a forked child that prints to a file named after it; return its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        with (said / str(os.getpid())).open("wb") as file:
            redirect(b"", file.fileno(), file.fileno())
        slow_down()
        from keras_convnets.cli import main

        code = main(arguments)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


def slow_down() -> None:
    """Let this process sleep after each step."""
    from keras_convnets.training.run.step_callback import StepCallback

    taken = StepCallback.on_train_batch_end

    def napping(self: Any, batch: int, logs: dict[str, Any] | None = None) -> None:
        taken(self, batch, logs)
        time.sleep(NAP)

    StepCallback.on_train_batch_end = napping


def compared(run: Path, straight: Path) -> dict[str, Any]:
    """Return how two finished runs differ."""
    import tensorflow as tf

    from keras_convnets.training import run_folder
    from keras_convnets.training.run import checkpoint

    problems = []
    (ours, at), (theirs, end) = (
        checkpoint.read(folder / run_folder.CHECKPOINT) for folder in (run, straight)
    )
    largest = 0.0
    for name, array in ours.items():
        largest = max(largest, float(abs(array.astype(float) - theirs[name].astype(float)).max()))
        if array.tobytes() != theirs[name].tobytes():
            problems.append(f"{name} differs")
    columns = [name for name in run_folder.COLUMNS if name != "seconds"]
    if [at.history[name] for name in columns] != [end.history[name] for name in columns]:
        problems.append(f"history {at.history} and {end.history}")
    if sorted(os.listdir(run)) != sorted(os.listdir(straight)):
        problems.append(f"files {sorted(os.listdir(run))}")
    epochs: dict[str, list[int]] = {}
    for file in (run / run_folder.LOGS).rglob("*tfevents*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                epochs.setdefault(f"{file.parent.name} {value.tag}", []).append(event.step)
    if set(map(tuple, epochs.values())) != {(1, 2, 3)}:
        problems.append(f"logs {epochs}")
    run_folder.sweep_beside(run)
    left = [path.name for path in run.parent.iterdir() if path.name.startswith(".")]
    return {"largest": largest, "problems": problems + left}
