"""The smallest building blocks of a network: functions that return units, from tensor to tensor.

Only this subpackage constructs Keras layers, so everything that all networks share is defined here:
initialisation, the L2 penalty on kernels, layer names and the channel axis. Differences between
implementations of the same network are described by a [`Style`][keras_convnets.Style].
"""

from keras_convnets.units.combine import (
    Part,
    Tensor,
    Unit,
    add,
    branches,
    chain,
    concat,
    multiply,
    pad_channels,
    scale,
    take_channels,
)
from keras_convnets.units.conv import (
    bn_relu_conv,
    conv,
    conv_bn,
    conv_bn_relu,
    conv_relu,
    penalized,
    scale_and_shift,
    style_conv,
)
from keras_convnets.units.norm import activation, bn, bn_relu, dropout, local_response_norm, relu
from keras_convnets.units.pooling import (
    adaptive_avg_pool,
    avg_pool,
    caffe_avg_pool,
    caffe_max_pool,
    global_pool,
    max_pool,
)
from keras_convnets.units.style import CLASSIC, KERAS, TORCH, TORCH_BIASED, Style

__all__ = [
    "CLASSIC",
    "KERAS",
    "TORCH",
    "TORCH_BIASED",
    "Part",
    "Style",
    "Tensor",
    "Unit",
    "activation",
    "adaptive_avg_pool",
    "add",
    "avg_pool",
    "bn",
    "bn_relu",
    "bn_relu_conv",
    "branches",
    "caffe_avg_pool",
    "caffe_max_pool",
    "chain",
    "concat",
    "conv",
    "conv_bn",
    "conv_bn_relu",
    "conv_relu",
    "dropout",
    "global_pool",
    "local_response_norm",
    "max_pool",
    "multiply",
    "pad_channels",
    "penalized",
    "relu",
    "scale",
    "scale_and_shift",
    "style_conv",
    "take_channels",
]
