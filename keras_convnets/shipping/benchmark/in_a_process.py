"""The memory that an engine takes: the peak of a process that has only this one."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_convnets
from keras_convnets.received import line
from keras_convnets.shipping.benchmark.contender import Contender

STATUS = Path("/proc/self/status")
_WORKER = "keras_convnets.shipping.benchmark.worker"


class Failed(ValueError):  # noqa: N818 - names an event, as RunStopped does
    """An engine cannot run a model in a process of its own."""


class Died(Failed):
    """A signal has ended the process of an engine."""


def is_known() -> bool:
    """Return whether this system tells the peak of a process."""
    return STATUS.exists()


def peaks(contender: Contender, batches: Sequence[int], threads: int) -> dict[int, int]:
    """Return the most bytes that a process has in memory which runs batches, smaller ones first.

    Args:
        contender: the engine.
        batches: the numbers of images.
        threads: how many it may use.

    Raises:
        Failed: the engine fails; `Died`, if a signal ends its process.
    """
    sizes = sorted(batches)
    task = {
        "way": contender.way.name,
        "path": os.fspath(contender.path),
        "threads": threads,
        "batches": sizes,
        "taken": dataclasses.asdict(contender.taken),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", _WORKER],  # -P: modules of the current folder are not meant
        input=json.dumps(task),
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # runtimes may print anything
        env=_environment(threads),
        check=False,
    )
    found = _last_line(done.stdout)
    if done.returncode < 0:
        raise Died(f"its process was ended by {signal.Signals(-done.returncode).name}")
    if not isinstance(found, list):
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Failed(found if isinstance(found, str) else line(said[-1]))
    return dict(zip(sizes, found, strict=True))


def _environment(threads: int) -> dict[str, str]:
    """Return the variables by which this package is found and as many threads are used."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(keras_convnets.__file__)))
    known = os.environ.get("PYTHONPATH")
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(names, str(threads)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(filter(None, (package, known))),
    }


def _last_line(text: str) -> Any:
    try:
        return json.loads(text.splitlines()[-1])
    except (ValueError, IndexError):
        return None
