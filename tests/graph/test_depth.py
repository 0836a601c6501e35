"""Networks of over a thousand layers: no tool recurses into them, nor takes its time."""

import sys

import keras
import pytest

from keras_convnets import cost, create_model, plot_model, receptive_field
from keras_convnets.analysis.features import features

DEEPEST = ["cifar_resnet_1202", "cifar_preact_resnet_1001"]


@pytest.fixture(scope="module", params=DEEPEST)
def deep(request):
    with keras.StatelessScope(initialize_variables=False):
        return create_model(request.param)


@pytest.mark.slow
def test_tools_take_the_deepest_networks(deep):
    limit = sys.getrecursionlimit()
    assert len(deep.layers) > 3 * limit
    found = cost(deep)
    assert found.params + found.statistics == deep.count_params()
    assert len(found.to_text("block").splitlines()) > 300
    backbone = features(deep, (2,))
    field = receptive_field(deep, backbone.levels[-1].layer)
    assert field.stride == (4, 4)
    # From the last convolution back: 3 x 3 of each, at strides 4, 2 and 1.
    if deep.name == "cifar_resnet_1202":
        assert field.size[0] == 1 + 2 * (4 * 399 + 2) + 2 * (2 * 399 + 1) + 2 * (400 + 1)
    assert backbone.output["C2"].shape[1:3] == (8, 8)
    for detail in ("stage", "block", "layer"):
        plot_model(deep, f"{detail}.svg", detail=detail, fold_repeats=detail == "stage")
    assert sys.getrecursionlimit() == limit
