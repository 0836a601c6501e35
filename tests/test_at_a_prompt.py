"""What a prompt, a notebook and a debugger show of results: a table or a line, never raw arrays."""

import keras
import numpy as np
import pytest

from keras_convnets import (
    CifarResnetBuilder,
    activation_statistics,
    compare,
    create_model,
    effective_depth,
    effective_receptive_field,
    feature_maps,
    gradient_flow,
    kernels,
    path_lengths,
    published_accuracies,
    receptive_field,
    summary,
)
from keras_convnets.graph.walk import walk

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(4, 16, 16, 3)).astype("float32"), np.arange(4)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return CifarResnetBuilder.build_cifar_resnet_20((3, 16, 16), 10)


OF_NETWORKS = [
    receptive_field,
    summary,
    lambda model: compare([model, create_model("lenet_5")]),
    lambda _: published_accuracies(),
]
OF_GRADIENTS = [
    lambda model: gradient_flow(model, IMAGES, LABELS),
    lambda model: effective_depth(model, IMAGES, LABELS),
    lambda model: path_lengths(model, IMAGES, LABELS, samples=2),
]
OF_ACTIVATIONS = [lambda model: activation_statistics(model, IMAGES)]


@pytest.mark.parametrize("of", [*OF_NETWORKS, *OF_GRADIENTS, *OF_ACTIVATIONS])
def test_a_prompt_shows_the_table(of, model):
    found = of(model)
    assert repr(found) == str(found) == found.to_text()


@pytest.mark.parametrize("of", [*OF_NETWORKS, *OF_ACTIVATIONS])
def test_a_notebook_shows_the_table_where_there_is_no_figure(of, model):
    found = of(model)
    assert found._repr_markdown_() == found.to_markdown()


@pytest.mark.parametrize(
    ("of", "line"),
    [
        (
            lambda model: feature_maps(model, IMAGES, "conv1_conv"),
            "FeatureMaps(layer='conv1_conv', stage='conv1')",
        ),
        (lambda model: kernels(model, "conv1_conv"), "Kernels(layer='conv1_conv')"),
        (
            lambda model: effective_receptive_field(model, "conv1_conv"),
            (
                "EffectiveField(layer='conv1_conv', unit=(8, 8), theoretical=(3, 3), "
                "seen=((7, 9), (7, 9)), images=8)"
            ),
        ),
    ],
)
def test_arrays_are_not_poured_out(of, line, model):
    assert repr(of(model)) == line


def test_a_call_does_not_show_all_that_is_before_it(model):
    """There are 512 paths to the last layer of this network, and 2 ** 54 in cifar_resnet_110."""
    assert len(repr(walk(model)[-1])) < 400
