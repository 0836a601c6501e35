"""Where the time of a training step goes, by TensorFlow's profiler."""

from __future__ import annotations

import collections
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from benchmarks.turns import Call

# The first that fits says the kind: of the operation's type, or of the layer or scope in its name.
_KINDS = (
    ("convolutions", "Conv2D|PointwiseGradient"),
    ("batch normalisation", "FusedBatchNorm"),
    ("pooling", "Pool"),
    ("products of matrices", "MatMul"),
    ("input", "IteratorGetNext|Iterator::|Prefetch|Cache"),
    ("ReLU", "Relu"),
    ("casts", "Cast"),
)


def kinds_of_time(model: keras.Model, step: Call, steps: int) -> dict[str, float]:
    """Return the milliseconds of a step by kind of operation, and the step's own."""
    for _ in range(3):
        step()
    with tempfile.TemporaryDirectory() as place:
        tf.profiler.experimental.start(place)
        start = time.perf_counter()
        for _ in range(steps):
            step()
        elapsed = time.perf_counter() - start
        tf.profiler.experimental.stop()
        file = next(Path(place).rglob("*.xplane.pb"))
        found = collections.Counter(_by_kind(model, file))
    took = {kind: 1e3 * seconds / steps for kind, seconds in found.items()}
    elapsed = 1e3 * elapsed / steps
    took["the step, beginning to end"] = elapsed
    return took


def _by_kind(model: keras.Model, file: Path) -> dict[str, float]:
    """Return the seconds of each kind of operation in a profile."""
    layers = [layer.name for layer in model.layers if "Norm" in type(layer).__name__]
    normalisations = re.compile("/(" + "|".join(map(re.escape, layers or ["-"])) + ")(_[0-9]+)?/")
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer).name
    seconds: dict[str, float] = collections.defaultdict(float)
    for name, kind, duration in _operations(file):
        if f"/{optimizer}/" in name or kind.startswith("ResourceApply"):
            seconds["optimizer"] += duration
        elif normalisations.search(name) and "Conv" not in kind:
            seconds["batch normalisation"] += duration
        else:
            fitting = (title for title, pattern in _KINDS if re.search(pattern, kind))
            seconds[next(fitting, "other, mostly elementwise")] += duration
    return seconds


def _operations(file: Path) -> Iterator[tuple[str, str, float]]:
    """Yield the name, type and seconds of each operation that was run."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(file.read_bytes())
    for plane in space.planes:
        if not plane.name.startswith("/host:CPU"):
            continue
        for line in plane.lines:
            for event in line.events:
                what = plane.event_metadata[event.metadata_id]
                name, _, kind = what.name.rpartition(":")
                if what.display_name and name:
                    yield name, kind, event.duration_ps / 1e12
