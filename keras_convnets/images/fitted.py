"""The preprocessing of trained weights, for inputs of other sizes and channels."""

from __future__ import annotations

from keras_convnets.image_config import fitted
from keras_convnets.images.preprocessing import Preprocessing


def for_input(preprocessing: Preprocessing, image_shape: tuple[int, int, int]) -> Preprocessing:
    """Return the preprocessing for an input of another size or other channels.

    The share that a centre crop keeps stays the same. Grey images are normalised by the means of
    the colours' means and standard deviations, colours all by those of grey.

    Args:
        preprocessing: the preprocessing of the weights.
        image_shape: ``(channels, rows, cols)`` of the input.

    Examples:
        >>> from keras_convnets.images.preprocessing import Preprocessing
        >>> colours = Preprocessing(3, 224, 224, resize="crop", shorter_side=256)
        >>> print(for_input(colours, (1, 112, 112)))
        1 x 112 x 112, shorter side resized to 128, centre-cropped, pixels divided by 255
    """
    config = preprocessing.to_config()
    wrong = config | {"channels": image_shape[0]}  # neither grey nor colour, which is refused
    return Preprocessing.from_config(fitted(config, image_shape) or wrong)
