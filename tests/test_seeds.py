"""What tests and fixtures draw without a seed depends on their names alone: see conftest.py."""

import zlib

import keras
import numpy as np
import pytest


def drawn():
    """Return a number of each generator that Keras, NumPy and an initializer use."""
    dense = keras.layers.Dense(1)
    dense.build((1, 1))
    kernel = keras.ops.convert_to_numpy(dense.kernel)
    return [float(np.random.random()), float(keras.random.uniform(())), float(kernel[0, 0])]


@pytest.fixture(scope="module")
def of_a_module():
    return drawn()


@pytest.fixture
def of_a_test():
    return drawn()


def from_the_seed_of(name):
    keras.utils.set_random_seed(zlib.crc32(name.encode()))
    return drawn()


@pytest.mark.parametrize("again", [False, True])
def test_fixtures_and_tests_draw_the_numbers_of_their_names(of_a_module, of_a_test, request, again):
    found = drawn()
    assert found == from_the_seed_of(request.node.nodeid)
    assert of_a_module == from_the_seed_of("tests/test_seeds.py::of_a_module")
    assert of_a_test == from_the_seed_of("tests/test_seeds.py::of_a_test")
