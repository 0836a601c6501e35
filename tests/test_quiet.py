"""What native code writes to the terminal is held back, and what Python writes is not lost."""

import subprocess
import sys

_WRITES = """
import os, sys
from keras_convnets import quiet

def written(text):
    print(f"Python {text}", file=sys.stderr)
    os.write(2, f"native {text}\\n".encode())

stream = sys.stderr
written("before")
with quiet.python_alone():
    written("inside")
    with quiet.held_back():
        os.write(2, b"native within\\n")
    written("inside again")
assert sys.stderr is stream
written("after")
with quiet.held_back():
    written("held back")
"""


_CLOSED = """
import os, sys
from keras_convnets import quiet

with quiet.python_alone(), quiet.held_back():
    assert sys.stderr is None
os.fstat(2)
"""


def _ended(program, *shell):
    """Run a program, by the shell where that has to prepare something."""
    command = [*shell, sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True)


def test_python_alone_writes_to_standard_error():
    done = _ended(_WRITES)
    assert (done.returncode, done.stderr.splitlines()) == (0, [
        *("Python before", "native before"),
        *("Python inside", "Python inside again"),
        *("Python after", "native after"),
    ])  # fmt: skip


def test_a_closed_standard_error_stays_closed():
    closed = ("sh", "-c", 'exec "$0" "$@" 2>&-')
    done = _ended(_CLOSED, *closed)
    assert done.returncode == 1  # its last line, for there is no descriptor
    assert _ended(_CLOSED.replace("os.fstat(2)", ""), *closed).returncode == 0
