"""What a source of images hands over, before it is split and normalised."""

from __future__ import annotations

import dataclasses

from keras_convnets.images.labelled import Images


@dataclasses.dataclass(frozen=True)
class Source:
    """Labelled images, and how they are treated where nobody says otherwise.

    Attributes:
        name: what the data set is called.
        train: the images to train on.
        class_names: the classes, by label.
        augmentation: its name.
        size: rows and columns that the network takes in.
        native: rows and columns of all images; ``None`` where they differ.
        test: the images kept for testing; ``None`` where a share of the others has to be.
        validation: the images kept for validation; ``None`` where there are none.
        channels: 1 (grey) or 3 (colour).
        resize: how images of another size are resized, as ``Preprocessing`` takes it.
        scale: what pixels are divided by.
        normalised: whether means and deviations are worked out.
        skipped: files left out, with the reason.
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
