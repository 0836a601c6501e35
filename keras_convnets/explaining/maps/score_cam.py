"""Score-CAM (Wang et al. 2020, arXiv:1910.01279): feature maps, weighted by the class score of the
image under each of them. It takes no gradient, and a pass of the network for each channel.
"""

from __future__ import annotations

import numpy as np

from keras_convnets import checks
from keras_convnets.explaining.maps.grad_cam import Tap, weighted
from keras_convnets.explaining.maps.placing import placed
from keras_convnets.explaining.maps.task import Maps, Task, none_flat
from keras_convnets.explaining.scores import to_numpy, to_tensor

CHANNELS = 128


def score_cam(task: Task, *, channels: int = CHANNELS) -> Maps:
    """Weight channels by the softmax over them of the class scores of the masked images.

    Args:
        task: the images.
        channels: the most channels to try, those that vary most over an image.
    """
    checks.positive_integer("channels", channels, "the most channels to try, such as 128")
    tap = Tap(task.feature_maps().place)
    scores = to_numpy(task.scores(to_tensor(task.images), tap))
    maps = to_numpy(tap.maps)
    maps = maps.transpose(0, 2, 3, 1) if task.scores.is_first else maps
    count = maps.shape[-1]
    if count > channels:
        task.say(
            f"score_cam: {channels:,} of {count:,} channels, those that vary most over each image"
        )
    labels = task.labels_for(scores)
    weights = np.zeros((len(maps), count), np.float32)
    for number, (image, of, label) in enumerate(zip(task.images, maps, labels, strict=True)):
        spread = np.ptp(of, axis=(0, 1))
        tried = np.sort(np.argsort(-spread, kind="stable")[:channels])
        tried = tried[spread[tried] > 0]  # what is the same everywhere is no mask
        if len(tried):
            weights[number, tried] = _softmax(_masked_scores(task, image, of[..., tried], label))
    return Maps(weighted(task, maps, weights), scores, none_flat(maps))


def _masked_scores(task: Task, image: np.ndarray, maps: np.ndarray, label: int) -> np.ndarray:
    """Return the class score of an image under each of some maps `(rows, cols, channels)`."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    masks = placed(task, ((maps - low) / (high - low)).transpose(2, 0, 1))
    found = []
    for start in range(0, len(masks), task.batch_size):
        some = np.expand_dims(masks[start : start + task.batch_size], task.channel_axis)
        found.append(task.scores.of(image * some)[:, label])
    return np.concatenate(found)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max())
    return shares / shares.sum()
