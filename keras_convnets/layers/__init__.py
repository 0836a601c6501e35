"""Layers that the classical networks need and Keras lacks.

Importing this package registers them, so that Keras can load models that contain them.
"""

from keras_convnets.layers.activation import scaled_tanh
from keras_convnets.layers.channels import PadChannels, TakeChannels
from keras_convnets.layers.convolution import Conv2D, DepthwiseConv2D
from keras_convnets.layers.normalisation import LocalResponseNormalization
from keras_convnets.layers.pooling import AdaptiveAveragePooling2D, CaffeAveragePooling2D

__all__ = [
    "AdaptiveAveragePooling2D",
    "CaffeAveragePooling2D",
    "Conv2D",
    "DepthwiseConv2D",
    "LocalResponseNormalization",
    "PadChannels",
    "TakeChannels",
    "scaled_tanh",
]
