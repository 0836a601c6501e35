"""The boundary of the command: one line and a known exit code, whatever ends it."""

import _thread
import ctypes
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import pytest

from keras_convnets import cli, quiet
from keras_convnets.cli import boundary, commands
from keras_convnets.errors import PeerLost, RunStopped


@pytest.fixture(autouse=True)
def ctrl_c():
    """Let Ctrl-C interrupt, which a shell's background jobs ignore, these tests among them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ended_by(error, capfd):
    """Return the exit code and the line of a command that an error ends."""
    with mock.patch.object(commands, "run", side_effect=error):
        code = cli.main(["list"])
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("keras-convnets: ")
    assert err.count("\n") == 1
    return code, err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("two\nlines"), 2, "error: two lines"),
        (ValueError("a\x1b[31m"), 2, r"error: a\x1b[31m"),
        (RunStopped("it stopped"), 1, "stopped: it stopped"),
        (PeerLost("it is lost"), 75, "stopped: it is lost"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "a/b"), 2, "'a/b': Permission denied"),
        (FileNotFoundError(2, "No such file or directory", b"caf\xe9"), 2, "No such file"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (OSError(36, "File name too long", "n" * 5000), 2, "File name too long"),
        (ModuleNotFoundError("No module named 'jax'", name="jax"), 2, "cannot import jax"),
        (MemoryError(), 2, "out of memory"),
        (RecursionError("maximum recursion depth exceeded"), 2, "nested too deeply"),
        (RuntimeError("random_device::random_device: device not available"), 2, "ulimit -n"),
        (KeyError("name"), 70, "KeyError"),
        (AssertionError(), 70, "KERAS_CONVNETS_TRACEBACK=1"),
    ],
)
def test_whatever_ends_a_command_is_a_line_and_an_exit_code(error, code, words, capfd):
    found, line = ended_by(error, capfd)
    assert found == code
    assert words in line
    assert len(line) < 2000


def test_errors_of_tensorflow_are_lines_too(capfd):
    import tensorflow as tf

    full = tf.errors.ResourceExhaustedError(None, None, "logs/a; No space left on device")
    assert "logs/a; No space left on device" in ended_by(full, capfd)[1]
    oom = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\n [[{{node}}]]")
    assert ended_by(oom, capfd)[1].startswith("keras-convnets: error: out of memory (OOM when")
    assert ended_by(tf.errors.InternalError(None, None, "bug"), capfd)[0] == 70


def test_the_traceback_is_there_for_who_asks(capfd, monkeypatch):
    monkeypatch.setenv("KERAS_CONVNETS_TRACEBACK", "1")
    with mock.patch.object(commands, "run", side_effect=KeyError("name")):
        assert cli.main(["list"]) == boundary.SOFTWARE
    assert "Traceback (most recent call last)" in capfd.readouterr().err


class Stream(io.StringIO):
    """A stream that an error meets after some texts."""

    def __init__(self, error, after=0):
        super().__init__()
        self._error, self._left = error, after

    def flush(self):
        self._left -= 1
        if self._left < 0:
            raise self._error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
        (OSError(28, "No space left on device"), 2, "standard output: No space left on device"),
    ],
)
def test_output_that_cannot_be_written(error, code, words, capfd, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(error))
    assert cli.main(["list", "resnet_18"]) == code
    err = capfd.readouterr().err
    assert words in err
    assert err.count("\n") == (code == 2)


def test_closed_streams(capfd, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert cli.main(["plot", "lenet_5", "net.svg"]) == 2
    assert "standard output: Bad file descriptor" in capfd.readouterr().err
    assert os.listdir() == []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        assert cli.main(["list", "resnet_19"]) == 2
        assert sys.stderr is None


def test_a_run_outlives_its_output(monkeypatch, capfd):
    from keras_convnets.cli.streams import Output, outlive_output

    output = Output(Stream(OSError(28, "No space left on device"), after=1))
    monkeypatch.setattr(sys, "stdout", output)
    outlive_output()
    for _ in range(3):
        print("epoch", flush=True)
    assert output.error is None
    assert "the run goes on without it" in capfd.readouterr().err
    never = Output(Stream(OSError(28, "No space left on device")))
    monkeypatch.setattr(sys, "stdout", never)
    outlive_output()
    with pytest.raises(OSError, match="No space"):
        print("epoch", flush=True)


def test_another_backend_serves_all_but_training(capfd):
    with mock.patch("keras.backend.backend", return_value="torch"):
        assert cli.main(["cost", "lenet_5"]) == 0
        assert cli.main(["train", "--out", "run"]) == 2
    assert "received 'torch'; expected 'tensorflow', which training req" in capfd.readouterr().err
    assert not Path("run").exists()


def test_a_backend_that_cannot_be_imported():
    command = [sys.executable, "-m", "keras_convnets", "summary", "lenet_5"]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflwo"}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 2
    assert found.stderr.startswith("keras-convnets: error: Keras cannot start with KERAS_BACKEND=")
    assert found.stderr.count("\n") == 1


def signalled(command):
    with mock.patch.object(commands, "run", side_effect=lambda arguments: command()):
        return cli.main(["list"])


def swallowing(file, swallowed):
    """Get a signal in Python that native code asks, which goes on without the exception."""
    asked = "try:\n  signal.raise_signal(15)\n  time.sleep(0)\nexcept BaseException as e: say(e)"
    names = {"signal": signal, "time": time, "say": swallowed.append}
    exec(compile(asked, file, "exec"), names)
    for _ in range(1000):
        time.sleep(0.01)
    return 0


@pytest.mark.parametrize("file", ["<frozen abc>", "<frozen importlib._bootstrap>"])
def test_a_signal_is_not_lost_in_what_native_code_asks_of_python(file, capfd):
    swallowed = []
    assert signalled(lambda: swallowing(file, swallowed)) == boundary.INTERRUPTED
    assert capfd.readouterr().err == "keras-convnets: interrupted\n"
    assert swallowed == []


def test_a_signal_that_comes_again_before_its_handler_has_ended_is_not_lost():
    started, swallowed = [], []
    start = _thread.start_new_thread  # which does not wait in Python for the thread, as Thread does

    def at_once(function, arguments):
        started.append(function)
        if len(started) == 1:
            function(*arguments)
        else:
            start(function, arguments)

    with mock.patch.object(_thread, "start_new_thread", at_once):
        found = signalled(lambda: swallowing("<frozen abc>", swallowed))
    assert (found, swallowed) == (boundary.INTERRUPTED, [])
    assert len(started) >= 2  # a busy machine may need another one


class Going:
    """Gets a signal as it goes away."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        time.sleep(0)


