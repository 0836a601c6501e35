"""Networks written down in PyTorch, with the weights of a Keras model, and their comparison."""

import contextlib

import keras
import numpy as np
import pytest

from helpers import computed, images, outline, random_state

torch = pytest.importorskip("torch", reason="networks are compared with PyTorch")
F = torch.nn.functional


class Net:
    """A network's weights, and the layers that compute with them."""

    def __init__(self, model, state, epsilon):
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        values = map(torch.from_numpy, (*state[0], *state[1]))
        names = (variable.path for variable in variables)
        self.values = dict(zip(names, values, strict=True))
        self.used = set()
        self.epsilon = epsilon

    def has(self, layer):
        """Return whether there is a layer with weights of that name."""
        return any(path.startswith(f"{layer}/") for path in self.values)

    def get(self, path):
        """Return a weight, and remember that it was used."""
        self.used.add(path)
        return self.values[path]

    def conv(self, layer, x, stride=1, pad=None, bias=False, groups=1):
        """Return a convolution, by default with the padding that keeps the size."""
        kernel = self.get(f"{layer}/kernel").permute(3, 2, 0, 1)
        shift = self.get(f"{layer}/bias") if bias else None
        pad = kernel.shape[-1] // 2 if pad is None else pad
        return F.conv2d(x, kernel, shift, stride, pad, groups=groups)

    def bn(self, layer, x):
        """Return batch normalisation by the moving statistics."""
        names = ("moving_mean", "moving_variance", "gamma", "beta")
        return F.batch_norm(x, *(self.get(f"{layer}/{name}") for name in names), eps=self.epsilon)

    def bn_relu(self, layer, x):
        """Return batch normalisation and ReLU."""
        return self.bn(layer, x).relu()

    def dense(self, layer, x):
        """Return a dense layer."""
        return x @ self.get(f"{layer}/kernel") + self.get(f"{layer}/bias")

    def means_to_logits(self, x):
        """Return global average pooling and the output layer."""
        return self.dense("head_dense", x.mean((2, 3)))


@contextlib.contextmanager
def in_float64():
    """Let layers compute in float64, in which a difference is one of the networks."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def check_logits(title, network, model, sizes, kernels=0.5, epsilon=1e-5):
    """Hold a model to a network in PyTorch with the same random weights and statistics.

    Args:
        title: the name of the model and the source of the network.
        network: a function of a `Net` and of images, which returns the logits.
        model: the outline of a model in float64, channels last.
        sizes: the rows and columns of the images.
        kernels: the factor of the random kernels. Where shortcuts are identities, smaller ones
            leave enough of an image and do not magnify rounding.
        epsilon: that of batch normalisation.
    """
    state = [
        [_signed(variable, value) for variable, value in zip(variables, values, strict=True)]
        for variables, values in zip(
            (model.trainable_variables, model.non_trainable_variables),
            random_state(model, kernels=kernels),
            strict=True,
        )
    ]
    net = Net(model, state, epsilon)
    for rows, cols in sizes:
        shape = (model.input_shape[-1], rows, cols)
        x = images(shape, "channels_first").astype("float64") * [[[[1]]], [[[3]]]]
        expected = network(net, torch.from_numpy(x)).numpy()
        assert net.used == net.values.keys()
        (found,) = computed(model, state, np.moveaxis(x, 1, -1))
        # The outputs differ between classes and between images, or a fault would not be seen.
        spread = np.ptp(expected, axis=-1).max()
        assert spread > 0.1 * np.abs(expected).max()
        assert np.ptp(expected, axis=0).max() > 1e-2 * np.abs(expected).max()
        difference = np.abs(found - expected).max() / spread
        print(f"| {title}, in PyTorch | {rows} x {cols} | float64 | {difference:.1e} |")
        assert difference < 1e-12


def _signed(variable, value):
    """Return a value in float64, vectors with random signs, except variances.

    With positive scales alone, a maximum could be taken before a normalisation or after it.
    """
    value = value.astype("float64")
    if value.ndim > 1 or variable.name == "moving_variance":
        return value
    return value * np.random.default_rng(0).choice((-1, 1), value.shape)


def logits_of(name, input_shape, **options):
    """Return the outline of a network without its last activation, channels last."""
    chosen = {"classifier_activation": None, "data_format": "channels_last"}
    return outline(name, input_shape=input_shape, num_outputs=10, **chosen, **options)
