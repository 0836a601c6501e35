"""A process that runs one engine on batches and prints its peaks of memory; see `in_a_process`."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from keras_convnets.received import line
from keras_convnets.shipping.benchmark.contender import Taken
from keras_convnets.shipping.benchmark.in_a_process import STATUS
from keras_convnets.shipping.benchmark.ways import WAYS, Way

_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


def main() -> None:
    """Read the task from standard input; print the peaks, or why there are none, as JSON."""
    task = json.load(sys.stdin)
    answer, standard_output = sys.stdout, os.dup(1)
    os.dup2(2, 1)  # runtimes print to it
    try:
        found: Any = _peaks(task)
    except Exception as error:
        found = line(f"{type(error).__name__}: {error}")
    answer.flush()
    os.dup2(standard_output, 1)
    print(f"\n{json.dumps(found)}", flush=True)
    os._exit(0)  # native threads of some runtimes do not end by themselves


def _peaks(task: dict[str, Any]) -> list[int]:
    run = _function(WAYS[task["way"]], task["path"], task["threads"])
    taken = Taken(**task["taken"])
    found = []
    for images in task["batches"]:
        run(taken.batch(images))
        found.append(_peak())
    return found


def _function(way: Way, path: str, threads: int) -> Any:
    if way.kind is None:
        from keras_convnets.saved_models import load_model
        from keras_convnets.shipping.benchmark.keras_ways import function_of

        return function_of(load_model(path), way)
    from keras_convnets.shipping.engines.opening import open_engine

    return open_engine(path, threads).run


def _peak() -> int:
    """Return the most bytes of this process that were in memory since it began."""
    found = _PEAK.search(STATUS.read_text())
    if found is None:
        raise ValueError(f"{STATUS}: received no VmHWM; expected it. Pass memory=False.")
    return 1024 * int(found[1])


if __name__ == "__main__":
    main()
