"""What a network looked at: the result of `explain`."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_convnets.analysis.tables import Column, Table
from keras_convnets.inference.shares import Share
from keras_convnets.typed import explaining

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 20


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Maps of what the score of a class comes from, one for each image.

    Printed, it is a table. A part of it is taken as of a list: ``found[:4]``, ``found[[2, 7]]``.

    Attributes:
        maps: float32, `(images, rows, cols)`, in the size of the images as the network takes them.
            They are in the units of the method: those of integrated gradients add up to the
            difference of the score from that of the baseline, those of occlusion are falls of the
            score, and negative numbers speak against the class. All others are 0 or more, and
            their scale is of no meaning.
        labels: the class that is explained, for each image.
        probabilities: class probabilities, float32, `(images, classes)`.
        class_names: the class names, by label.
        files: the names of the images.
        pictures: the images as a person sees them, uint8, `(images, rows, cols, 1 or 3)`.
        method: the name of the method.
        layer: the layer of the feature maps; ``None`` for methods that look at the image alone.
        model: the name of the model.
        gaps: for integrated gradients, how far each map's sum is from the difference of the scores,
            as a share of it; otherwise ``None``.
        notes: lines about what was bounded, is doubtful, or could not be shown.
    """

    maps: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    pictures: np.ndarray
    method: str
    layer: str | None
    model: str
    gaps: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.maps)

    def __getitem__(self, which: Any) -> Explanation:
        places = np.atleast_1d(np.arange(len(self))[which])
        return dataclasses.replace(
            self,
            maps=self.maps[places],
            labels=self.labels[places],
            probabilities=self.probabilities[places],
            files=tuple(self.files[place] for place in places),
            pictures=self.pictures[places],
            gaps=None if self.gaps is None else self.gaps[places],
        )

    def __iter__(self) -> Iterator[Explanation]:
        return (self[number] for number in range(len(self)))

    def __repr__(self) -> str:
        more = [f"and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([self[:_SHOWN].table().to_text(), *more, *self.notes])

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the class that is explained, for each image."""
        return tuple(self.class_names[label] for label in self.labels)

    @property
    def probability(self) -> np.ndarray:
        """The probability of the class that is explained, float32, `(images,)`."""
        return self.probabilities[np.arange(len(self)), self.labels]

    @property
    def peaks(self) -> np.ndarray:
        """The row and column of the largest number of each map, `(images, 2)`."""
        flat = self.maps.reshape(len(self), -1).argmax(axis=1)
        return np.stack(np.unravel_index(flat, self.maps.shape[1:]), axis=1)

    def table(self) -> Table:
        """Return a table of the images, their classes, and where the maps are largest."""
        columns = (
            Column("image", "image"),
            Column("class", "class"),
            Column("probability", "probability", is_number=True),
            Column("row", "row", is_number=True),
            Column("col", "column", is_number=True),
        )
        found = zip(self.files, self.names, self.probability, self.peaks.tolist(), strict=True)
        rows = tuple((file, name, Share(share), *peak) for file, name, share, peak in found)
        return Table(columns, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pictures and the maps as a JSON-ready dictionary."""
        found = zip(self.files, self.names, self.labels.tolist(), strict=True)
        images = [
            {
                "image": file,
                "class": name,
                "label": label,
                "probability": float(self.probability[number]),
                "peak": self.peaks[number].tolist(),
                **({} if self.gaps is None else {"gap": float(self.gaps[number])}),
            }
            for number, (file, name, label) in enumerate(found)
        ]
        about = {"model": self.model, "method": self.method, "layer": self.layer}
        return {**about, "images": images, "notes": list(self.notes)}

    @explaining
    def plot(self, to_file: str | os.PathLike[str]) -> None:
        """Draw each image, what the network looked at in it, and the scale of colours.

        Args:
            to_file: the file to write: .svg, .png or .pdf, or .html for a page on which the map can
                be laid over the image. At most 24 images; take a part for fewer, ``found[:24]``.

        Raises:
            ValueError: the format is another one, there are no images or too many, or the file
                cannot be written.
        """
        from keras_convnets.explaining.figure.plotting import plot  # imports Matplotlib

        plot(self, to_file)
