import ast
from pathlib import Path

import keras_convnets.training


def test_every_public_name_can_be_imported():
    for name in keras_convnets.training.__all__:
        assert getattr(keras_convnets.training, name) is not None


def test_the_stub_lists_what_it_imports():
    stub = ast.parse(Path(keras_convnets.training.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    names = sorted(alias.name for node in imports for alias in node.names)
    assert names == sorted(keras_convnets.training.__all__)


def test_no_public_name_is_a_module_too():
    modules = {path.stem for path in Path(keras_convnets.training.__file__).parent.iterdir()}
    assert modules.isdisjoint(keras_convnets.training.__all__)
