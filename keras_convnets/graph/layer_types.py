"""What type a layer is: the one table of layer classes, which every question about layers asks.

Costs, receptive fields, the words of a figure and the search for a classifier each say, type by
type, what they know. A test holds the table to Keras: each of its layer classes, and of ours, has
one type, and each question answers every type or says that it does not know.
"""

from __future__ import annotations

import enum
from typing import Any

import keras

from keras_convnets.graph.functional import is_functional
from keras_convnets.graph.operation_types import OPERATIONS


class LayerType(enum.Enum):
    """A set of layer classes of which every question has one answer."""

    INPUT = enum.auto()
    MODEL = enum.auto()  # a functional model within a model
    # With a kernel.
    CONVOLUTION = enum.auto()
    DEPTHWISE = enum.auto()
    SEPARABLE = enum.auto()
    TRANSPOSED = enum.auto()
    DENSE = enum.auto()
    # Poolings.
    MAX_POOLING = enum.auto()
    AVERAGE_POOLING = enum.auto()
    GLOBAL_MAX_POOLING = enum.auto()
    GLOBAL_AVERAGE_POOLING = enum.auto()
    ADAPTIVE_POOLING = enum.auto()
    POOLING_OPERATION = enum.auto()
    # Element by element.
    BATCH_NORMALISATION = enum.auto()  # by statistics that are fixed at inference
    AXIS_NORMALISATION = enum.auto()  # along the layer's ``axis``
    GROUP_NORMALISATION = enum.auto()
    ACTIVATION = enum.auto()
    AXIS_ACTIVATION = enum.auto()  # along the layer's ``axis``
    DROPOUT = enum.auto()
    IDENTITY = enum.auto()
    SCALING = enum.auto()
    AUGMENTATION = enum.auto()  # changes nothing at inference
    ELEMENTWISE = enum.auto()  # other functions of single elements
    # Of several tensors.
    ADDITION = enum.auto()
    MERGE = enum.auto()
    CONCATENATION = enum.auto()
    # Of places.
    PADDING = enum.auto()
    CROPPING = enum.auto()
    UPSAMPLING = enum.auto()
    PADDED_CHANNELS = enum.auto()
    TAKEN_CHANNELS = enum.auto()
    FLATTEN = enum.auto()
    RESHAPE = enum.auto()
    RESIZING = enum.auto()
    REARRANGEMENT = enum.auto()
    REDUCTION = enum.auto()
    # Of whole images, of words and of numbers.
    IMAGE = enum.auto()
    LOOKUP = enum.auto()
    # What multiplies tensors, or computes what only it knows.
    PRODUCT = enum.auto()
    ATTENTION = enum.auto()
    RECURRENT = enum.auto()
    WRAPPER = enum.auto()
    SPECTROGRAM = enum.auto()
    OPAQUE = enum.auto()


def _ranks(*names: str) -> tuple[str, ...]:
    """Return names for one, two and three dimensions: ``Conv{}D`` is Conv1D, Conv2D, Conv3D."""
    return tuple(dict.fromkeys(name.format(rank) for name in names for rank in (1, 2, 3)))


# By name, for no version of Keras has all of them.
LAYERS: dict[LayerType, tuple[str, ...]] = {
    LayerType.INPUT: ("InputLayer",),
    LayerType.CONVOLUTION: _ranks("Conv{}D"),
    LayerType.DEPTHWISE: ("DepthwiseConv1D", "DepthwiseConv2D"),
    LayerType.SEPARABLE: ("SeparableConv1D", "SeparableConv2D"),
    LayerType.TRANSPOSED: _ranks("Conv{}DTranspose"),
    LayerType.DENSE: ("Dense",),
    LayerType.MAX_POOLING: _ranks("MaxPooling{}D"),
    LayerType.AVERAGE_POOLING: _ranks("AveragePooling{}D"),
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
    LayerType.WRAPPER: (
        *("Bidirectional", "Pipeline", "SpectralNormalization", "TimeDistributed", "Wrapper"),
    ),
    LayerType.SPECTROGRAM: ("MelSpectrogram", "STFTSpectrogram"),
    LayerType.OPAQUE: (
        *("FlaxLayer", "JaxLayer", "Lambda", "Layer", "TFSMLayer", "TorchModuleWrapper"),
    ),
}
# Of keras.applications, not public, so that others carry copies of their own: known by their names.
COPIED = {"CustomScaleLayer", "LayerScale", "StochasticDepth"}
_OF_LAYER = {name: kind for kind, names in LAYERS.items() for name in names}
_OF_OPERATION = {name: LayerType[kind] for kind, names in OPERATIONS.items() for name in names}

# Types that several questions ask for together.
WINDOW_POOLINGS = {LayerType.MAX_POOLING, LayerType.AVERAGE_POOLING}
GLOBAL_POOLINGS = {LayerType.GLOBAL_MAX_POOLING, LayerType.GLOBAL_AVERAGE_POOLING}
POOLINGS = WINDOW_POOLINGS | GLOBAL_POOLINGS
POOLINGS |= {LayerType.ADAPTIVE_POOLING, LayerType.POOLING_OPERATION}
NORMALISATIONS = {
    LayerType.BATCH_NORMALISATION,
    LayerType.AXIS_NORMALISATION,
    LayerType.GROUP_NORMALISATION,
}
MERGES = {LayerType.ADDITION, LayerType.MERGE, LayerType.CONCATENATION}
ACTIVATIONS = {LayerType.ACTIVATION, LayerType.AXIS_ACTIVATION}
# What may compute anything: a question that needs to know what, says that it does not.
OPAQUE = {
    *(LayerType.PRODUCT, LayerType.ATTENTION, LayerType.RECURRENT, LayerType.WRAPPER),
    *(LayerType.SPECTROGRAM, LayerType.OPAQUE),
}


def type_of(layer: Any) -> LayerType:
    """Return the type of a layer, or of an operation such as ``x + y`` makes.

    A class of somebody's own has the type of the nearest class of Keras that it derives from;
    one that derives from ``keras.Layer`` alone is opaque.

    Examples:
        >>> import keras
        >>> type_of(keras.layers.Conv2D(8, 3)).name, type_of(keras.layers.Lambda(abs)).name
        ('CONVOLUTION', 'OPAQUE')
    """
    return LayerType.MODEL if is_functional(layer) else _known(type(layer))[0]


def class_of(layer: Any) -> str:
    """Return the name of the nearest class of Keras, or of ours, that a layer is of.

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
