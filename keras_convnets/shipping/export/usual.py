"""The images that a model and its export are compared on where nobody gives some."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_convnets.images.doubts import for_image
from keras_convnets.images.pixel_range import seen_of
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.shipping.export.samples import Sample, Samples, samples_of
from keras_convnets.shipping.export.synthetic import synthetic_images

_MOST = 1000  # images of a run


def of_run(run: Any, preprocessing: Preprocessing | None, data_dir: Any = None) -> Samples:
    """Return up to 1,000 of the images that a run is tested on, evenly spread.

    Args:
        run: what has ``load_images``.
        preprocessing: that of the images; ``None`` for the run's own.
        data_dir: the folder of the data's files, if it is not that of the run.

    Raises:
        ValueError: they cannot be loaded.
    """
    found = run.load_images(data_dir=data_dir)
    if preprocessing in (None, found.preprocessing):
        samples = samples_of("check", found, None, ())
    else:
        others = samples_of("check", found.images, preprocessing, ())
        samples = dataclasses.replace(others, words=str(found), notes=tuple(found.words))
    return samples.some(_MOST)


def some_of(found: Any) -> Samples:
    """Return up to 1,000 of the labelled images of some data, evenly spread."""
    return samples_of("check", found, None, ()).some(_MOST)


def usual(
    run: Any, preprocessing: Preprocessing | None, input_shape: tuple[int, int, int]
) -> Samples:
    """Return the images for a network that nobody gave: those of its run, or synthetic ones.

    Args:
        run: the run; ``None``, or what has no ``load_images``, if the model is none's.
        preprocessing: that of the images; ``None`` if it is not known.
        input_shape: ``(channels, rows, cols)`` of the network.
    """
    if not hasattr(run, "load_images"):
        return _synthetic(preprocessing, input_shape)
    try:
        return of_run(run, preprocessing)
    except ValueError as error:
        note = f"compared on synthetic images, since the run's own cannot be loaded: {error}"
        return dataclasses.replace(_synthetic(preprocessing, input_shape), notes=(note,))


def _synthetic(preprocessing: Preprocessing | None, input_shape: tuple[int, int, int]) -> Samples:
    """Return synthetic images, for a network of ``(channels, rows, cols)``.

    Where it is not known how images are prepared, each is normalised: mean 0 and variance 1.
    """
    channels, rows, cols = input_shape
    images = synthetic_images(channels)
    how = preprocessing or Preprocessing(
        channels, rows, cols, mean=(0.5,) * channels, std=(0.25,) * channels, resize="stretch"
    )

    def at(number: int) -> Sample:
        pixels = images[number]
        return pixels, for_image("image", seen_of(pixels, 1), True, how)[0]

    words = f"{len(images)} synthetic images: parts of two photographs in several lights"
    return Samples(len(images), words, at, "synthetic image {}".format, is_synthetic=True)
