"""The arguments of builders and blocks: few, used, and with one default everywhere."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import keras_convnets as k
from keras_convnets import architectures
from keras_convnets.units import TORCH

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(architectures.__path__, f"{architectures.__name__}.")
]
BUILDERS = [getattr(k, name) for name in k.__all__ if name.endswith("Builder")]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".", 2)[-1])
def test_no_argument_does_nothing(module):
    for function in ast.walk(ast.parse(Path(module.__file__).read_text())):
        if isinstance(function, ast.FunctionDef):
            arguments = function.args
            names = {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}
            inside = (node for line in function.body for node in ast.walk(line))
            used = {node.id for node in inside if isinstance(node, ast.Name)}
            assert names <= used, f"{function.name}: {names - used}"


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_a_builder_takes_at_most_four_arguments_of_its_own(builder):
    if hasattr(builder, "build"):
        parameters = inspect.signature(builder.build).parameters
        common = {"input_shape", "num_outputs", "options"}
        assert common < set(parameters)
        assert len(set(parameters) - common) <= 4


def test_a_style_has_one_default():
    # None is the style of a time before batch normalisation, GoogLeNet's.
    found = {}
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            style = inspect.signature(function).parameters.get("style")
            if style is not None and style.default not in (style.empty, None):
                found[name] = style.default
    assert {"basic_block_v1", "shortcut_b", "dense_layer", "inception_v4_a"} <= set(found)
    assert [name for name, style in found.items() if style is not TORCH] == []
