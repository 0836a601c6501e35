"""Starting TensorFlow for the command line: quick kernels, and none of its start-up chatter."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def start_engine(alone: bool = True) -> None:
    """Import Keras and its backend, set up for this machine.

    oneDNN's kernels are faster on CPUs and run channels_first models there. Whatever the user has
    set in the environment stays.

    Args:
        alone: whether the run is on this machine alone. Several machines must be connected before
            TensorFlow looks for devices.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet_standard_error():
        import keras
        import pygraphviz

        # The first look for devices and for fonts logs too, so both are had here.
        if alone:
            keras.distribution.list_devices()
        pygraphviz.AGraph("graph {a}").draw(format="svg", prog="dot")


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Hold back what native code writes to standard error; show it if the body raises.

    TensorFlow's first lines come before its own log level is in force, so only the file
    descriptor can hold them back.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        standard_error = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(standard_error, held.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
