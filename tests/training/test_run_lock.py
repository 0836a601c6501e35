import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_convnets.errors import RunStopped
from keras_convnets.training import run_folder, run_lock
from keras_convnets.training.lock_holder import Holder
from keras_convnets.training.run_lock import LockedError, acquire, holder

SCRIPT = """
import os, sys, time
from pathlib import Path
from keras_convnets.training.run_lock import acquire
lock = acquire(Path("run"))
if sys.argv[1] == "forks":
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    print("a child", child, flush=True)
print("locked", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def run():
    folder = Path("run")
    folder.mkdir()
    return folder


@contextlib.contextmanager
def another(what="stays"):
    """Yield another process that holds the lock, and what it printed."""
    command = [sys.executable, "-c", SCRIPT, what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(1 + (what == "forks"))]
        try:
            yield process, "".join(lines)
        finally:
            process.kill()


def test_one_process_at_a_time_and_the_second_is_told_which(run):
    with another() as (process, _):
        with pytest.raises(LockedError) as caught:
            acquire(run)
        host = os.uname().nodename
        assert str(caught.value).startswith(
            f"run: 'run' is being trained by process {process.pid} on {host}, since 2"
        )
        assert holder(run).pid == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert os.listdir(run) == [".lock"]
        assert holder(run) is None
        acquire(run).release()
        assert os.listdir(run) == []


def test_a_child_that_was_forked_does_not_keep_the_lock(run):
    with another("forks") as (process, said):
        child = int(said.split("a child ")[1].split()[0])
        process.kill()
        process.wait()
        acquire(run).release()  # at once, or as soon as the child has run
        os.kill(child, signal.SIGKILL)


def test_the_same_process_twice(run):
    lock = acquire(run)
    with pytest.raises(LockedError, match="is being trained by this process, since"):
        acquire(run)
    with run_lock.holding(run, wanted=False) as none:  # as all machines but the chief do
        assert none is None
    lock.release()
    lock.release()
    with run_lock.holding(run):
        pass


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\x1b[31m",
        b"[" * 4000,
        json.dumps({"pid": os.getpid(), "host": "here", "since": "", "token": ""}).encode(),
        b"x" * 10_000,
    ],
    ids=["empty", "bytes", "nested", "a holder", "long"],
)
def test_what_a_file_says_that_nobody_holds_means_nothing(run, text):
    (run / ".lock").write_bytes(text)
    assert holder(run) is None
    acquire(run, patience=0).release()


def test_what_a_lock_says_need_not_be_true_or_readable(run):
    lock = acquire(run)
    (run / ".lock").write_bytes(b"\xff\x1b[31m")
    with pytest.raises(LockedError, match="by another process, which the lock does not name;"):
        acquire(run)
    own = {"pid": -1, "host": "\x1b[31m\n" * 100, "since": "s" * 1000, "token": ""}
    (run / ".lock").write_text(json.dumps(own))
    with pytest.raises(LockedError) as caught:
        acquire(run)
    assert len(str(caught.value)) < 400
    lock.release()


def test_the_lock_of_a_process_that_has_ended_is_waited_for(run):
    lock = acquire(run)
    with subprocess.Popen(["true"]) as ended:
        pass
    me = Holder.me()
    words = {"pid": ended.pid, "host": me.host, "since": me.since, "token": "x"}
    (run / ".lock").write_text(json.dumps(words))
    started = time.monotonic()
    with pytest.raises(LockedError, match=f"process {ended.pid} "):
        acquire(run, patience=0.2)
    assert time.monotonic() - started > 0.2
    lock.release()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.mkdir(), "Is a directory"),
        (lambda file: file.symlink_to("there"), "Too many levels of symbolic links"),
        (lambda file: os.mkfifo(file), "it is not a regular file"),
    ],
)
def test_what_is_in_the_way_of_a_lock(run, make, words):
    make(run / ".lock")
    with pytest.raises(ValueError, match=r"^run: cannot lock 'run/\.lock': ") as caught:
        acquire(run)
    assert words in str(caught.value)


def test_a_folder_that_may_not_be_written_to(run, monkeypatch):
    def refuse(file, *arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(file))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ValueError, match=r"^run: cannot lock 'run/\.lock': Read-only file system"):
        acquire(run)


def test_a_file_system_without_locks(run, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(run_lock.fcntl, "flock", refuse)
    first = acquire(run)
    assert not first.is_exclusive
    first.check()
    second = acquire(run)  # nobody can tell: the later process takes over
    second.check()
    with pytest.raises(RunStopped, match="or taken by another process; nothing more is written"):
        first.check()
    first.release()
    second.check()


@pytest.mark.parametrize(
    "harm",
    [
        lambda run: shutil.rmtree(run),
        lambda run: run.rename("elsewhere"),
        lambda run: (shutil.rmtree(run), run.mkdir()),
        lambda run: (shutil.rmtree(run), run.write_text("")),
        lambda run: (run.rename("elsewhere"), run.mkdir(), (run / ".lock").write_text("{}")),
    ],
)
def test_a_folder_that_is_no_longer_the_runs(run, harm):
    lock = acquire(run)
    lock.check()
    harm(run)
    with pytest.raises(
        RunStopped, match="^'run', the folder of this run, was moved, removed"
    ) as it:
        lock.check()
    assert "\n" not in str(it.value)
    lock.release()


def test_a_run_in_the_making_is_swept_up_once_its_process_has_been_killed(run):
    new = Path("new")
    Path(".new.abcd1234").mkdir()  # killed before it had a lock
    Path(".new.abcd1235").mkdir()
    Path(".new.abcd1235/.lock").touch()  # killed later
    Path(".new.abcd1235/start.keras").touch()
    Path(".new.abcd1236").mkdir()
    Path(".new.abcd1236/notes").touch()  # not of this package
    Path(".new.svg.abcd1234").mkdir()
    Path(".new.abcd123").touch()
    with run_folder.creating(new) as lock:
        assert lock.folder != new
        (lock.folder / "config.json").touch()
        run_folder.sweep_beside(new)
        assert (lock.folder / "config.json").exists()  # it is being filled
        assert not new.exists()
        assert len(list(Path().glob(".new*"))) == 4
    assert lock.folder == new
    with pytest.raises(ValueError, match="^out: received 'new', which exists and is being trained"):
        run_folder.check_free(new)
    lock.release()
    assert sorted(os.listdir(new)) == ["config.json"]
    left = {".new.abcd1236", ".new.svg.abcd1234", ".new.abcd123"}
    assert {path.name for path in Path().glob(".new*")} == left


def test_a_run_that_another_process_has_made_meanwhile(run):
    def fill():
        with run_folder.creating(Path("new")) as lock:
            Path("new").mkdir()
            (lock.folder / "config.json").touch()

    with pytest.raises(ValueError, match="^out: received 'new', which exists; expected"):
        fill()
    assert os.listdir("new") == []
    assert sorted(os.listdir()) == ["new", "run"]
