"""What a benchmark was measured on: processor, threads, versions."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from pathlib import Path

from keras_convnets import checks
from keras_convnets._version import __version__

_PACKAGES = ("keras", "tensorflow", "onnxruntime", "ai-edge-litert", "openvino", "tf2onnx")
_CPUS = Path("/proc/cpuinfo")


@dataclasses.dataclass(frozen=True)
class Machine:
    """What was measured on.

    Attributes:
        cpu: the name of the processor.
        threads: how many each engine may use.
        devices: where TensorFlow computes, ``"CPU"`` or ``"GPU"``; the others compute on the CPU.
        system: the operating system.
        versions: those of the packages, by name.
    """

    cpu: str
    threads: int
    devices: str
    system: str
    versions: dict[str, str]


def this_machine(threads: int) -> Machine:
    """Return what this machine is."""
    import tensorflow as tf

    versions = {"python": platform.python_version(), "keras_convnets": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    devices = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return Machine(_cpu(), threads, devices, f"{platform.system()} {platform.machine()}", versions)


def _cpu() -> str:
    if _CPUS.exists():
        for line in _CPUS.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def settled(threads: int | None) -> int:
    """Return how many threads all engines shall use, and let TensorFlow use as many.

    By default, that is how many TensorFlow was told to use, or else as many as there are
    processors for this process.

    Raises:
        ValueError: TensorFlow has begun to compute with another number.
    """
    import tensorflow as tf

    told = tf.config.threading.get_intra_op_parallelism_threads()
    told = told or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    if threads is None:
        return told or processors()
    number = checks.positive_integer("threads", threads, "the threads of each engine, such as 2")
    if number == told:
        return number
    try:
        tf.config.threading.set_intra_op_parallelism_threads(number)
        tf.config.threading.set_inter_op_parallelism_threads(number)
    except RuntimeError:
        now = told or processors()
        if number != now:
            raise ValueError(
                f"threads: received {number}; expected {now}, which TensorFlow has begun to "
                "compute with. Pass that, or ask for another before anything is computed."
            ) from None
    return number


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
