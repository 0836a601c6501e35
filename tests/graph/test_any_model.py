"""Costs, fields and figures take every functional model, of any layers; others are refused."""

import keras
import pytest

from keras_convnets import cost, plot_model, receptive_field

L = keras.layers


def of(shape, apply, **options):
    inputs = keras.Input(shape, **options)
    return keras.Model(inputs, apply(inputs))


def several_inputs():
    large, small, number = keras.Input((16, 16, 3)), keras.Input((8, 8, 3)), keras.Input(())
    x = L.Concatenate()([L.MaxPooling2D(2)(L.Conv2D(4, 3, padding="same")(large)), small])
    flat = L.Dense(4)(L.GlobalAveragePooling2D()(x))
    return keras.Model([large, small, number], [flat * number[:, None], x])


NAMED = {"image": (8, 8, 3), "extra": (4,)}


def named_inputs():
    inputs = {name: keras.Input(shape, name=name) for name, shape in NAMED.items()}
    inner = keras.Model(inputs, L.Dense(2)(inputs["extra"]) + L.Flatten()(inputs["image"])[:, :2])
    more = inputs | {"unused": keras.Input((5,), name="unused")}
    return keras.Model(more, {"logits": inner(more), "image": inputs["image"] + 1.0})


def models_within():
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(3, 3, padding="same"), L.ReLU()])
    middle = of((8, 8, 3), lambda x: inner(inner(x)) + x)
    return of((8, 8, 3), lambda x: L.Flatten()(middle(x)))


def states():
    inputs = keras.Input((6, 4))
    _, hidden, carry = L.LSTM(3, return_state=True)(
        L.Bidirectional(L.GRU(2, return_sequences=True))(inputs)
    )
    return keras.Model(inputs, hidden + carry)


MODELS = {
    "several inputs": several_inputs,
    "named inputs": named_inputs,
    "models within": models_within,
    "states": states,
    "sequential": lambda: keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3), L.Flatten()]),
    "operations": lambda: of((8, 8, 3), lambda x: keras.ops.relu(2.0 * x - x / 3 + 1) ** 2),
    "shapes of operations": lambda: of(
        (8, 8, 4),
        lambda x: keras.ops.transpose(keras.ops.reshape(x[:, ::2, ::2], (-1, 16, 4)), (0, 2, 1)),
    ),
    "several outputs": lambda: of((4,), lambda x: keras.ops.split(L.Dense(6)(x), 3, axis=1)),
    "lambda": lambda: of((8, 8, 3), L.Lambda(lambda x: x[:, ::2], output_shape=(4, 8, 3))),
    "words": lambda: of((7,), lambda x: L.Dense(2)(L.Embedding(9, 4)(x)), dtype="int32"),
    "attention": lambda: of((6, 4), lambda x: L.MultiHeadAttention(2, 3)(x, x) + x),
    "volumes": lambda: of((4, 8, 8, 2), lambda x: L.Conv3DTranspose(3, 2)(L.Conv3D(3, 2)(x))),
    "steps": lambda: of((9, 2), lambda x: L.UpSampling1D(2)(L.SeparableConv1D(3, 3)(x))),
    "nothing but an input": lambda: of((4,), lambda x: x),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_functional_model_is_taken(name):
    model = MODELS[name]()
    found = cost(model)
    assert found.params + found.statistics == model.count_params()
    assert len(receptive_field(model).to_dict()) <= len(found.rows)
    for detail in ("stage", "block", "layer"):
        plot_model(model, f"{detail}.dot", detail=detail, expand_nested=detail == "layer")


class Own(keras.Model):
    """A model whose graph is in its ``call``."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense = L.Conv2D(4, 3), L.Dense(2)

    def call(self, x):
        return self.dense(L.GlobalAveragePooling2D()(self.conv(x)))


@pytest.mark.parametrize("ask", [cost, receptive_field, lambda model: plot_model(model, "m.dot")])
def test_the_graph_of_a_subclass_is_refused_with_what_to_do(ask):
    model = Own()
    model(keras.ops.zeros((1, 8, 8, 3)))
    words = (
        r"^model: received <Own .*the call\(\) of Own is code.* keras.Model\(x, model.call\(x\)\)"
    )
    with pytest.raises(ValueError, match=words):
        ask(model)
    x = keras.Input((8, 8, 3))
    ask(keras.Model(x, model.call(x)))


def test_a_model_that_is_not_built_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"that is built: begin it with keras.Input\(...\)"):
        cost(keras.Sequential([L.Dense(2)]))
