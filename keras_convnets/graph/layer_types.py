"""Layer types: the table of layer classes on which every rule about layers is based.

Costs, receptive fields, the labels of figures and the search for a classifier define their rules
per type. A test checks the table against Keras: every layer class of Keras and of this package has
exactly one type, and every set of rules either covers a type or lists it as unknown.
"""

from __future__ import annotations

import enum
from typing import Any

import keras

from keras_convnets.graph.functional import is_functional
from keras_convnets.graph.operation_types import OPERATIONS


class LayerType(enum.Enum):
    """A set of layer classes to which the same rules apply."""

    INPUT = enum.auto()
    MODEL = enum.auto()  # a nested functional model
    # Layers with a kernel.
    CONVOLUTION = enum.auto()
    DEPTHWISE = enum.auto()
    SEPARABLE = enum.auto()
    TRANSPOSED = enum.auto()
    DENSE = enum.auto()
    # Pooling.
    MAX_POOLING = enum.auto()
    AVERAGE_POOLING = enum.auto()
    GLOBAL_MAX_POOLING = enum.auto()
    GLOBAL_AVERAGE_POOLING = enum.auto()
    ADAPTIVE_POOLING = enum.auto()
    POOLING_OPERATION = enum.auto()
    # Elementwise layers and normalisations.
    BATCH_NORMALISATION = enum.auto()  # with statistics that are fixed at inference
    AXIS_NORMALISATION = enum.auto()  # along the layer's ``axis``
    GROUP_NORMALISATION = enum.auto()
    ACTIVATION = enum.auto()
    AXIS_ACTIVATION = enum.auto()  # along the layer's ``axis``
    DROPOUT = enum.auto()
    IDENTITY = enum.auto()
    SCALING = enum.auto()
    AUGMENTATION = enum.auto()  # an identity at inference
    ELEMENTWISE = enum.auto()  # other elementwise functions
    # Merges of several tensors.
    ADDITION = enum.auto()
    MERGE = enum.auto()
    CONCATENATION = enum.auto()
    # Changes of size, position or shape.
    PADDING = enum.auto()
    CROPPING = enum.auto()
    UPSAMPLING = enum.auto()
    PADDED_CHANNELS = enum.auto()
    TAKEN_CHANNELS = enum.auto()
    FLATTEN = enum.auto()
    RESHAPE = enum.auto()
    RESIZING = enum.auto()
    PAD_OPERATION = enum.auto()
    SLICES = enum.auto()
    SPLIT = enum.auto()
    REARRANGEMENT = enum.auto()
    REDUCTION = enum.auto()
    # Preprocessing of images, text and numbers.
    IMAGE = enum.auto()
    LOOKUP = enum.auto()
    # Products of tensors, and layers whose computation is not known.
    PRODUCT = enum.auto()
    ATTENTION = enum.auto()
    RECURRENT = enum.auto()
    BIDIRECTIONAL = enum.auto()
    PER_STEP = enum.auto()  # computes its inner layer once a step
    SPECTRAL_NORMALISATION = enum.auto()  # computes its inner layer, with another kernel
    WRAPPER = enum.auto()
    SPECTROGRAM = enum.auto()
    OPAQUE = enum.auto()


def _ranks(*names: str) -> tuple[str, ...]:
    """Expand names to 1, 2 and 3 dimensions: ``Conv{}D`` to Conv1D, Conv2D and Conv3D."""
    return tuple(dict.fromkeys(name.format(rank) for name in names for rank in (1, 2, 3)))


