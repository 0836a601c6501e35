"""Random functional models of every kind of layer, from a source of random numbers."""

import contextlib
import warnings

import keras

from keras_convnets.keras_private import without_values
from random_layers import BY_ARGUMENTS, ONE, RANKS, TWO

L, ops = keras.layers, keras.ops
FORMATS = ("channels_first", "channels_last")
LAYERS = {**ONE, **TWO}
WHOLE = {"n": "int32", "t": "int32", "w": "string"}

# Operations on one tensor of at least one axis, with random numbers.
OPERATIONS = (
    lambda r, x: ops.pad(x, [(0, 0), *((r.randint(0, 2), r.randint(0, 2)) for _ in x.shape[1:])]),
    lambda r, x: ops.pad(x, [(0, 0), *((1, 1) for _ in x.shape[1:])], mode="reflect"),
    lambda r, x: ops.split(x, [1], axis=r.randint(1, len(x.shape) - 1))[r.randint(0, 1)],
    lambda r, x: x[..., : r.randint(1, 3)],
    lambda r, x: x[:, :: r.choice([2, -1])],
    lambda r, x: x[:, 0],
    lambda r, x: x[:, 1:-1],
    lambda r, x: x[..., r.randint(0, 2) :: 2, :],
    lambda r, x: x[:, -3:, ..., :1],
    lambda r, x: x[:, None, :2],
    lambda r, x: ops.transpose(x, (0, *reversed(range(1, len(x.shape))))),
    lambda r, x: ops.reshape(x, (-1, *reversed(x.shape[1:]))),
    lambda r, x: ops.expand_dims(x, r.randint(1, len(x.shape))),
    lambda r, x: ops.squeeze(ops.expand_dims(x, 1), 1),
    lambda r, x: ops.mean(x, axis=r.randint(1, len(x.shape) - 1), keepdims=r.random() < 0.5),
    lambda r, x: ops.max(x, axis=tuple(range(1, len(x.shape))), keepdims=r.random() < 0.5),
    lambda r, x: ops.moments(x, axes=[1], keepdims=True)[0],
    lambda r, x: ops.norm(x, axis=-1),
    lambda r, x: ops.flip(x, axis=1),
    lambda r, x: ops.roll(x, 1, axis=1),
    lambda r, x: ops.repeat(x, 2, axis=1),
    lambda r, x: ops.tile(x, (1, *(2 for _ in x.shape[1:]))),
    lambda r, x: ops.softmax(x, axis=r.randint(1, len(x.shape) - 1)),
    lambda r, x: ops.relu(x) ** 2 + x / 3 - 1,
    lambda r, x: 2.0 * x,
    lambda r, x: x[:, None] + x[:, None] if r.random() < 0.5 else ops.stack([x, x], axis=1),
    lambda r, x: ops.matmul(x, ops.swapaxes(x, -1, -2)),
    lambda r, x: ops.einsum("a...,a...->a...", x, x),
    lambda r, x: ops.cumsum(x, axis=1),
    lambda r, x: ops.take(x, [0], axis=-1),
    lambda r, x: ops.argmax(x, axis=1),
    lambda r, x: ops.top_k(x, 1)[0],
    lambda r, x: ops.unstack(x, axis=1)[0],
    lambda r, x: ops.one_hot(ops.cast(x, "int32"), 4),
    lambda r, x: ops.where(x > 0, x, 0.0),
    lambda r, x: ops.max_pool(x, 2, strides=2, padding="same"),
    lambda r, x: ops.average_pool(x, 2),
    lambda r, x: ops.image.resize(x, (r.randint(1, 9), 5)),
    lambda r, x: ops.image.pad_images(x, 1, 1, 1, 1),
    lambda r, x: ops.broadcast_to(x[:, :1], (1, *x.shape[1:])),
    lambda r, x: ops.concatenate([x, x], axis=r.randint(1, len(x.shape) - 1)),
    lambda r, x: ops.layer_normalization(x),
)


def new_input(r, kind):
    """Return a new input of a kind; now and then with open sizes."""
    sizes = [r.randint(3, 9) for _ in range(RANKS[kind])]
    if kind == "i" and r.random() < 0.5:
        sizes[-1] = 3  # some layers take colours only
    if kind not in "ntw" and len(sizes) > 1 and r.random() < 0.1:
        sizes[0] = None
    return keras.Input(sizes, dtype=WHOLE.get(kind))


def kind_of(tensor):
    """Return the kind of a tensor, ``?`` if no layer takes it."""
    rank, dtype = len(tensor.shape) - 1, str(tensor.dtype)
    kinds = [kind for kind, axes in RANKS.items() if axes == rank]
    if dtype.startswith("float"):
        kinds = [kind for kind in kinds if kind not in WHOLE]
    else:
        kinds = [kind for kind in kinds if WHOLE.get(kind) == dtype]
    return kinds[0] if kinds else "?"


