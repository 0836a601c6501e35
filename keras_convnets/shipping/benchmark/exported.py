"""An exported file in its own runtime, to be measured."""

from __future__ import annotations

from pathlib import Path

from keras_convnets import checks, files
from keras_convnets.shipping.benchmark.contender import Contender, Taken
from keras_convnets.shipping.benchmark.preparing import Wanted, check_memory, threads_of
from keras_convnets.shipping.benchmark.ways import of_kind
from keras_convnets.shipping.engines.engine import Engine
from keras_convnets.shipping.engines.kinds import kind_of
from keras_convnets.shipping.engines.opening import open_engine

_MOST_CHANNELS = 4


def of_path(name: str, path: Path, wanted: Wanted) -> Contender:
    """Return an exported file as it is.

    Raises:
        ValueError: it cannot be opened, or leaves sizes open that no input shape says.
    """
    kind = kind_of(path)
    engine = open_engine(path, threads_of(kind, wanted.threads))
    precision = engine.about.precision if engine.about else "float32"
    taken = _taken(name, engine, wanted)
    check_memory(taken, wanted)
    group = engine.about.fingerprint if engine.about else ""
    run = engine.run
    return Contender(name, of_kind(kind), precision, run, taken, path, group or name)


def _taken(name: str, engine: Engine, wanted: Wanted) -> Taken:
    """Return the batches that a file takes, of the shape that it says or that is asked for."""
    about, sizes = engine.about, engine.shape[1:]
    last = about.channels_last if about else _is_channels(sizes[-1])
    given = None if wanted.input_shape is None else checks.input_shape(wanted.input_shape)
    asked = given or (about.input_shape if about else (None, None, None))
    if not last:
        sizes = (*sizes[1:], sizes[0])
    wishes = (*asked[1:], asked[0])
    rows, cols, channels = (own or wish for own, wish in zip(sizes, wishes, strict=True))
    if rows is None or cols is None or channels is None:
        raise ValueError(
            f"input_shape: received none with {files.shown(name)}, which leaves sizes open; "
            "expected (channels, rows, cols). Pass (3, 224, 224), for instance."
        )
    if given is not None and wishes != (rows, cols, channels):
        raise ValueError(
            f"input_shape: received {given} with {files.shown(name)}, which takes images of "
            f"{(channels, rows, cols)}; expected the same. Leave it out."
        )
    return Taken((rows, cols, channels), engine.dtype, last)


def _is_channels(size: int | None) -> bool:
    return size is not None and size <= _MOST_CHANNELS
