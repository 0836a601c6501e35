from ._version import __version__
from .analysis.cost import cost
from .analysis.plot import plot_model
from .analysis.receptive_field import receptive_field
from .architectures.resnet import ResnetBuilder, basic_block, bottleneck, shortcut
from .axes import channel_axis, channels
from .naming import layer_name, parse, scope
from .options import Options
from .registry import create_model, list_models
from .side_by_side import compare
from .units import add, bn_relu, bn_relu_conv, conv, conv_bn_relu, global_pool, max_pool

__all__ = [
    "Options",
    "ResnetBuilder",
    "__version__",
    "add",
    "basic_block",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck",
    "channel_axis",
    "channels",
    "compare",
    "conv",
    "conv_bn_relu",
    "cost",
    "create_model",
    "global_pool",
    "layer_name",
    "list_models",
    "max_pool",
    "parse",
    "plot_model",
    "receptive_field",
    "scope",
    "shortcut",
]
