"""What is taken from the inside of Keras and TensorFlow works, and is taken in a file of each."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_convnets
from keras_convnets import keras_private

PACKAGE = Path(keras_convnets.__file__).parent
PRIVATE = [PACKAGE / "keras_private.py", PACKAGE / "tensorflow_private.py"]
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in PRIVATE]
# What begins with an underscore and is public all the same, or no name of Keras' at all.
PUBLIC = {"_asdict", "_replace", "_exit"}
WORDS = {"_reconstruct"}


def trespasses(source):
    """Return the private names of others that a file touches.

    Its own are those that it binds itself: a method, a field, an attribute of ``self``.
    """
    tree = ast.parse(source)
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    own = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own |= {node.attr for node in ast.walk(tree) if is_bound_on_self(node)}
    return [name for node in ast.walk(tree) for name in private_names(node) if name not in own]


def is_bound_on_self(node):
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def private_names(node):
    if isinstance(node, ast.Attribute) and is_private(node.attr, PUBLIC):
        yield node.attr
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("attr"):  # of getattr
        yield from (one.value for one in node.args if is_private_word(one))
    elif isinstance(node, ast.Compare) and is_private_word(node.left):  # in vars(model)
        yield node.left.value
    elif isinstance(node, ast.Import | ast.ImportFrom):
        module = getattr(node, "module", None)
        full = [f"{module}.{alias.name}" if module else alias.name for alias in node.names]
        yield from (name for name in full if is_private_module(name.split(".")))


def is_private_module(parts):
    inside = parts[0] in ("keras", "tensorflow") and any(part[:1] == "_" for part in parts)
    return inside or parts[:2] in (["keras", "src"], ["tensorflow", "python"])


def is_private_word(node):
    return isinstance(node, ast.Constant) and is_private(node.value, WORDS)


def is_private(name, allowed):
    one_underscore = isinstance(name, str) and name.isidentifier() and name[:1] == "_" != name[1:2]
    return one_underscore and len(name) > 1 and name not in allowed


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x._keras_history", ["_keras_history"]),
        ("getattr(model, '_functional', None)", ["_functional"]),
        ("'_functional' in vars(model)", ["_functional"]),
        ("import keras.src.backend", ["keras.src.backend"]),
        ("from keras.src import backend", ["keras.src.backend"]),
        ("from keras import src", ["keras.src"]),
        ("from tensorflow.python.eager import context", ["tensorflow.python.eager.context"]),
        ("from keras import _tf_keras, layers", ["keras._tf_keras"]),
        ("class A(SGD):\n    def step(self): self._get_index()", ["_get_index"]),
        ("class A:\n    def __init__(self): self._x = 1\n    def y(self): return self._x", []),
        ("def f(field): return field._remark\nclass F:\n    _remark: str", []),
        ("step._replace(heavy=True).__class__", []),
    ],
)
def test_the_check_sees_what_it_must(source, found):
    assert trespasses(source) == found


def test_no_other_file_touches_what_is_private():
    found = {str(path.relative_to(PACKAGE)): trespasses(path.read_text()) for path in FILES}
    assert {path: names for path, names in found.items() if names} == {}


def test_weights_without_values_stay_without():
    with keras_private.without_values():
        outline = keras.layers.Dense(2)
        outline.build((None, 3))
    layer = keras.layers.Dense(2)
    layer.build((None, 3))  # would make the values of both
    assert outline.kernel.shape == layer.kernel.shape == (3, 2)
    assert outline.kernel._value is None
    assert layer.kernel._value is not None


def test_weights_that_wait_from_before_are_left_waiting():
    with keras.StatelessScope(initialize_variables=False):
        waiting = keras.layers.Dense(2)
        waiting.build((None, 3))
        with keras_private.without_values():
            keras.layers.Dense(2).build((None, 3))
    keras.layers.Dense(2).build((None, 3))
    np.testing.assert_array_equal(waiting.bias.numpy(), [0, 0])


def test_all_layers_are_found_and_what_made_a_tensor():
    inner = keras.Sequential([keras.layers.Dense(2), keras.layers.ReLU()])
    model = keras.Sequential([keras.Input((3,)), inner])
    assert set(keras_private.all_layers(model)) >= {model, inner, *inner.layers}
    assert keras_private.operation_of(model.outputs[0]) is inner
    assert keras_private.node_of(model.outputs[0]).operation is inner
