"""The class probabilities of a model and of its exported file, compared."""

from __future__ import annotations

import functools

import keras
import numpy as np

from keras_convnets.inference.outputs import Outputs


class Comparison:
    """The differences between two arrays of class probabilities, `(images, classes)`.

    Attributes:
        before: those of the model.
        after: those of the file.

    Examples:
        >>> import numpy as np
        >>> before = np.array([[0.5, 0.1], [0.25, 0.75]])
        >>> found = Comparison(before, np.array([[0.25, 0.1], [0.25, 0.75]]))
        >>> found.difference, found.relative, found.worst, found.agreeing
        (0.25, 0.5, (0, 0), 2)
    """

    def __init__(self, before: np.ndarray, after: np.ndarray) -> None:
        self.before, self.after = before, after
        self._apart = np.abs(before.astype(np.float64) - after)

    @property
    def difference(self) -> float:
        """The largest difference of a probability."""
        return float(self._apart.max())

    @property
    def relative(self) -> float:
        """The largest difference, relative to the largest probability of the same image.

        Where that is less than 1 over the number of classes, as of sigmoids that say no to all
        classes, it is relative to this.
        """
        return float(self._relative.max())

    @property
    def of_images(self) -> np.ndarray:
        """The largest relative difference of each image, `(images,)`."""
        return self._relative.max(axis=1)

    @property
    def worst(self) -> tuple[int, int]:
        """The image and the class of the largest relative difference."""
        image, label = np.unravel_index(int(self._relative.argmax()), self._relative.shape)
        return int(image), int(label)

    @property
    def agreeing(self) -> int:
        """The number of images whose first class is the same."""
        return int((self.before.argmax(axis=1) == self.after.argmax(axis=1)).sum())

    @functools.cached_property
    def _relative(self) -> np.ndarray:
        classes = self.before.shape[1]
        largest = np.maximum(self.before.max(axis=1, keepdims=True), 1 / classes)
        return self._apart / largest


def compared(outputs: Outputs, before: np.ndarray, after: np.ndarray) -> Comparison:
    """Compare the outputs of a model and of its file, which may be logits."""
    return Comparison(_probabilities(outputs, before), _probabilities(outputs, after))


def _probabilities(outputs: Outputs, values: np.ndarray) -> np.ndarray:
    """Return class probabilities, one column for each class."""
    if outputs.is_logits:
        function = keras.ops.sigmoid if outputs.is_binary else keras.ops.softmax
        values = keras.ops.convert_to_numpy(function(values))
    return np.hstack([1 - values, values]) if outputs.is_binary else values
