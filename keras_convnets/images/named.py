"""The usual ways to prepare images, by name."""

from __future__ import annotations

from keras_convnets.image_config import NAMES
from keras_convnets.images.fitted import for_input
from keras_convnets.images.pixel_range import BYTES, PixelRange, of_range
from keras_convnets.images.preprocessing import Preprocessing

Shape = tuple[int, int, int]

_RANGES = {"none": BYTES, "0-1": PixelRange(0.0, 1.0), "-1-1": PixelRange(-1.0, 1.0)}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE = (103.939, 116.779, 123.68)  # blue, green, red


def named(name: str, image_shape: Shape) -> Preprocessing:
    """Return one of the usual ways to prepare images.

    Args:
        name: ``"none"`` for pixels of 0 to 255, ``"0-1"`` or ``"-1-1"`` for pixels scaled to that
            range, ``"imagenet"`` for those scaled to 0 to 1 and normalised by the means and
            standard deviations of ImageNet, as torchvision does, or ``"caffe"`` for pixels of 0 to
            255 with blue first, minus the means of ImageNet. These two crop as in ImageNet
            evaluations; the others resize, as Keras' ``image_dataset_from_directory`` does.
        image_shape: ``(channels, rows, cols)`` of the network's input.

    Raises:
        ValueError: there is no such name, or it is for colours and the input has neither colours
            nor grey.

    Examples:
        >>> print(named("-1-1", (3, 96, 96)))
        3 x 96 x 96, resized, pixels divided by 127.5, minus (1.0, 1.0, 1.0)
        >>> named("caffe", (3, 224, 224)).order, named("caffe", (1, 224, 224)).mean
        ('BGR', (114.799333,))
    """
    if name in _RANGES:
        return scaled_to(_RANGES[name], image_shape)
    if name not in NAMES:
        raise ValueError(
            f"preprocessing: received {name!r}; expected {', '.join(map(repr, NAMES))}, or a "
            "Preprocessing, such as that of open_run('runs/...')."
        )
    if image_shape[0] not in (1, 3):
        raise ValueError(
            f"preprocessing: received {name!r} for images of {image_shape[0]} channels; expected "
            "'none', '0-1' or '-1-1', for the others are for colours."
        )
    _, rows, cols = image_shape
    colours = Preprocessing(3, rows, cols, mean=_MEAN, std=_STD, resize="crop")
    if name == "caffe":
        colours = Preprocessing(
            3, rows, cols, scale=1.0, mean=_CAFFE, resize="crop", pixels=BYTES, order="BGR"
        )
    return for_input(colours, image_shape)


def scaled_to(wanted: PixelRange, image_shape: Shape) -> Preprocessing:
    """Return the preprocessing that scales the pixels of image files to a range."""
    scale = BYTES.high / (wanted.high - wanted.low)
    mean = (-wanted.low,) * image_shape[0]
    return of_range(Preprocessing(*image_shape, scale=scale, mean=mean, resize="stretch"), BYTES)