def printing():
    """Get a signal in Python that native code runs, which prints exceptions and goes on."""
    ctypes.pythonapi.PyRun_SimpleString(b"import signal; signal.raise_signal(signal.SIGINT)")


@pytest.mark.parametrize("dropping", [Going, printing])
def test_a_signal_is_not_lost_where_its_exception_would_only_be_printed(dropping, capfd):
    def command():
        dropping()
        for _ in range(1000):
            time.sleep(0.01)
        return 0

    hooks = sys.excepthook, sys.unraisablehook
    assert signalled(command) == boundary.INTERRUPTED
    assert capfd.readouterr().err == "keras-convnets: interrupted\n"
    assert (sys.excepthook, sys.unraisablehook) == hooks


def test_other_exceptions_that_are_only_printed_still_are(capfd):
    def command():
        ctypes.pythonapi.PyRun_SimpleString(b"1 / 0")
        return 0

    assert signalled(command) == 0
    assert "ZeroDivisionError" in capfd.readouterr().err


class HalfMade:
    """Is made when a signal comes, and goes away without what it was to have."""

    def __init__(self):
        signal.raise_signal(signal.SIGINT)
        self.options = None

    def __del__(self):
        print(self.options)


def test_what_a_signal_left_half_made_goes_away_in_silence(capfd, monkeypatch):
    assert signalled(HalfMade) == boundary.INTERRUPTED
    assert capfd.readouterr() == ("", "keras-convnets: interrupted\n")
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: said.append(str(found.exc_value)))
    assert signalled(HalfMade) == boundary.INTERRUPTED
    assert said == []
    monkeypatch.setenv("KERAS_CONVNETS_TRACEBACK", "1")
    assert signalled(HalfMade) == boundary.INTERRUPTED
    assert said == ["'HalfMade' object has no attribute 'options'"]


def test_a_signal_leaves_standard_error_where_it_was():
    def command():
        key = threading.Timer(0.002, signal.raise_signal, [signal.SIGINT])
        key.start()
        while True:
            with quiet.held_back():
                time.sleep(1e-4)

    before = os.fstat(2)
    for _ in range(100):
        assert signalled(command) == boundary.INTERRUPTED
        assert os.path.samestat(os.fstat(2), before)


def test_a_signal_does_not_wait_for_ever(monkeypatch):
    def command():
        signal.raise_signal(signal.SIGINT)
        for _ in range(1000):
            time.sleep(0.01)
        return 0

    monkeypatch.setattr(boundary, "_MOMENTS", 3)
    monkeypatch.setattr(boundary, "_LOSING", ("",))  # everywhere
    assert signalled(command) == boundary.INTERRUPTED


NATIVE = """
import ctypes, signal, sys
from keras_convnets.cli import boundary

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
run = ctypes.pythonapi.PyRun_String
run.restype = ctypes.py_object
run.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.py_object, ctypes.py_object]
text = b"import signal, time; signal.raise_signal(signal.SIGINT); time.sleep(9)"
sys.exit(boundary.guarded(lambda: run(text, 257, {}, {})))
"""


def test_a_signal_within_python_that_native_code_runs_leaves_the_exit_code(tmp_path):
    (tmp_path / "native.py").write_text(NATIVE)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    command = [sys.executable, "-m", "native"]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True)
    assert (ended.returncode, ended.stderr) == (130, b"keras-convnets: interrupted\n")


AT_EXIT = """
import atexit, os, signal, sys
from keras_convnets import cli
atexit.register(lambda: [os.kill(os.getpid(), signal.SIGINT), os.kill(os.getpid(), signal.SIGTERM)])
sys.argv = ["keras-convnets", "--version"]
sys.exit(cli.main())
"""


def test_a_signal_while_the_process_exits_changes_nothing():
    command = [sys.executable, "-c", AT_EXIT]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("keras-convnets ")
