"""scikit-learn's 1,797 handwritten digits: real 8x8 scans, embedded in its package."""

from __future__ import annotations

import numpy as np

from keras_convnets.images.labelled import from_array
from keras_convnets.images.pixel_range import PixelRange
from keras_convnets.training.data.source import Source

_BRIGHTEST = 16.0


def load() -> Source:
    """Return the digits, to be resized to 32x32; their pixels range from 0 to 16."""
    from sklearn.datasets import load_digits  # imported here: it takes as long as all other imports

    images, labels = load_digits(return_X_y=True)
    return Source(
        name="digits",
        train=from_array(images.reshape(-1, 8, 8, 1).astype(np.uint8), labels, "digits {}".format),
        class_names=tuple("0123456789"),
        augmentation="shift",
        size=(32, 32),
        native=(8, 8),
        channels=1,
        scale=_BRIGHTEST,
        pixels=PixelRange(0.0, _BRIGHTEST),
        normalised=False,
    )
