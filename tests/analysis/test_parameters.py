"""One meaning of "parameters": the weights that training changes, frozen or not."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import outline
from keras_convnets import compare, cost, model_info, plot_model, zoo
from keras_convnets.analysis.cost.parameters import parameters_of
from keras_convnets.saved_models import read_model

L = keras.layers
PARAMETERS, STATISTICS = 23_834_568, 34_432  # Inception-v3's, as in the paper and in torchvision


@pytest.fixture(scope="module")
def inception():
    return outline("inception_v3")


def small():
    layers = [L.Normalization(), L.Conv2D(4, 3), L.BatchNormalization(), L.PReLU(), L.Dropout(0.1)]
    return keras.Sequential([keras.Input((6, 6, 3)), *layers], name="small")


def test_one_number_in_every_table(inception):
    assert inception.count_params() == PARAMETERS + STATISTICS
    found = cost(inception)
    assert (found.params, found.statistics) == (PARAMETERS, STATISTICS)
    assert found.trainable_params == PARAMETERS
    assert model_info("inception_v3").parameters == PARAMETERS
    assert "23,834,568" in zoo.listing(["inception_v3"], with_costs=True).to_text()
    for table in (found.table("layer"), found.table("block"), found.table("stage")):
        keys = [column.key for column in table.columns]
        assert sum(row[keys.index("params")] for row in table.rows) == PARAMETERS
        assert table.total[keys.index("params")] == PARAMETERS
    for text in (found.to_text("stage"), str(compare([inception])), found.to_csv("stage")):
        assert "23,869,000" in " ".join(text.split())
        assert text.count("23,869,000") == 1
    assert json.loads(json.dumps(found.to_dict()))["total"]["statistics"] == STATISTICS


def test_the_line_about_other_weights_is_left_out_where_there_are_none():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    assert "count_params" not in cost(model).to_text() + str(compare([model]))


def test_the_same_number_in_figures_and_pages():
    model = small()
    assert cost(model).params == (27 + 1) * 4 + 2 * 4 + 4 * 4 * 4
    plot_model(model, "m.dot", detail="layer")
    text = Path("m.dot").read_text()
    assert ">8 params" in text
    assert "16 params" not in text
    plot_model(model, "m.html")
    assert '"params": "184"' in Path("m.html").read_text()


@pytest.mark.parametrize("freeze", ["after", "before"])
def test_parameters_of_a_frozen_model(freeze):
    model = small()
    expected = parameters_of(model)
    assert sum(expected) == model.count_params()
    if freeze == "after":
        model.trainable = False
    else:
        model = keras.Sequential([keras.Input((6, 6, 3)), small()], name="outer")
        model.layers[0].trainable = False
        model.save("frozen.keras")
        model = read_model("frozen.keras")
    assert parameters_of(model) == expected
    assert cost(model).trainable_params == 0
    assert np.sum([np.size(w) for w in model.trainable_weights]) == 0
