"""Images for the benchmarks of input: photographs in files, and arrays of CIFAR's size."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_convnets.images import decoding
from keras_convnets.images.labelled import Encoded, Images, from_array, on_cpu
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.data import Data

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OWN = Preprocessing(3, 224, 224, 255.0, MEAN, STD, "crop")
OF_WEIGHTS = Preprocessing(3, 224, 224, 255.0, MEAN, STD, "crop", shorter_side=256)
QUALITY = 90
_CIFAR_IMAGES = 50_000


def photographs(place: Path, cols: int, rows: int, count: int) -> Images:
    """Return JPEGs of the two photographs of scikit-learn, each again and again."""
    paths = []
    for number, pixels in enumerate(load_sample_images().images):
        path = place / f"{cols}x{rows}-{number}.jpg"
        image = Image.fromarray(pixels).resize((cols, rows), Image.Resampling.BICUBIC)
        image.save(path, quality=QUALITY)
        paths.append(os.fsencode(path))
    names = on_cpu(np.array([paths[number % 2] for number in range(count)], object))
    return Images(
        labels=np.arange(count, dtype=np.int32) % 2,
        read=lambda number: decoding.read(names[number]),
        array=None,
        describe=str,
        encoded=Encoded(
            lambda many: decoding.read_encoded(tf.gather(names, many), turns=False), turns=False
        ),
    )


def for_training(images: Images) -> Data:
    """Return photographs as a data set that is trained on with random crops."""
    return Data("photographs", images, images, images, ("a", "b"), OWN, "resized-crop")


def cifar_sized() -> Data:
    """Return random images, in the number and size of CIFAR."""
    random = np.random.default_rng(0)
    images = from_array(
        random.integers(0, 256, (_CIFAR_IMAGES, 32, 32, 3), np.uint8),
        random.integers(0, 10, _CIFAR_IMAGES),
        str,
    )
    preprocessing = Preprocessing(3, 32, 32, 255.0, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))
    return Data("arrays", images, images, images, tuple("0123456789"), preprocessing, "crop-flip")
