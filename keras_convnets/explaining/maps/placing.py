"""Feature maps at the pixels of the image that their units see.

A unit belongs to the centre of its receptive field. To stretch feature maps over the image, as is
usual, puts them off where convolutions have no padding, or padding on one side.
"""

from __future__ import annotations

import numpy as np

from keras_convnets.analysis.receptive_field.found import ReceptiveField
from keras_convnets.analysis.receptive_field.receptive_field import receptive_field
from keras_convnets.axes import in_papers_order
from keras_convnets.explaining.maps.task import Task
from keras_convnets.inference.compiled import kept


def placed(task: Task, maps: np.ndarray) -> np.ndarray:
    """Return feature maps `(images, rows, cols)` in the size of the images, interpolated.

    Beyond the centres of the outermost units, they go on as there.
    """
    along_rows, along_cols = matrices(task, maps.shape[1:])
    return np.einsum("pr,nrc,qc->npq", along_rows, maps, along_cols, optimize=True)


def matrices(task: Task, units: tuple[int, ...]) -> list[np.ndarray]:
    """Return what interpolates the rows and what interpolates the columns: (pixels, units)."""
    layer, data_format = task.feature_maps(), "channels_first" if task.scores.is_first else ""
    shape = in_papers_order(task.images.shape, data_format or "channels_last")

    def found(model: object) -> ReceptiveField | None:
        try:
            return receptive_field(model, layer.name, input_shape=shape)
        except ValueError:  # a model whose fields cannot be computed
            return None

    field = kept(task.scores.model).get("field", found, of=(layer.name, shape))
    return [
        _matrix(pixels, _centres(field, axis, count, pixels))
        for axis, (pixels, count) in enumerate(zip(task.size, units, strict=True))
    ]


def _centres(field: ReceptiveField | None, axis: int, count: int, pixels: int) -> np.ndarray:
    """Return the centre of each unit along an axis, in pixels from that of the first pixel."""
    units = np.arange(count)
    if field is not None and field.size and field.stride and field.padding:
        size, stride, padding = field.size[axis], field.stride[axis], field.padding[axis]
        if stride is not None and padding is not None:
            return (size - 1) / 2 - padding + stride * units
    return (units + 0.5) * pixels / count - 0.5  # spread evenly


def _matrix(pixels: int, centres: np.ndarray) -> np.ndarray:
    place = np.interp(np.arange(pixels), centres, np.arange(len(centres)))
    return np.maximum(0, 1 - np.abs(place[:, np.newaxis] - np.arange(len(centres)))).astype("f4")
