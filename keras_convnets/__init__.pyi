from ._version import __version__
from .accuracies.chart import plot_accuracies
from .accuracies.listed import published_accuracies
from .analysis.cost.cost import cost
from .analysis.features import features, levels
from .analysis.plot.one_block import plot_block
from .analysis.plot.plot import plot_model
from .analysis.plot.plot_models import plot_models
from .analysis.receptive_field.receptive_field import receptive_field
from .analysis.summary import summary
from .architectures.alexnet import AlexnetBuilder, AlexnetRow
from .architectures.cifar_resnet import CifarResnetBuilder
from .architectures.course_notes.builder import CourseNotesBuilder
from .architectures.densenet.blocks import dense_layer, transition
from .architectures.densenet.builder import DensenetBuilder
from .architectures.densenet.variant import DensenetVariant
from .architectures.inception.builder import InceptionBuilder
from .architectures.inception.googlenet import inception
from .architectures.inception.inception_resnet import (
    inception_resnet_a,
    inception_resnet_b,
    inception_resnet_c,
    reduction_resnet_b,
)
from .architectures.inception.multibranch import reduction_a
from .architectures.inception.v3 import (
    inception_a,
    inception_b,
    inception_c,
    inception_d,
    inception_e,
)
from .architectures.inception.v4 import (
    inception_v4_a,
    inception_v4_b,
    inception_v4_c,
    reduction_v4_b,
)
from .architectures.lenet import LenetBuilder, partial_conv, subsampling
from .architectures.nin import NinBuilder, mlpconv
from .architectures.plain import PlainBuilder, plain_block
from .architectures.residual.ends import ends_in_activation, ends_in_addition
from .architectures.residual.post_activation import basic_block_v1, bottleneck_v1, bottleneck_v1_5
from .architectures.residual.pre_activation import (
    basic_block_v2,
    bottleneck_v2,
    bottleneck_v2_authors,
    bottleneck_v2_keras,
)
from .architectures.residual.shortcuts import shortcut_a, shortcut_b, shortcut_c
from .architectures.resnet import ResnetBuilder, basic_block, bottleneck, shortcut
from .architectures.resnet_v1 import ResnetV1Builder
from .architectures.resnet_v2 import ResnetV2Builder
from .architectures.resnext import ResnextBuilder, resnext_block
from .architectures.se_blocks import (
    se_bottleneck,
    se_bottleneck_v1_5,
    se_resnext_block,
    squeeze_and_excitation,
)
from .architectures.se_resnet import SeResnetBuilder
from .architectures.vgg import VggBuilder, VggOptions, vgg_stage
from .architectures.wide_resnet import WideResnetBuilder, wide_bottleneck
from .axes import channel_axis, channels
from .explaining.explain import explain
from .explaining.explanation import Explanation
from .explaining.gradients.effective_depth import effective_depth
from .explaining.gradients.effective_field import effective_receptive_field
from .explaining.gradients.gradient_flow import gradient_flow
from .explaining.gradients.path_lengths import path_lengths
from .explaining.inside.feature_maps import feature_maps
from .explaining.inside.kernels import kernels
from .explaining.inside.statistics import activation_statistics
from .fast.batch_norm import fast_batch_norm
from .fast.optimizer import fast_optimizer
from .fast.recomputation import memory_efficient
from .images.class_names import class_names_of
from .images.model_preprocessing import preprocessing_of
from .inference.classify import classify
from .layers import (
    AdaptiveAveragePooling2D,
    CaffeAveragePooling2D,
    LocalResponseNormalization,
    PadChannels,
    TakeChannels,
    scaled_tanh,
)
from .naming import layer_name, parse, scope
from .options import InputShape, Options, Outputs
from .registry import published
from .saved_models import load_model
from .shipping.export.export import export
from .shipping.export.report import ExportReport
from .shipping.folding.fold import fold
from .shipping.folding.report import FoldReport, fold_report_of
from .units import (
    Style,
    activation,
    adaptive_avg_pool,
    add,
    avg_pool,
    bn,
    bn_relu,
    bn_relu_conv,
    branches,
    caffe_avg_pool,
    caffe_max_pool,
    chain,
    concat,
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
    scale,
    style_conv,
    take_channels,
)
from .units.conv import conv
from .weights.published.published import list_weights
from .weights.transfer.report import WeightsReport
from .weights.transfer.saving import save_weights
from .weights.transfer.transfer import load_weights, weights_report_of
from .zoo import compare, create_model, list_models, model_info, register_builder

__all__ = [
    "AdaptiveAveragePooling2D",
    "AlexnetBuilder",
    "AlexnetRow",
    "CaffeAveragePooling2D",
    "CifarResnetBuilder",
    "CourseNotesBuilder",
    "DensenetBuilder",
    "DensenetVariant",
    "Explanation",
    "ExportReport",
    "FoldReport",
    "InceptionBuilder",
    "InputShape",
    "LenetBuilder",
    "LocalResponseNormalization",
    "NinBuilder",
    "Options",
    "Outputs",
    "PadChannels",
    "PlainBuilder",
    "ResnetBuilder",
    "ResnetV1Builder",
    "ResnetV2Builder",
    "ResnextBuilder",
    "SeResnetBuilder",
    "Style",
    "TakeChannels",
    "VggBuilder",
    "VggOptions",
    "WeightsReport",
    "WideResnetBuilder",
    "__version__",
    "activation",
    "activation_statistics",
    "adaptive_avg_pool",
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
    "bottleneck_v2_authors",
    "bottleneck_v2_keras",
    "branches",
    "caffe_avg_pool",
    "caffe_max_pool",
    "chain",
    "channel_axis",
    "channels",
    "class_names_of",
    "classify",
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
    "effective_depth",
    "effective_receptive_field",
    "ends_in_activation",
    "ends_in_addition",
    "explain",
    "export",
    "fast_batch_norm",
    "fast_optimizer",
    "feature_maps",
    "features",
    "fold",
    "fold_report_of",
    "global_pool",
    "gradient_flow",
    "inception",
    "inception_a",
    "inception_b",
    "inception_c",
    "inception_d",
    "inception_e",
    "inception_resnet_a",
    "inception_resnet_b",
    "inception_resnet_c",
    "inception_v4_a",
    "inception_v4_b",
    "inception_v4_c",
    "kernels",
    "layer_name",
    "levels",
    "list_models",
    "list_weights",
    "load_model",
    "load_weights",
    "local_response_norm",
    "max_pool",
    "memory_efficient",
    "mlpconv",
    "model_info",
    "multiply",
    "pad_channels",
    "parse",
    "partial_conv",
    "path_lengths",
    "plain_block",
    "plot_accuracies",
    "plot_block",
    "plot_model",
    "plot_models",
    "preprocessing_of",
    "published",
    "published_accuracies",
    "receptive_field",
    "reduction_a",
    "reduction_resnet_b",
    "reduction_v4_b",
    "register_builder",
    "relu",
    "resnext_block",
    "save_weights",
    "scale",
    "scaled_tanh",
    "scope",
    "se_bottleneck",
    "se_bottleneck_v1_5",
    "se_resnext_block",
    "shortcut",
    "shortcut_a",
    "shortcut_b",
    "shortcut_c",
    "squeeze_and_excitation",
    "style_conv",
    "subsampling",
    "summary",
    "take_channels",
    "transition",
    "vgg_stage",
    "weights_report_of",
    "wide_bottleneck",
]
