"""A random instance of every layer class of Keras, for models that nobody thought of.

A row is the class's name, what its input may be, and a function that makes an instance for such an
input from random numbers. Inputs are ``v`` a vector, ``s`` a sequence, ``i`` an image, ``d`` a
volume or video, ``f`` 5 axes, and of whole numbers ``n`` a number, ``t`` tokens, ``w`` words.
"""

import keras
import numpy as np

from keras_convnets import layers as own

L = keras.layers
RANKS = {"v": 1, "s": 2, "i": 3, "d": 4, "f": 5, "n": 0, "t": 1, "w": 1}
WITHOUT = {
    "InputLayer": "every model begins with one",
    "FlaxLayer": "needs Flax",
    "JaxLayer": "needs JAX",
    "TorchModuleWrapper": "needs PyTorch",
    "TFSMLayer": "needs a SavedModel in a folder",
    "Layer": "computes nothing; `Own` below stands for classes of a user",
    "Wrapper": "computes nothing",
    "Equalization": "Keras cannot follow it from its input to its output",
    "MaxNumBoundingBoxes": "takes a dictionary of boxes",
}


class Own(keras.layers.Layer):
    """A layer class of a user's own, whose attributes mean something else than those of Keras."""

    def __init__(self):
        super().__init__()
        self.kernel_size, self.strides, self.pool_size, self.activation = 3, 2, 2, "relu"
        self.axis, self.units, self.layers, self.rate, self.rank = "x", None, 4, "high", "no"
        self.data_format, self.cell, self.size, self.padding = "odd", 3, None, "much"

    def call(self, x):
        return x * 2


def _is(name):
    return lambda r, x: getattr(L, name)()


def _rank(x):
    return len(x.shape) - 1


def _size(r, most=3):
    return r.randint(1, most)


def _format(r):
    return r.choice(["channels_last", "channels_last", "channels_last", "channels_first"])


def _conv(name, **more):
    def make(r, x):
        kind = getattr(L, name)
        options = {"padding": r.choice(["valid", "same"]), "data_format": _format(r)} | more
        if r.random() < 0.2 and "Depthwise" not in name and "Transpose" not in name:
            options["dilation_rate"] = 2
        else:
            options["strides"] = _size(r, 2)
        filters = () if "Depthwise" in name else (_size(r, 5),)
        return kind(*filters, _size(r), activation=r.choice([None, "relu", "softmax"]), **options)

    return make


def _pool(name):
    def make(r, x):
        how = {"padding": r.choice(["valid", "same"]), "data_format": _format(r)}
        return getattr(L, name)(_size(r), strides=r.choice([None, 1, 2]), **how)

    return make


def _global(name):
    return lambda r, x: getattr(L, name)(data_format=_format(r), keepdims=r.random() < 0.5)


def _adaptive(name, rank):
    return lambda r, x: getattr(L, name)(_size(r) if rank == 1 else (_size(r),) * rank)


def _rnn(name):
    def make(r, x):
        how = {"return_sequences": r.random() < 0.5, "return_state": r.random() < 0.2}
        return getattr(L, name)(_size(r), **how)

    return make


def _conv_rnn(name):
    return lambda r, x: getattr(L, name)(_size(r), 1, return_sequences=r.random() < 0.5)


def _cell(r):
    return r.choice([L.LSTMCell, L.GRUCell, L.SimpleRNNCell])(_size(r))


def _state(name, states=1):
    class Cell(getattr(L, name)):
        def call(self, x):
            zeros = keras.ops.zeros((keras.ops.shape(x)[0], self.units))
            return super().call(x, [zeros] * states if states > 1 else zeros)[0]

        def compute_output_shape(self, shape):
            return shape[0], self.units

    Cell.__name__ = name
    return lambda r, x: Cell(_size(r))


def _noise(name):
    return lambda r, x: getattr(L, name)(0.3)


def _permuted(r, x):
    dims = list(range(1, _rank(x) + 1))
    r.shuffle(dims)
    return L.Permute(dims)


def _reshaped(r, x):
    sizes = list(x.shape[1:])
    if None in sizes:
        return L.Reshape((-1,))
    r.shuffle(sizes)
    return L.Reshape(r.choice([sizes, [-1], [*sizes, 1], [1, *sizes], [-1, sizes[-1]]]))


def _per_step(r, x):
    inner = x[:, 0]
    made = {
        1: lambda: r.choice([L.Dense(3), L.ReLU(), Own(), L.BatchNormalization()]),
        2: lambda: r.choice(
            [L.Conv1D(2, 1), L.LSTM(2), L.Bidirectional(L.GRU(2)), _step(L.Dense(2))]
        ),
        3: lambda: r.choice([L.Conv2D(2, 2), L.GlobalMaxPooling2D(), _model(inner.shape[1:])]),
    }
    return _step(made.get(_rank(inner), lambda: L.Flatten())())


def _step(layer):
    return L.TimeDistributed(layer)


def _model(shape):
    x = keras.Input(shape)
    return keras.Model(x, L.Flatten()(L.Conv2D(2, 2, activation="relu")(x)))


