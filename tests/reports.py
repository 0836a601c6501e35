"""Reports to look at: the page read, and data and evaluations without a model."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.training.data.data import Data

HISTORY = {
    "loss": [2.0, 1.0],
    "accuracy": [0.4, 0.7],
    "val_loss": [1.8, 1.1],
    "val_accuracy": [0.5, 0.6],
    "learning_rate": [0.1, 0.01],
    "seconds": [70.0, 65.0],
}


class Page(HTMLParser):
    """A page that was read: the text of each section, and every element."""

    def __init__(self, file="report.html"):
        super().__init__()
        self.source = Path(file).read_text(encoding="utf-8")
        self.open, self.elements, self.texts = [], [], {}
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "input"):
            self.open.append((tag, dict(attributes).get("id")))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, name in self.open:
            self.texts[name] = f"{self.texts.get(name, '')} {data}".strip()

    def of(self, tag, **attributes):
        return [
            found
            for name, found in self.elements
            if name == tag and attributes.items() <= found.items()
        ]


def made_up(count, classes, accuracy=0.5, names=None, size=20, file="{}.jpg"):
    """Return data and an evaluation without a model: as many images and classes as one likes."""
    rng = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int32) % classes
    probabilities = rng.random((count, classes), np.float32)
    probabilities[np.arange(count), labels] += 2 * (rng.random(count) < accuracy)
    probabilities /= probabilities.sum(axis=1, keepdims=True)

    def read(number):
        seed = tf.stack([tf.cast(number, tf.int32), 0])
        return tf.random.stateless_uniform((size, size, 3), seed, 0, 256, tf.int32)

    images = Images(labels, read, None, file.format)
    names = names or tuple(f"class {number}" for number in range(classes))
    preprocessing = Preprocessing(3, 16, 16)
    data = Data("<b>pets</b>", images, images, images, names, preprocessing, "none", ("x <y>",))
    return data, Evaluation(labels, probabilities)
