"""Costs and figures of folded models are those of the layers that are left."""

from pathlib import Path

import keras
import pytest
from foldable import NORM, check, network

from keras_convnets import cost, create_model, fold, plot_model

L = keras.layers


@pytest.fixture(scope="module")
def models():
    model = network(
        (8, 8, 3),
        L.Conv2D(4, 3, use_bias=False, name="conv"),
        NORM(name="conv_bn"),
        L.ReLU(name="relu"),
        L.DepthwiseConv2D(3, padding="same", name="depthwise"),
        NORM(scale=False, name="depthwise_bn"),
        L.GlobalAveragePooling2D(name="pool"),
        L.Dense(5, name="dense"),
    )
    return model, check(model, (2, 2))


def test_costs_by_hand(models):
    """Of 8 x 8 pixels, 6 x 6 are left. A bias is counted as a parameter, and not as a product."""
    before, after = map(cost, models)
    conv, depthwise, dense = 9 * 3 * 4, 9 * 4, 4 * 5
    assert before.params == conv + (4 + 4) + (depthwise + 4) + 4 + (dense + 5)
    assert after.params == (conv + 4) + (depthwise + 4) + (dense + 5)
    assert (before.statistics, after.statistics) == (4 * 4, 0)
    assert before.macs == after.macs == 36 * conv + 36 * depthwise + dense
    assert before.elementwise["normalisation"] > after.elementwise["normalisation"] == 0
    kinds = [row.kind for row in after.rows]
    assert kinds == [row.kind for row in before.rows if row.kind != "BatchNormalization"]
    assert after.params + after.statistics == models[1].count_params()


def test_the_table_has_no_layers_that_are_gone(models):
    before, after = (str(cost(model)) for model in models)
    assert "conv_bn" in before
    assert "bn" not in after
    assert "177" in after  # the parameters


def test_the_figure_has_no_layers_that_are_gone(models):
    shown = {}
    for name, model in zip(("before", "after"), models, strict=True):
        plot_model(model, f"{name}.svg", detail="layer", show_layer_names=True)
        shown[name] = Path(f"{name}.svg").read_text(encoding="utf-8")
    boxes = {name: text.count('class="node kind') for name, text in shown.items()}
    assert boxes["before"] - boxes["after"] == 2
    assert "depthwise_bn" in shown["before"]
    assert "_bn" not in shown["after"]
    assert "normalisation" in shown["before"]  # in the legend
    assert "normalisation" not in shown["after"]
    assert "112 params" in shown["after"]  # of the first convolution, with its bias


def test_blocks_of_a_folded_network():
    model = create_model("cifar_resnet_20", (3, 16, 16), 10)
    shown = []
    for one in (model, fold(model)):
        plot_model(one, "model.svg")
        shown.append(Path("model.svg").read_text(encoding="utf-8"))
    texts = [text.count('class="node kind') for text in shown]
    assert texts[0] == texts[1]  # blocks are still found by their names
    assert all("block2 to 3" in text for text in shown)
