"""The range of a source's pixels: what a run keeps of it, and images brought to that of others."""

from __future__ import annotations

from keras_convnets.images.pixel_range import (
    Seen,
    are_dark,
    is_usual,
    of_range,
    range_of,
    scaled_for,
    seen_in,
    taken_for,
    usual_range,
)
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.source import Source


def recorded(plain: Preprocessing, source: Source) -> Preprocessing:
    """Return a source's own preprocessing, which says what range its pixels have.

    It says nothing where its scale already tells.
    """
    found = source.pixels or usual_range(seen_in(source.train))
    return plain if found.low == found.high else of_range(plain, found)


def brought(preprocessing: Preprocessing, source: Source) -> tuple[Preprocessing, tuple[str, ...]]:
    """Return the preprocessing of a trained model for the pixels of a source.

    Returns:
        The preprocessing, and what has to be said of the pixels, in lines.

    Raises:
        ValueError: their range is not that of the model's images, and it is not certain how to
            bring them to it.
    """
    wanted = range_of(preprocessing)
    if wanted is None:
        return preprocessing, ()
    seen = Seen(*source.pixels, True, 0) if source.pixels else seen_in(source.train)
    is_known = source.pixels is not None and is_usual(wanted)
    found = source.pixels if is_known else taken_for(wanted, seen, source.is_from_files)
    is_dark = found == wanted and are_dark(wanted, seen)
    if found is None or (is_dark and not source.is_from_files):
        raise ValueError(
            f"data: received pixels of {seen.low:g} to {seen.high:g} in {source.name}; expected "
            f"{wanted}, as in the images that the preprocessing is for. Scale them to that."
        )
    if is_dark:
        dark = f"no pixel of {source.name} that was looked at is brighter than {seen.high:g}"
        return preprocessing, (f"{dark}; the model was trained on pixels of {wanted}",)
    if found == wanted:
        return preprocessing, ()
    line = (
        f"the pixels of {source.name}, {found}, are multiplied by {wanted.high / found.high:.4g}: "
        f"the model was trained on pixels of {wanted}"
    )
    return scaled_for(preprocessing, found), (line,)