class Maker:
    """Makes a model step by step; ``pool`` has the tensors so far."""

    def __init__(self, r):
        self.r = r
        self.inputs, self.pool, self.made = [], [], []

    def model(self, steps, depth=0):
        for _ in range(steps):
            action = self.r.choice(["layer"] * 6 + ["operation"] * 3 + ["again", "within"])
            try:
                if action == "layer":
                    self.layer(self.r.choice(sorted(LAYERS)))
                elif action == "operation":
                    self.add(self.r.choice(OPERATIONS)(self.r, self.taken("vsid")))
                elif action == "again":
                    self.again()
                elif depth < 2:
                    self.within(depth)
            except Exception:  # Keras refuses it: a window larger than the image, for example
                continue
        if not self.pool:
            self.start("vsid")
        try:
            return self.ended()
        except ValueError:  # some layers of Keras lose the way to the inputs
            self.pool = [x for x in self.pool if self.is_computed(x)]
            return self.ended()

    def ended(self):
        """Return a model of one or more of the tensors, as a tensor, a list or a dictionary."""
        last = self.pool[-1]
        others = [x for x in self.pool[:-1] if self.r.random() < 0.3]
        outputs = list({id(x): x for x in [last, *others]}.values())
        if len(self.inputs) == len(outputs) == 1 and self.r.random() < 0.9:
            return keras.Model(self.inputs[0], last)
        if self.r.random() < 0.2:
            return keras.Model(self.inputs, {f"out{n}": x for n, x in enumerate(outputs)})
        return keras.Model(self.inputs, outputs)

    def is_computed(self, x):
        """Return whether a tensor comes from the inputs; some layers of Keras lose the way."""
        try:
            return bool(keras.Model(self.inputs, x))
        except ValueError:
            return False

    def start(self, kinds):
        found = new_input(self.r, self.r.choice(kinds))
        self.inputs.append(found)
        self.pool.append(found)
        return found

    def taken(self, kinds):
        """Return a tensor of one of the kinds, mostly the latest; else a new input."""
        fit = [x for x in self.pool if kind_of(x) in kinds]
        if not fit:
            return self.start(kinds)
        return fit[-1] if self.r.random() < 0.7 else self.r.choice(fit)

    def add(self, result):
        for x in keras.tree.flatten(result):
            self.pool.append(x)

    def layer(self, name):
        kinds, make = LAYERS[name]
        x = self.taken(kinds)
        layer = make(self.r, x)
        if name in TWO:
            others = [y for y in self.pool if y.shape == x.shape and y.dtype == x.dtype]
            pair = [x, self.r.choice(others)]
            self.add(layer(*pair) if name in BY_ARGUMENTS else layer(pair))
        else:
            self.made.append((layer, x.shape))
            self.add(layer(x))

    def again(self):
        """Use a layer again, for another tensor of the same shape or for a new input."""
        layer, shape = self.r.choice(self.made)
        fit = [x for x in self.pool if x.shape == shape]
        if not fit or self.r.random() < 0.3:
            x = keras.Input(shape[1:], dtype=layer.input.dtype)
            self.inputs.append(x)
        else:
            x = self.r.choice(fit)
        self.add(layer(x))

    def within(self, depth):
        """Use a whole random model as a layer, once or twice, or once a step."""
        inner = type(self)(self.r).model(self.r.randint(1, 3), depth + 1)
        if self.r.random() < 0.3 and len(inner.inputs) == len(inner.outputs) == 1:
            inner = keras.Sequential([keras.Input(inner.input_shape[1:]), inner])
        made = {}
        for x in inner.inputs:
            fit = [y for y in self.pool if y.shape == x.shape and y.dtype == x.dtype]
            if not fit:
                fit = [keras.Input(x.shape[1:], dtype=x.dtype)]
                self.inputs += fit
                self.pool += fit
            made[id(x)] = self.r.choice(fit)
        given = [made[id(x)] for x in inner.inputs]
        if len(given) == 1 and self.r.random() < 0.3:
            x = keras.Input((3, *given[0].shape[1:]), dtype=given[0].dtype)
            self.inputs.append(x)
            self.add(L.TimeDistributed(inner)(x))
            return
        for _ in range(self.r.randint(1, 2)):
            self.add(inner(given[0] if len(given) == 1 else given))


def random_model(r):
    """Return a random model, without weights' values; its layers' numbers begin at 1."""
    keras.utils.clear_session(free_memory=False)
    with without_values(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras, about masks that are lost, for example
        return Maker(r).model(r.randint(1, 12))


def alone(r, name):
    """Return a model of one layer of a class; ``None`` if Keras refuses it."""
    maker = Maker(r)
    with without_values(), contextlib.suppress(ValueError, NotImplementedError):
        maker.layer(name)
        return keras.Model(maker.inputs, maker.pool[-1])
    return None
