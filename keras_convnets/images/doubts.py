"""What is doubtful about the pixels of images to classify, of one and of all together."""

from __future__ import annotations

from keras_convnets.images.pixel_range import (
    PixelRange,
    Seen,
    are_dark,
    range_of,
    scaled_for,
    taken_for,
)
from keras_convnets.images.preprocessing import Preprocessing


def for_image(
    name: str, seen: Seen, are_bytes: bool, preprocessing: Preprocessing
) -> tuple[Preprocessing, str | None]:
    """Return the preprocessing for one image, and what has to be said of its pixels, if anything.

    Args:
        name: the name of the image.
        seen: what was seen of its pixels.
        are_bytes: whether they have 8 bits.
        preprocessing: that of the images that the model was trained on.

    Raises:
        ValueError: the range of its pixels is another, and cannot be told.

    Examples:
        >>> digits, bright = Preprocessing(1, 8, 8, scale=16), Seen(0, 240, True, 1)
        >>> for_image("cat.png", bright, True, digits)[1]
        "cat.png: its pixels go up to 240, those of the run's images to 16; taken as 0 to 255"
    """
    wanted = range_of(preprocessing)
    if wanted is None:
        return preprocessing, None
    found = taken_for(wanted, seen, are_bytes)
    if found is None:
        raise ValueError(
            f"{name}: received pixels of {seen.low:g} to {seen.high:g}; expected {wanted}, as in "
            "the images that the model was trained on. Scale them to that."
        )
    if found == wanted:
        return preprocessing, None
    doubt = (
        f"{name}: its pixels go up to {seen.high:g}, those of the run's images to "
        f"{wanted.high:g}; taken as {found}"
    )
    return scaled_for(preprocessing, found), doubt


def doubt_of(seen: Seen, preprocessing: Preprocessing) -> str | None:
    """Return what has to be said of several images together, each of which may have its pixels.

    Examples:
        >>> doubt_of(Seen(0, 15, True, images=40), Preprocessing(1, 8, 8, scale=255))
        "the pixels of all 40 images are 0 to 15, those of the run's images 0 to 255"
    """
    wanted = range_of(preprocessing)
    is_usable = wanted is None or taken_for(wanted, seen, True) == wanted
    if wanted is None or (is_usable and not are_dark(wanted, seen)):
        return None
    found = PixelRange(seen.low, seen.high)
    return f"the pixels of all {seen.images} images are {found}, those of the run's images {wanted}"