def _spectral(r, x):
    kind = {1: L.Dense, 2: L.Conv1D, 3: L.Conv2D, 4: L.Conv3D}[_rank(x)]
    return L.SpectralNormalization(kind(2) if kind is L.Dense else kind(2, 2))


def _groups(r, x):
    return L.GroupNormalization(r.choice([1, -1]))


def _axis(name):
    return lambda r, x: getattr(L, name)(axis=r.randint(1, _rank(x)))


def _normalization(r, x):
    return L.Normalization(axis=None, mean=1.0, variance=2.0)


def _einsum(r, x):
    letters = "bcde"[: _rank(x) - 1]
    return L.EinsumDense(f"a{letters}x,xy->a{letters}y", (*x.shape[1:-1], 3))


def _lambda(r, x):
    return L.Lambda(lambda y: y[..., ::-1] * 2)


def _random(name, *given, **options):
    return lambda r, x: getattr(L, name)(*given, **options)


def _pipeline(r, x):
    return L.Pipeline([L.RandomFlip(), L.Rescaling(2.0)])


def _text(r, x):
    return L.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4)


ONE = {
    "Activation": ("vsid", lambda r, x: L.Activation(r.choice(["relu", "softmax", "glu", "tanh"]))),
    "ActivityRegularization": ("vsid", _is("ActivityRegularization")),
    **{
        f"Adaptive{what}Pooling{n}D": ("?sid"[n], _adaptive(f"Adaptive{what}Pooling{n}D", n))
        for what in ("Average", "Max")
        for n in (1, 2, 3)
    },
    **{name: ("vsid", _noise(name)) for name in ("AlphaDropout", "Dropout", "GaussianDropout")},
    "GaussianNoise": ("vsid", _noise("GaussianNoise")),
    **{f"SpatialDropout{n}D": ("?sid"[n], _noise(f"SpatialDropout{n}D")) for n in (1, 2, 3)},
    **{
        f"{what}Pooling{n}D": ("?sid"[n], _pool(f"{what}Pooling{n}D"))
        for what in ("Average", "Max")
        for n in (1, 2, 3)
    },
    **{
        f"Global{what}Pooling{n}D": ("?sid"[n], _global(f"Global{what}Pooling{n}D"))
        for what in ("Average", "Max")
        for n in (1, 2, 3)
    },
    **{f"Conv{n}D": ("?sid"[n], _conv(f"Conv{n}D")) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": ("?sid"[n], _conv(f"Conv{n}DTranspose")) for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": ("?si"[n], _conv(f"DepthwiseConv{n}D")) for n in (1, 2)},
    **{f"SeparableConv{n}D": ("?si"[n], _conv(f"SeparableConv{n}D")) for n in (1, 2)},
    **{f"ConvLSTM{n}D": ("??idf"[n + 1], _conv_rnn(f"ConvLSTM{n}D")) for n in (1, 2, 3)},
    **{
        f"Cropping{n}D": ("?sid"[n], lambda r, x, n=n: getattr(L, f"Cropping{n}D")(1))
        for n in (1, 2, 3)
    },
    **{
        f"ZeroPadding{n}D": ("?sid"[n], lambda r, x, n=n: getattr(L, f"ZeroPadding{n}D")(_size(r)))
        for n in (1, 2, 3)
    },
    "UpSampling1D": ("s", lambda r, x: L.UpSampling1D(_size(r))),
    "UpSampling2D": (
        "i",
        lambda r, x: L.UpSampling2D(
            _size(r), interpolation=r.choice(["nearest", "bilinear", "bicubic"])
        ),
    ),
    "UpSampling3D": ("d", lambda r, x: L.UpSampling3D(_size(r))),
    "BatchNormalization": ("vsid", _axis("BatchNormalization")),
    "LayerNormalization": ("vsid", _axis("LayerNormalization")),
    "RMSNormalization": ("vsid", _axis("RMSNormalization")),
    "UnitNormalization": ("vsid", _axis("UnitNormalization")),
    "Softmax": ("vsid", _axis("Softmax")),
    "GroupNormalization": ("sid", _groups),
    "Normalization": ("vsid", _normalization),
    "SpectralNormalization": ("vsid", _spectral),
    "Bidirectional": (
        "s",
        lambda r, x: L.Bidirectional(
            r.choice([_rnn("LSTM")(r, x), _rnn("GRU")(r, x), L.RNN(_cell(r))]),
            merge_mode=r.choice(["concat", "sum", None]),
        ),
    ),
    "LSTM": ("s", _rnn("LSTM")),
    "GRU": ("s", _rnn("GRU")),
    "SimpleRNN": ("s", _rnn("SimpleRNN")),
    "RNN": ("s", lambda r, x: L.RNN([_cell(r) for _ in range(_size(r, 2))])),
    "StackedRNNCells": ("s", lambda r, x: L.RNN(L.StackedRNNCells([_cell(r), _cell(r)]))),
    "LSTMCell": ("v", _state("LSTMCell", 2)),
    "GRUCell": ("v", _state("GRUCell")),
    "SimpleRNNCell": ("v", _state("SimpleRNNCell")),
    "TimeDistributed": ("sid", _per_step),
    "Dense": ("vsid", lambda r, x: L.Dense(_size(r), activation=r.choice([None, "softmax"]))),
    "EinsumDense": ("vsi", _einsum),
    "Embedding": ("tn", lambda r, x: L.Embedding(9, _size(r))),
    "ReversibleEmbedding": ("tn", lambda r, x: L.ReversibleEmbedding(9, _size(r))),
    "Flatten": ("nvsid", _is("Flatten")),
    "Reshape": ("vsid", _reshaped),
    "Permute": ("sid", _permuted),
    "RepeatVector": ("v", lambda r, x: L.RepeatVector(_size(r))),
    "Identity": ("vsid", _is("Identity")),
    "Masking": ("s", _is("Masking")),
    "Lambda": ("vsid", _lambda),
    "Rescaling": ("vsid", lambda r, x: L.Rescaling(2.0)),
    **{name: ("vsid", _is(name)) for name in ("ELU", "LeakyReLU", "ReLU", "PReLU")},
    "MelSpectrogram": ("v", lambda r, x: L.MelSpectrogram(fft_length=4, sequence_stride=2)),
    "STFTSpectrogram": ("s", lambda r, x: L.STFTSpectrogram(frame_length=3, frame_step=2)),
    "Pipeline": ("i", _pipeline),
    "Resizing": ("i", lambda r, x: L.Resizing(_size(r, 8), _size(r, 8))),
    "CenterCrop": ("i", lambda r, x: L.CenterCrop(_size(r, 8), _size(r, 8))),
    "RandomCrop": ("i", lambda r, x: L.RandomCrop(_size(r, 5), _size(r, 5))),
    "AugMix": ("i", _random("AugMix", (0, 1))),
    "RandAugment": ("i", _random("RandAugment", (0, 1))),
    **{
        name: ("i", _random(name))
        for name in (
            *("AutoContrast", "MixUp", "CutMix", "RandomFlip"),
            *("ContrastLimitedAdaptiveHistogramEqualization", "RandomElasticTransform"),
            *("RandomErasing", "RandomGaussianBlur", "RandomPerspective"),
        )
    },
    "RandomColorDegeneration": ("i", _random("RandomColorDegeneration", 0.5)),
    "RandomGrayscale": ("i", _random("RandomGrayscale", 0.5)),
    "RandomColorJitter": ("i", _random("RandomColorJitter", (0, 1), brightness_factor=0.2)),
    "RandomPosterization": ("i", _random("RandomPosterization", 3)),
    **{
        name: ("i", _random(name, 0.2))
        for name in (
            *("RandomBrightness", "RandomContrast", "RandomHue", "RandomInvert", "RandomRotation"),
            *("RandomSaturation", "RandomSharpness", "RandomShear", "RandomZoom", "Solarization"),
        )
    },
    "RandomTranslation": ("i", _random("RandomTranslation", 0.1, 0.1)),
    "CategoryEncoding": ("tn", lambda r, x: L.CategoryEncoding(9, output_mode="multi_hot")),
    "Discretization": ("vsi", lambda r, x: L.Discretization([0.2, 0.5])),
    "Hashing": ("tw", lambda r, x: L.Hashing(9)),
    "IntegerLookup": ("t", lambda r, x: L.IntegerLookup(vocabulary=[1, 2, 3])),
    "StringLookup": ("w", lambda r, x: L.StringLookup(vocabulary=["a", "b"])),
    "TextVectorization": ("w", _text),
    "LocalResponseNormalization": ("i", lambda r, x: own.LocalResponseNormalization()),
    "CaffeAveragePooling2D": ("i", lambda r, x: own.CaffeAveragePooling2D(_size(r), 2)),
    "PadChannels": ("i", lambda r, x: own.PadChannels(x.shape[-1] + 2)),
    "TakeChannels": ("i", lambda r, x: own.TakeChannels(np.arange(x.shape[-1])[::-1].tolist())),
    "Own": ("vsid", lambda r, x: Own()),
}
# Layers of two tensors of one shape, called with a list; for the last ones, with two arguments.
TWO = {
    **{
        name: ("vsid", _is(name))
        for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
    },
    "Concatenate": ("vsid", lambda r, x: L.Concatenate(axis=r.randint(1, _rank(x)))),
    "Dot": ("vs", lambda r, x: L.Dot(axes=1)),
    "Attention": ("s", _is("Attention")),
    "AdditiveAttention": ("s", _is("AdditiveAttention")),
    "HashedCrossing": ("n", lambda r, x: L.HashedCrossing(9)),
    "MultiHeadAttention": ("si", lambda r, x: L.MultiHeadAttention(_size(r), 2)),
    "GroupedQueryAttention": ("s", lambda r, x: L.GroupQueryAttention(2, 2, 1)),
}
BY_ARGUMENTS = ("MultiHeadAttention", "GroupedQueryAttention")
