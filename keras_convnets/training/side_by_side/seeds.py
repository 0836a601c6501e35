"""A run for each of several seeds, one after another, each in a process of its own.

Each is what ``keras-convnets train --seed N`` makes alone, for that is what is called. The folder
that holds them has a file with the seeds and the command, so that all go on where they were.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_convnets import files
from keras_convnets.own_networks import is_function
from keras_convnets.readers.damage import whole
from keras_convnets.training import run_folder, run_lock, stored
from keras_convnets.training.distribute.supervisor import run_child
from keras_convnets.training.run.command import command, where
from keras_convnets.training.run.config_file import check_format
from keras_convnets.training.run.request import ResumeRequest, RunRequest

FILE = "seeds.json"
_FORMAT = 1
_MOST_BYTES = 2**20
_STOPPED, _INTERRUPTED = 1, 130  # exit codes: the other seeds are trained nevertheless; none is


@dataclasses.dataclass(frozen=True)
class Seeds:
    """What the file in the folder says.

    Attributes:
        seeds: the seeds.
        command: the words that begin a run of any of them, without its seed and its folder;
            ``None`` if they run code of the user's own, which nobody but the user may name.
        format: the format of the file.
    """

    seeds: tuple[int, ...]
    command: tuple[str, ...] | None
    format: int = _FORMAT


def is_several(folder: Path) -> bool:
    """Return whether runs of several seeds were begun in a folder."""
    return os.path.lexists(folder / FILE)


def begin(request: RunRequest, seeds: Sequence[int], tell: Callable[[str], None]) -> int:
    """Train a run for each seed; those that were begun go on, if the request says so.

    Args:
        request: the run of each of them, but for its seed and its folder.
        seeds: the seeds.
        tell: called with a line before each run.

    Returns:
        The worst exit code of the runs.

    Raises:
        ValueError: the folder exists, or holds runs that were begun otherwise.
    """
    folder = request.folder
    before: tuple[int, ...] = ()
    _check(request)
    above = run_folder.missing_above(folder)
    is_new = not (request.or_resume and os.path.lexists(folder))
    if is_new:
        run_folder.check_free(folder)
        folder.mkdir(parents=True)
    else:
        before = read(folder).seeds
        for seed in (*before, *seeds):
            _of(request, seed).check_folder()
    words = tuple(command(_of(request, None))[1:])
    runs_code = bool(request.load) or is_function(request.network_name)
    several = Seeds(tuple(dict.fromkeys((*before, *seeds))), None if runs_code else words)
    try:
        with run_lock.holding(folder):
            _write(folder, several)
            return _all(folder, dataclasses.replace(several, command=words), where(request), tell)
    finally:
        if is_new and not any(run_folder.is_run(each) for each in folder.glob("*/")):
            run_folder.remove(folder, above)  # refused before the first step


def resume(request: ResumeRequest, load: Sequence[Path], tell: Callable[[str], None]) -> int:
    """Go on with the runs of several seeds where they were: the begun one resumes, others start.

    Raises:
        ValueError: the file is damaged, or code of the user's own has to be named again.
    """
    _check(request)
    folder, several = request.out, read(request.out)
    left = [seed for seed in several.seeds if not run_folder.is_run(_place(folder, seed))]
    if several.command is None and left:
        raise ValueError(
            f"resume: received {files.shown(folder)}, whose seeds {', '.join(map(str, left))} need "
            "code of your own to begin; expected the command that began the others. Repeat it with "
            "--continue."
        )
    loaded = [word for file in load for word in ("--load", str(file))]
    with run_lock.holding(folder):
        return _all(folder, several, [*where(request), *loaded], tell)


def read(folder: Path) -> Seeds:
    """Return what the file in a folder says.

    Raises:
        ValueError: there is no such file, or it is damaged.
    """
    file = folder / FILE
    try:
        found = stored.parse(whole(file, _MOST_BYTES))
        check_format(found, _FORMAT)
        return stored.read(Seeds, found)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(
            f"seeds: there is no {files.shown(file)}; expected the folder of runs of several "
            "seeds. Name one that train --seeds has made, or a new one."
        ) from None
    except ValueError as error:
        raise ValueError(
            f"seeds: cannot read {files.shown(file)} ({error}); expected what train --seeds wrote. "
            "Resume each run in the folder on its own."
        ) from error


def _write(folder: Path, several: Seeds) -> None:
    with files.replacing(folder / FILE) as path:
        path.write_text(json.dumps(dataclasses.asdict(several), indent=2) + "\n", encoding="utf-8")


def _check(request: RunRequest | ResumeRequest) -> None:
    """Refuse several machines, which would each have to wait for all others between two runs."""
    if request.devices.cluster() is not None:
        raise ValueError(
            "seeds: received several machines with them; expected one, which trains one seed after "
            "another. Train each by --seed on all machines."
        )


def _place(folder: Path, seed: int) -> Path:
    return folder / f"seed-{seed}"


def _of(request: RunRequest, seed: int | None) -> RunRequest:
    """Return the request of the run of a seed; without one, what all of them share."""
    settings = dataclasses.replace(request.settings, seed=seed or 0)
    if seed is None:
        return dataclasses.replace(request, settings=settings, out=None, or_resume=False)
    out = _place(request.folder, seed)
    given = None if request.given is None else request.given | {"seed"}
    return dataclasses.replace(request, settings=settings, out=out, or_resume=True, given=given)


def _all(
    folder: Path, several: Seeds, elsewhere: Sequence[str], tell: Callable[[str], None]
) -> int:
    """Train what is left of all runs, and return the worst exit code."""
    worst = 0
    for number, seed in enumerate(several.seeds, 1):
        place = _place(folder, seed)
        of = f"seed {seed} ({number} of {len(several.seeds)})"
        if run_folder.is_finished(place):
            tell(f"{of}: finished")
            continue
        tell(f"{of}: {place}")
        if run_folder.is_run(place):
            words = ["train", "--resume", str(place)]
        else:
            words = ["train", *(several.command or ()), "--seed", str(seed), "--out", str(place)]
        code, was_told = run_child([*words, *elsewhere])
        code = code if code >= 0 else 128 - code
        if was_told or code not in (0, _STOPPED):
            return _INTERRUPTED if was_told else code
        worst = max(worst, code)
    return worst
