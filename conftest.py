"""Set-up of every test, and of the examples in docstrings, docs and README."""

import gc
import os
import zlib
from importlib.util import find_spec

# Before TensorFlow is imported: channels_first models run on every CPU with oneDNN's kernels.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as the command does
import pytest

from keras_convnets import registry, zoo

# To look for garbage among what Keras, TensorFlow and the tests make as they are imported takes a
# third of the time of that, and a quarter of the time of building networks.
gc.disable()

# Modules that are only imported where their runtime is installed, and what they need for that.
NEEDS = {
    "export/writers/litert": "ai_edge_litert",
    "export/writers/onnx": "tf2onnx",
    "export/writers/onnx_pads": "onnx",
    "export/writers/openvino": "openvino",
    "precision/litert": "ai_edge_litert",
    "precision/onnx": "onnxruntime",
    "precision/openvino": "openvino",
}
collect_ignore = [
    f"keras_convnets/shipping/{module}.py"
    for module, needed in NEEDS.items()
    if not find_spec(needed)
]


def pytest_xdist_setupnodes(specs):
    """Let each process that shares the tests compute on its share of the cores.

    And the commands that its tests start: threads of several that fight for a core slow all down.
    """
    share = str(max(1, (os.cpu_count() or 1) // len(specs)))
    for library in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(library, share)


def pytest_collection_finish():
    """Collect garbage from now on, but rarely, and not among the modules that are imported."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    """Let each fixture draw the same random numbers in every run, after whatever others."""
    if fixturedef.baseid:  # not one of pytest's own
        _seed(f"{fixturedef.baseid}::{fixturedef.argname}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    """Let each test draw the same random numbers in every run, alone or after whatever others.

    The weights of a network that is built without a seed are such numbers, and a comparison of
    outputs within bounds could fail now and then.
    """
    _seed(item.nodeid)


def _seed(name):
    import keras

    keras.utils.set_random_seed(zlib.crc32(name.encode(errors="backslashreplace")))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder, so that no test depends on the checkout or writes into it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _outlines_stay_outlines():
    """Build models without weights' values as their tests' alone: see `values_forgotten`."""
    from keras_convnets.keras_private import values_forgotten

    with values_forgotten():
        yield


@pytest.fixture(autouse=True)
def _registered_builders_are_forgotten():
    """Leave each test the builders that were registered before it."""
    zoo.own_networks()
    before = dict(registry.networks)
    yield
    registry.networks.clear()
    registry.networks.update(before)


@pytest.fixture(autouse=True)
def _data_format_is_left_alone():
    """Fail a test that leaves Keras in another data format than it found it in."""
    import keras

    before = keras.config.image_data_format()
    yield
    after = keras.config.image_data_format()
    keras.config.set_image_data_format(before)
    assert after == before


@pytest.fixture
def data_format(request):
    """Set Keras' data format for a test that asks for one by indirect parametrisation."""
    import keras

    before = keras.config.image_data_format()
    keras.config.set_image_data_format(request.param)
    yield request.param
    keras.config.set_image_data_format(before)