# By name, because no version of Keras has all of them.
LAYERS: dict[LayerType, tuple[str, ...]] = {
    LayerType.INPUT: ("InputLayer",),
    LayerType.CONVOLUTION: _ranks("Conv{}D"),
    LayerType.DEPTHWISE: ("DepthwiseConv1D", "DepthwiseConv2D"),
    LayerType.SEPARABLE: ("SeparableConv1D", "SeparableConv2D"),
    LayerType.TRANSPOSED: _ranks("Conv{}DTranspose"),
    LayerType.DENSE: ("Dense",),
    LayerType.MAX_POOLING: _ranks("MaxPooling{}D"),
    LayerType.AVERAGE_POOLING: (*_ranks("AveragePooling{}D"), "CaffeAveragePooling2D"),
    LayerType.GLOBAL_MAX_POOLING: _ranks("GlobalMaxPooling{}D"),
    LayerType.GLOBAL_AVERAGE_POOLING: _ranks("GlobalAveragePooling{}D"),
    LayerType.ADAPTIVE_POOLING: _ranks("AdaptiveAveragePooling{}D", "AdaptiveMaxPooling{}D"),
    LayerType.BATCH_NORMALISATION: ("BatchNormalization", "Normalization"),
    LayerType.AXIS_NORMALISATION: (
        *("LayerNormalization", "RMSNormalization", "UnitNormalization"),
        "LocalResponseNormalization",
    ),
    LayerType.GROUP_NORMALISATION: ("GroupNormalization",),
    LayerType.ACTIVATION: ("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU"),
    LayerType.AXIS_ACTIVATION: ("Softmax",),
    LayerType.DROPOUT: (
        *("Dropout", *_ranks("SpatialDropout{}D"), "AlphaDropout", "GaussianDropout"),
        *("GaussianNoise", "StochasticDepth"),
    ),
    LayerType.IDENTITY: ("Identity", "ActivityRegularization"),
    LayerType.SCALING: ("Rescaling", "LayerScale"),
    LayerType.AUGMENTATION: (
        *(
            "AugMix",
            "CutMix",
            "MixUp",
            "RandAugment",
            "RandomBrightness",
            "RandomColorDegeneration",
        ),
        *("RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing"),
        *("RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert"),
        *("RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation"),
        *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom"),
    ),
    LayerType.ADDITION: ("Add", "Average", "Subtract", "CustomScaleLayer"),
    LayerType.MERGE: ("Multiply", "Maximum", "Minimum"),
    LayerType.CONCATENATION: ("Concatenate",),
    LayerType.PADDING: _ranks("ZeroPadding{}D"),
    LayerType.CROPPING: _ranks("Cropping{}D"),
    LayerType.UPSAMPLING: _ranks("UpSampling{}D"),
    LayerType.PADDED_CHANNELS: ("PadChannels",),
    LayerType.TAKEN_CHANNELS: ("TakeChannels",),
    LayerType.FLATTEN: ("Flatten",),
    LayerType.RESHAPE: ("Reshape",),
    LayerType.RESIZING: ("Resizing",),
    LayerType.REARRANGEMENT: ("Permute", "RepeatVector"),
    LayerType.IMAGE: (
        *("AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization"),
        *("Equalization", "RandomCrop", "Solarization", "MaxNumBoundingBoxes"),
    ),
    LayerType.LOOKUP: (
        *("CategoryEncoding", "Discretization", "Embedding", "HashedCrossing", "Hashing"),
        *("IntegerLookup", "Masking", "StringLookup", "TextVectorization"),
    ),
    LayerType.PRODUCT: ("Dot", "EinsumDense", "ReversibleEmbedding"),
    LayerType.ATTENTION: (
        *("AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention"),
    ),
    LayerType.RECURRENT: (
        *("RNN", "SimpleRNN", "GRU", "LSTM", *_ranks("ConvLSTM{}D")),
        *("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"),
    ),
    LayerType.BIDIRECTIONAL: ("Bidirectional",),
    LayerType.PER_STEP: ("TimeDistributed",),
    LayerType.SPECTRAL_NORMALISATION: ("SpectralNormalization",),
    LayerType.WRAPPER: ("Pipeline", "Wrapper"),
    LayerType.SPECTROGRAM: ("MelSpectrogram", "STFTSpectrogram"),
    LayerType.OPAQUE: (
        *("FlaxLayer", "JaxLayer", "Lambda", "Layer", "TFSMLayer", "TorchModuleWrapper"),
    ),
}
# Private classes of keras.applications, of which other code has copies: recognised by name.
COPIED = {"CustomScaleLayer", "LayerScale", "StochasticDepth"}
_OF_LAYER = {name: kind for kind, names in LAYERS.items() for name in names}
_OF_OPERATION = {name: LayerType[kind] for kind, names in OPERATIONS.items() for name in names}

# Sets of types that several rules share.
KERNELS = {
    *(LayerType.CONVOLUTION, LayerType.DEPTHWISE, LayerType.SEPARABLE, LayerType.TRANSPOSED),
}
WINDOW_POOLINGS = {LayerType.MAX_POOLING, LayerType.AVERAGE_POOLING}
GLOBAL_POOLINGS = {LayerType.GLOBAL_MAX_POOLING, LayerType.GLOBAL_AVERAGE_POOLING}
POOLINGS = WINDOW_POOLINGS | GLOBAL_POOLINGS
POOLINGS |= {LayerType.ADAPTIVE_POOLING, LayerType.POOLING_OPERATION}
NORMALISATIONS = {
    LayerType.BATCH_NORMALISATION,
    LayerType.AXIS_NORMALISATION,
    LayerType.GROUP_NORMALISATION,
}
# Wrappers whose inner layers are read: `Call.within` has them.
TRANSPARENT = {
    *(LayerType.BIDIRECTIONAL, LayerType.PER_STEP, LayerType.SPECTRAL_NORMALISATION),
}
MERGES = {LayerType.ADDITION, LayerType.MERGE, LayerType.CONCATENATION}
ACTIVATIONS = {LayerType.ACTIVATION, LayerType.AXIS_ACTIVATION}
# Layers that may compute anything: rules that depend on the computation treat them as unknown.
OPAQUE = {
    *(LayerType.PRODUCT, LayerType.ATTENTION, LayerType.WRAPPER, LayerType.SPECTROGRAM),
    LayerType.OPAQUE,
}


def type_of(layer: Any) -> LayerType:
    """Return the type of a layer, or of an operation such as the one in ``x + y``.

    A custom class has the type of its nearest Keras base class. A class derived directly from
    ``keras.Layer`` is opaque.

    Examples:
        >>> import keras
        >>> type_of(keras.layers.Conv2D(8, 3)).name, type_of(keras.layers.Lambda(abs)).name
        ('CONVOLUTION', 'OPAQUE')
    """
    return LayerType.MODEL if is_functional(layer) else _known(type(layer))[0]


def class_of(layer: Any) -> str:
    """Return the name of a layer's nearest class that belongs to Keras or to this package.

    Examples:
        >>> import keras
        >>> class Mine(keras.layers.ReLU): ...
        >>> class_of(Mine())
        'ReLU'
    """
    return _known(type(layer))[1]


def _known(kind: Any) -> tuple[LayerType, str]:
    types = _OF_LAYER if issubclass(kind, keras.Layer) else _OF_OPERATION
    for parent in kind.__mro__:
        is_ours = parent.__module__.startswith(("keras.", "keras_convnets."))
        if (is_ours or parent.__name__ in COPIED) and parent.__name__ in types:
            return types[parent.__name__], parent.__name__
    return LayerType.OPAQUE, kind.__name__
