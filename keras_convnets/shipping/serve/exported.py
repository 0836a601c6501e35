"""An exported file that its own runtime serves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keras_convnets import files
from keras_convnets.images import decoding
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.given import UnreadableError
from keras_convnets.inference.outputs import Outputs
from keras_convnets.shipping.engines.about import About
from keras_convnets.shipping.engines.engine import Engine
from keras_convnets.shipping.serve.served import Image, Served, check_channels, preparing


def of_engine(engine: Engine, batch_size: int) -> Served:
    """Return an exported file, which its runtime has opened, ready to serve.

    Args:
        engine: the opened file.
        batch_size: the images that it will take at once.

    Raises:
        ValueError: the file does not say how its images are prepared or what its outputs are, or
            its runtime cannot run such a batch.
    """
    about = engine.about
    if about is None:
        raise ValueError(
            f"serve: received {files.shown(engine.path)}, which does not say how its images are "
            "prepared and what its outputs are; expected a file that keras-convnets export has "
            "written. Export the model again."
        )
    check_channels(about.network, about.input_shape[0])
    preprocessing = _preprocessing(engine, about)
    shape = engine.shape[1:]
    trial = np.zeros((batch_size, *(size or 64 for size in shape)), engine.dtype)
    found = engine.run(trial)
    outputs = Outputs(about.outputs, found.shape[1])
    return Served(
        name=about.network,
        runtime=f"{engine.kind.runtime} {engine.version}, {about.precision}",
        preprocessing=preprocessing,
        class_names=_class_names(engine, about, outputs),
        outputs=outputs,
        shape=shape,
        dtype=engine.dtype,
        prepare=_as_pixels if about.has_preprocessing else _prepared(engine, about, preprocessing),
        run=engine.run,
    )


def _class_names(engine: Engine, about: About, outputs: Outputs) -> tuple[str, ...]:
    names = about.class_names or tuple(map(str, range(outputs.classes)))
    if len(names) != outputs.classes:
        raise ValueError(
            f"serve: {files.shown(engine.path)} has {outputs.classes} classes and "
            f"{len(names)} names; expected one for each. Export the model again."
        )
    return names


def _preprocessing(engine: Engine, about: About) -> Preprocessing | None:
    if about.preprocessing is not None:
        return Preprocessing.from_config(about.preprocessing)
    if about.has_preprocessing:
        return None
    raise ValueError(
        f"serve: {files.shown(engine.path)} does not say how its images are prepared; expected "
        "that. Export the model again, with --preprocessing NAME or from a run."
    )


def _prepared(
    engine: Engine, about: About, preprocessing: Preprocessing | None
) -> Callable[[str, bytes], Image]:
    """Return the function that prepares images outside of the file."""
    assert preprocessing is not None
    channels, rows, cols = preprocessing.image_shape
    has = (rows, cols, channels) if about.channels_last else (channels, rows, cols)
    if any(size not in (None, own) for size, own in zip(engine.shape[1:], has, strict=True)):
        raise ValueError(
            f"serve: {files.shown(engine.path)} takes images of {engine.shape[1:]}, but its "
            f"preprocessing makes {has}; expected the same. Export the model again."
        )
    return preparing(preprocessing, not about.channels_last)


def _as_pixels(name: str, contents: bytes) -> Image:
    """Return the pixels of an image file, for a file that prepares them itself."""
    try:
        return Image(decoding.read_contents(name, contents))
    except ValueError as error:
        raise UnreadableError(str(error)) from error
