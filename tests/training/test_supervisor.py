import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_convnets.training.distribute.supervisor import supervise

PYTHON = (sys.executable, "-c")
LIMIT = 120
BEGIN = "import os, signal, sys, time; open('log', 'a').write(sys.argv[1] + ' '); "


def log():
    return Path("log").read_text().split() if Path("log").exists() else []


def wait_for(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("ends", "code", "children"),
    [
        ("sys.exit(0)", 0, ["first"]),
        ("sys.exit(2)", 2, ["first"]),
        ("sys.exit(75 if sys.argv[1] == 'first' else 3)", 3, ["first", "again"]),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, ["first", "again", "again"]),
        ("os.abort()", 134, ["first", "again", "again"]),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143, ["first"]),
        ("sys.exit(75)", 75, ["first", "again", "again"]),
    ],
)
def test_which_ends_are_not_the_last(ends, code, children, capfd):
    program = (*PYTHON, BEGIN + ends)
    assert supervise(["first"], ["again"], restarts=2, program=program) == code
    assert log() == children
    lines = [line for line in capfd.readouterr().err.splitlines() if "keras-convnets" in line]
    assert [line[-8:] for line in lines] == ["(1 of 2)", "(2 of 2)"][: len(children) - 1]


def supervisor(child):
    """Start a supervisor in a process of its own."""
    code = (
        "from keras_convnets.training.distribute.supervisor import supervise; import sys; "
        "sys.exit(supervise(['first'], ['again'], program=sys.argv[1:]))"
    )
    # A shell starts what runs in the background deaf to Ctrl-C, and so all that it starts.
    return subprocess.Popen(
        [*PYTHON, code, *PYTHON, child],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_once_and_is_the_end(number):
    child = BEGIN + (
        "hear = lambda *_: open('log', 'a').write('heard '); "
        "[signal.signal(n, hear) for n in (2, 15)]; open('log', 'a').write('ready '); "
        "any(time.sleep(0.02) for _ in iter(lambda: 'heard' in open('log').read(), True)); "
        "time.sleep(1); sys.exit(75)"
    )
    process = supervisor(child)
    try:
        wait_for(lambda: "ready" in log())
        process.send_signal(number)
        assert process.wait(LIMIT) == 75
        assert log() == ["first", "ready", "heard"]
    finally:
        process.kill()


def test_a_child_does_not_outlive_its_supervisor():
    child = BEGIN + (
        "from keras_convnets.training.distribute.supervisor import is_supervised; "
        "assert is_supervised() and is_supervised(); "
        "open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(60)"
    )
    process = supervisor(child)
    try:
        wait_for(lambda: Path("pid").exists() and Path("pid").read_text().endswith("\n"))
        pid = int(Path("pid").read_text())
        process.kill()
        process.wait()
        wait_for(lambda: not runs(pid))
    finally:
        process.kill()


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return " Z " not in Path(f"/proc/{pid}/stat").read_text()  # whoever adopted it has to notice


def test_it_takes_no_tensorflow():
    module = "keras_convnets.training.distribute.supervisor"
    code = f"import sys, {module}; assert 'tensorflow' not in sys.modules"
    subprocess.run([*PYTHON, code], check=True)
