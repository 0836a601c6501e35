"""The layouts of all sources: one table a family and source."""

from __future__ import annotations

from keras_convnets.weights.rules import caffe, densenet, inception, resnet, vgg_alexnet
from keras_convnets.weights.rules.layout import Layout

LAYOUTS: tuple[Layout, ...] = (
    *resnet.LAYOUTS,
    *densenet.LAYOUTS,
    *vgg_alexnet.LAYOUTS,
    *inception.LAYOUTS,
    *caffe.LAYOUTS,
)
