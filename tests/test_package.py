import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import keras_convnets


def test_every_public_name_can_be_imported():
    for name in keras_convnets.__all__:
        assert getattr(keras_convnets, name) is not None


def test_the_stub_lists_what_it_imports():
    stub = ast.parse(Path(keras_convnets.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    names = sorted(alias.name for node in imports for alias in node.names)
    assert names == sorted(keras_convnets.__all__)


def test_no_public_name_is_a_module_too():
    # Importing the module would put it in the name's place.
    modules = {path.stem for path in Path(keras_convnets.__file__).parent.iterdir()}
    assert modules.isdisjoint(keras_convnets.__all__)


def test_version():
    assert keras_convnets.__version__ == metadata.version("keras_convnets")


def test_importing_the_package_loads_no_backend():
    program = "import sys, keras_convnets.cli; print('keras' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
