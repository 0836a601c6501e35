"""The contract of every registered network: whatever is registered is held to it."""

import keras
import numpy as np
import pytest

import paper
from helpers import FORMATS, channels_first, images, lively
from keras_convnets import (
    cost,
    create_model,
    list_models,
    parse,
    plot_model,
    receptive_field,
)

SHAPE, OUTPUTS = (3, 32, 32), 4


def outline(name, /, **options):
    """Build a network without its weights' values: enough for names, counts and shapes."""
    with keras.StatelessScope(initialize_variables=False):
        return create_model(name, **options)


@pytest.mark.parametrize("name", list_models())
def test_outline(name):
    first, last = (outline(name, data_format=data_format) for data_format in FORMATS)
    names = [layer.name for layer in first.layers]
    assert names == [layer.name for layer in last.layers]
    assert names == [layer.name for layer in outline(name).layers]
    assert len(set(names)) == len(names)
    assert all(parse(layer) for layer in names)
    assert first.count_params() == last.count_params()
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
    assert last.output_shape == (None, 1000)
    assert last.name == name
    assert outline(name, name="mine").name == "mine"


@pytest.mark.parametrize("name", list_models())
def test_the_classifier_can_be_left_out(name):
    for pooling, rank in ((None, 4), ("avg", 2), ("max", 2)):
        model = outline(name, include_top=False, pooling=pooling)
        assert len(model.output_shape) == rank
        assert "head_dense" not in [layer.name for layer in model.layers]


@pytest.mark.parametrize("name", list_models())
def test_wrong_shapes_are_refused(name):
    for shape in ((224, 224, 3), (3, 0, 32), (3, 1, 1), (3, 224)):
        with pytest.raises(ValueError, match="input_shape: received"):
            outline(name, input_shape=shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_both_formats_compute_the_same_and_are_saved_exactly(name):
    first, last = (create_model(name, SHAPE, OUTPUTS, data_format=fmt) for fmt in FORMATS)
    lively(last)
    first.set_weights(last.get_weights())
    outputs = []
    for data_format, model in zip(FORMATS, (first, last), strict=True):
        x = images(SHAPE, data_format)
        outputs.append(channels_first(model(x), data_format))
        model.save("model.keras")
        loaded = keras.models.load_model("model.keras")
        assert np.abs(channels_first(loaded(x), data_format) - outputs[-1]).max() == 0
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-5
    assert 0.01 < outputs[0].max() < 0.99  # a saturated softmax would hide a difference
    last.save_weights("model.weights.h5")
    first.set_weights([np.zeros_like(weight) for weight in first.get_weights()])
    first.load_weights("model.weights.h5")
    for one, other in zip(first.get_weights(), last.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", ["resnet_18", "resnet_50"])
def test_compile_fit_evaluate_predict(name, data_format):
    keras.utils.set_random_seed(0)
    model = create_model(name, SHAPE, OUTPUTS, data_format=data_format)
    x, y = images(SHAPE, data_format, count=8), np.arange(8) % OUTPUTS
    model.compile(
        keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(x, y, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert np.isfinite(model.evaluate(x, y, verbose=0)).all()
    probabilities = model.predict(x, verbose=0)
    assert probabilities.shape == (8, OUTPUTS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", list_models())
def test_plotted(name, tmp_path):
    model = outline(name)
    for detail in ("stage", "block", "layer"):
        plot_model(model, tmp_path / "model.svg", detail=detail)
        assert (tmp_path / "model.svg").read_text().count("</svg>") == 1


@pytest.mark.parametrize("name", list_models())
def test_costs_and_receptive_fields_are_known_and_the_same_in_both_formats(name):
    first, last = (outline(name, data_format=data_format) for data_format in FORMATS)
    assert cost(first).rows == cost(last).rows
    assert cost(first).uncounted == ()
    assert cost(first).params == first.count_params()
    fields = receptive_field(first)
    assert dict(fields) == dict(receptive_field(last))
    assert not any(field.unknown for field in fields.values())


def test_every_published_figure_is_of_a_registered_network():
    assert set(paper.CLASSIC_PARAMETERS) <= set(list_models())
