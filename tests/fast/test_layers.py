"""Whatever the package returns as a model is fast throughout, and no place forgets it."""

import ast
import inspect
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import keras_convnets
from keras_convnets import (
    DensenetBuilder,
    ResnetBuilder,
    basic_block,
    conv,
    create_model,
    fast_batch_norm,
    features,
    fold,
    load_model,
    memory_efficient,
    training,
)
from keras_convnets.fast.layers import fast_layers
from keras_convnets.keras_private import all_layers
from keras_convnets.training import RECIPES, Data, Settings, compile_model, new_head

PACKAGE = Path(keras_convnets.__file__).parent
# What nobody trains: a graph to look at or to save, a picture's, a model within another one, the
# first layers of one for a few numbers, and one of its outputs, whose layers are the model's own.
NOT_RETURNED = {"without_optimizer", "_model", "_tensors", "_computed", "_with_output"}
NOT_RETURNED |= {"retyped", "model"}  # written to a file, or made fast at the end
NOT_RETURNED |= {"one_output", "convolution_of"}  # of the same layers, or drawn alone
REPLACED = ("call", "compile", "convolution_op")


def parts_of(model):
    """Return what of each layer of a model is not what Keras alone makes, or could be fast."""
    return [
        {name for name in REPLACED if name in vars(layer)}
        | {type(weight.regularizer).__name__ for weight in layer.weights if weight.regularizer}
        for layer in all_layers(model)
    ]


def assert_fast(model):
    """Demand that a model has something that is fast, and nothing left that could be."""
    found = parts_of(model)
    assert found[0] >= {"compile"}
    assert any(part - {"compile", "L2"} for part in found)
    assert parts_of(fast_layers(model)) == found


def plain():
    """Return a model of Keras' layers alone, with all that can be fast in one within it."""
    penalty = {"kernel_regularizer": keras.regularizers.L2(0.01)}
    pointwise = layers.Conv2D(16, 1, use_bias=False, **penalty)
    inner = keras.Sequential([keras.Input((8, 8, 16)), layers.BatchNormalization(), pointwise])
    x = keras.Input((32, 32, 3))
    y = inner(layers.Conv2D(16, 3, 4, "same", name="conv1", **penalty)(x))
    return keras.Model(x, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(y)))


def residual():
    return ResnetBuilder.build((3, 32, 32), 4, "bottleneck", (1, 1))


def loaded():
    plain().save("plain.keras")
    return load_model("plain.keras")


def saving_memory():
    x = keras.Input((8, 8, 16))
    y = layers.Concatenate()([x, layers.Conv2D(16, 1, use_bias=False)(x)])
    y = layers.Conv2D(8, 1, use_bias=False)(layers.ReLU()(layers.BatchNormalization()(y)))
    return memory_efficient(keras.Model(x, layers.BatchNormalization()(y)))


def of_a_users_own_block():
    def block(filters, init_strides):
        return lambda x: layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(x))

    return ResnetBuilder.build((3, 16, 16), 4, block, (1,))


def compiled():
    model, images = plain(), np.random.default_rng(0).random((40, 32, 32, 3))
    compile_model(model, Data.from_arrays(images, np.arange(40) % 4), RECIPES["quick"], Settings())
    return model


# Every public function that returns a model.
RETURNING = {
    "create_model": lambda: create_model("resnet_18", (3, 32, 32), 4),
    "features": lambda: features(plain()),
    "fold": lambda: fold(residual()),
    "load_model": loaded,
    "memory_efficient": saving_memory,
    "new_head": lambda: new_head(plain(), 3),
}
ONLY_WHAT_ITS_NAME_SAYS = {"fast_batch_norm"}
OTHERS = [residual, of_a_users_own_block, compiled]


def test_every_public_function_that_returns_a_model_is_tried():
    found = set()
    for place in (keras_convnets, training):
        functions = {name: getattr(place, name) for name in place.__all__}
        found |= {
            name
            for name, one in functions.items()
            if inspect.isfunction(one) and one.__annotations__.get("return") == "keras.Model"
        }
    assert found == RETURNING.keys() | ONLY_WHAT_ITS_NAME_SAYS


@pytest.mark.parametrize("made", [*RETURNING.values(), *OTHERS], ids=[*RETURNING, *range(3)])
def test_a_model_that_is_returned_is_fast(made):
    assert_fast(made())


def test_layers_of_our_units_are_fast_in_a_graph_of_the_users_own():
    x = keras.Input((16, 16, 3))
    model = keras.Model(x, basic_block(8)(conv(8, 1, use_bias=False)(x)))
    assert set().union(*parts_of(model)) == {"call", "convolution_op"}
    found = parts_of(model)[1:]
    assert parts_of(fast_layers(model))[1:] == found


def test_fast_batch_norm_is_what_its_name_says():
    found = set().union(*parts_of(fast_batch_norm(plain())))
    assert found == {"call", "L2"}


def test_a_block_of_dense_layers_recomputes_fast_layers():
    model = DensenetBuilder.build((3, 16, 16), 4, (2,), 8, memory_efficient=True)
    assert_fast(model)


def test_no_place_that_makes_models_forgets_it():
    """Look for the calls that make or rebuild a model, in the source of the whole package."""
    forgetful, minded = [], 0
    for file in sorted(PACKAGE.rglob("*.py")):
        for function in outermost_functions(ast.parse(file.read_text())):
            calls = {ast.unparse(one.func) for one in ast.walk(function) if is_call(one)}
            if function.name in NOT_RETURNED or not any(map(makes_a_model, calls)):
                continue
            minded += "fast_layers" in calls
            if "fast_layers" not in calls:
                forgetful.append(f"{file.relative_to(PACKAGE)}: {function.name}")
    assert forgetful == []
    assert minded == 4  # assembled, loaded, rebuilt and cut


def outermost_functions(tree):
    bodies = [one.body for one in tree.body if isinstance(one, ast.ClassDef)]
    found = [*tree.body, *(one for body in bodies for one in body)]
    return [one for one in found if isinstance(one, ast.FunctionDef)]


def is_call(node):
    return isinstance(node, ast.Call)


def makes_a_model(called):
    rebuilt = called.startswith("type(") and called.endswith(".from_config")
    models = called.startswith("keras.models.") or called in ("keras.Model", "keras.Sequential")
    return models or rebuilt or called == "keras.saving.load_model"
