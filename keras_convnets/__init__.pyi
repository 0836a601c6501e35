from ._version import __version__
from .analysis.cost import cost
from .analysis.plot import plot_model
from .analysis.receptive_field import receptive_field
from .architectures.cifar_resnet import CifarResnetBuilder
from .architectures.densenet import DensenetBuilder, dense_layer, transition
from .architectures.plain import PlainBuilder, plain_block
from .architectures.post_activation import basic_block_v1, bottleneck_v1, bottleneck_v1_5
from .architectures.pre_activation import basic_block_v2, bottleneck_v2, bottleneck_v2_keras
from .architectures.residual import shortcut_a, shortcut_b, shortcut_c
from .architectures.resnet import ResnetBuilder, basic_block, bottleneck, shortcut
from .architectures.resnet_v1 import ResnetV1Builder
from .architectures.resnet_v2 import ResnetV2Builder
from .architectures.resnext import ResnextBuilder, resnext_block
from .architectures.se_resnet import SeResnetBuilder, se_bottleneck, squeeze_and_excitation
from .architectures.wide_resnet import WideResnetBuilder, wide_bottleneck
from .axes import channel_axis, channels
from .layers import LocalResponseNormalization, PadChannels
from .naming import layer_name, parse, scope
from .options import Options
from .registry import create_model, list_models
from .side_by_side import compare
from .units import (
    Style,
    activation,
    add,
    avg_pool,
    bn,
    bn_relu,
    bn_relu_conv,
    branches,
    chain,
    concat,
    conv,
    conv_bn,
    conv_bn_relu,
    conv_relu,
    dropout,
    global_pool,
    local_response_norm,
    max_pool,
    multiply,
    pad_channels,
    relu,
)

__all__ = [
    "CifarResnetBuilder",
    "DensenetBuilder",
    "LocalResponseNormalization",
    "Options",
    "PadChannels",
    "PlainBuilder",
    "ResnetBuilder",
    "ResnetV1Builder",
    "ResnetV2Builder",
    "ResnextBuilder",
    "SeResnetBuilder",
    "Style",
    "WideResnetBuilder",
    "__version__",
    "activation",
    "add",
    "avg_pool",
    "basic_block",
    "basic_block_v1",
    "basic_block_v2",
    "bn",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck",
    "bottleneck_v1",
    "bottleneck_v1_5",
    "bottleneck_v2",
    "bottleneck_v2_keras",
    "branches",
    "chain",
    "channel_axis",
    "channels",
    "compare",
    "concat",
    "conv",
    "conv_bn",
    "conv_bn_relu",
    "conv_relu",
    "cost",
    "create_model",
    "dense_layer",
    "dropout",
    "global_pool",
    "layer_name",
    "list_models",
    "local_response_norm",
    "max_pool",
    "multiply",
    "pad_channels",
    "parse",
    "plain_block",
    "plot_model",
    "receptive_field",
    "relu",
    "resnext_block",
    "scope",
    "se_bottleneck",
    "shortcut",
    "shortcut_a",
    "shortcut_b",
    "shortcut_c",
    "squeeze_and_excitation",
    "transition",
    "wide_bottleneck",
]
