"""What a source of images provides, before the images are split and normalised."""

from __future__ import annotations

import dataclasses

from keras_convnets.images.labelled import Images
from keras_convnets.images.pixel_range import PixelRange


@dataclasses.dataclass(frozen=True)
class Source:
    """Labelled images and the defaults for processing them.

    Attributes:
        name: the name of the data set.
        train: the training images.
        class_names: the class names, by label.
        augmentation: the name of the augmentation.
        size: rows and columns of the network's input.
        native: rows and columns of all images; ``None`` if they differ.
        test: the test images; ``None`` if a share of the training images must be held out instead.
        validation: the validation images; ``None`` if the source has none.
        channels: 1 (grey), 3 (colour, perhaps with alpha), or any other number.
        resize: how images of another size are resized, as in ``Preprocessing``.
        scale: the divisor of the pixels.
        normalised: whether to normalise by the mean and standard deviation of each channel.
        skipped: files that were left out, each with the reason.
        words: what was decided about the data, in lines to be shown before a run.
        contents: the SHA-256 of the table that lists the images, or of some values of each array;
            ``None`` for others.
        pixels: the range that its pixels are known to have; by default it is looked at.
        is_from_files: whether the pixels are those of image files, of 8 bits.
    """

    name: str
    train: Images
    class_names: tuple[str, ...]
    augmentation: str
    size: tuple[int, int]
    native: tuple[int, int] | None = None
    test: Images | None = None
    validation: Images | None = None
    channels: int = 3
    resize: str = "stretch"
    scale: float = 255.0
    normalised: bool = True
    skipped: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    contents: str | None = None
    pixels: PixelRange | None = None
    is_from_files: bool = True
