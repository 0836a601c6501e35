"""The contract of every registered network: whatever is registered is held to it."""

import functools
from pathlib import Path

import keras
import numpy as np
import pytest

import paper
from helpers import FORMATS, images, lively, outline, settled
from keras_convnets import (
    cost,
    create_model,
    golden,
    list_models,
    parse,
    plot_model,
    receptive_field,
    zoo,
)
from keras_convnets.zoo import find

# Larger ones are built and counted, smaller ones held to all of the contract.
MANY_LAYERS = 600
SIZES = (16, 28, 32, 48, 64, 75, 96, 128, 160, 224)
OUTPUTS = 4


def layer_names(model):
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize("name", list_models())
def test_outline(name):
    first, last = (outline(name, data_format=data_format) for data_format in FORMATS)
    check_names(name, first, last)
    check_costs(name, first, last)
    if len(last.layers) <= MANY_LAYERS:
        check_variants(name, last)
        check_wrong_shapes(name)


def check_names(name, first, last):
    names = layer_names(last)
    assert layer_names(first) == names
    assert len(set(names)) == len(names)
    assert all(parse(layer) for layer in names)
    assert last.name == name
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
    outputs = find(name).published.num_outputs
    assert {output.shape for output in last.outputs} == {(None, outputs)}


def check_costs(name, first, last):
    found = cost(last)
    assert found.rows == cost(first).rows
    assert found.uncounted == ()
    assert found.params == first.count_params() == last.count_params()
    if name in paper.PUBLISHED:
        parameters, multiply_adds = paper.PUBLISHED[name]
        assert found.trainable_params == parameters
        assert multiply_adds in (None, found.macs)
    counted = zoo.info(find(name), found)
    assert golden.networks()[name] == counted, "run python scripts/golden_table.py"
    assert documented()[name] == (found.trainable_params, found.macs)
    fields = receptive_field(last)
    assert dict(fields) == dict(receptive_field(first))
    assert not any(field.unknown for field in fields.values())


@functools.cache
def documented():
    """Return the parameters and multiply-adds of each network in the docs' table."""
    page = (Path(__file__).parents[1] / "docs" / "networks.md").read_text()
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines()]
    rows = [row for row in rows if len(row) == 7 and row[0].startswith("`")]
    counts = ([int(cell.replace(",", "")) for cell in row[3:5]] for row in rows)
    return {row[0].strip("`"): tuple(pair) for row, pair in zip(rows, counts, strict=True)}


def check_variants(name, model):
    """Other channels, another name, no classifier, sizes that are not known."""
    channels, rows, cols = find(name).published.input_shape
    for count in {1, 4} - {channels}:
        other = outline(name, input_shape=(count, rows, cols), name="mine")
        assert other.name == "mine"
        assert layer_names(other) == layer_names(model)
    maps = outline(name, include_top=False, input_shape=(channels, None, None))
    assert len(maps.outputs) == 1
    assert maps.output_shape[:3] == (None, None, None)
    assert not any(layer.startswith(("head", "aux")) for layer in layer_names(maps))
    for pooling, data_format in zip(("avg", "max"), FORMATS, strict=True):
        vector = outline(name, include_top=False, pooling=pooling, data_format=data_format)
        assert vector.output_shape == (None, maps.output_shape[-1])
    try:
        assert outline(name, input_shape=(channels, None, None)).output_shape == model.output_shape
    except ValueError as error:
        assert "input_shape: received None for rows or columns" in str(error)
        assert any("flatten" in layer for layer in layer_names(model))


def check_wrong_shapes(name):
    for shape in ((224, 224, 3), (3, 0, 32), (3, 1, 1), (3, 224)):
        with pytest.raises(ValueError, match="input_shape: received"):
            outline(name, input_shape=shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_plotted(name, tmp_path):
    model = outline(name)
    details = ("stage", "block", "layer") if len(model.layers) <= MANY_LAYERS else ("stage",)
    for detail in details:
        plot_model(model, tmp_path / "model.svg", detail=detail)
        assert (tmp_path / "model.svg").read_text().count("</svg>") == 1


def smallest_shape(name):
    """Return the smallest of some square images that a network takes."""
    channels = find(name).published.input_shape[0]
    for size in SIZES:
        shape = (channels, size, size)
        try:
            model = outline(name, input_shape=shape, num_outputs=OUTPUTS)
        except ValueError:
            continue
        return shape, model
    raise AssertionError(f"{name} takes no image of {SIZES}")


def first_of_each_builder():
    """Return the network that each builder lists first: a small one of its family."""
    builders = {}
    for name in list_models():
        builders.setdefault(find(name).builder, name)
    return list(builders.values())


def outputs_of(model, x):
    """Return all outputs of a model as they come: one, or the main one and auxiliary ones."""
    found = model(x)
    return found if isinstance(found, list) else [found]


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_both_formats_compute_the_same(name):
    shape, model = smallest_shape(name)
    found = cost(model)
    if found.params > 30_000_000 or found.macs > 300_000_000 or len(model.layers) > 400:
        pytest.skip("one of the largest: built and counted, but not run")
    keras.utils.set_random_seed(0)
    first, last = (
        create_model(name, shape, OUTPUTS, data_format=data_format, classifier_activation=None)
        for data_format in FORMATS
    )
    # Smaller residuals leave more to the shortcuts, which magnify no rounding; without shortcuts
    # they would let the signal die.
    has_shortcuts = any(isinstance(layer, keras.layers.Add) for layer in last.layers)
    lively(last, kernels=0.75 if has_shortcuts else 1)
    settled(last, images(shape, "channels_last", count=8))
    first.set_weights(last.get_weights())
    results = [
        outputs_of(model, images(shape, data_format))
        for data_format, model in zip(FORMATS, (first, last), strict=True)
    ]
    for one, other in zip(*results, strict=True):
        size = np.abs(other).max()
        difference = np.abs(np.subtract(one, other)).max() / size
        print(f"{name}: {difference:.1e}")
        assert difference < 1e-5
        assert np.ptp(other, axis=0).max() > 1e-3 * size  # the images differ, and that is seen


@pytest.mark.slow
@pytest.mark.parametrize("name", first_of_each_builder())
def test_saved_exactly(name, tmp_path):
    shape, _ = smallest_shape(name)
    for data_format in FORMATS:
        model = lively(create_model(name, shape, OUTPUTS, data_format=data_format))
        x = images(shape, data_format)
        model.save("model.keras")
        loaded = keras.models.load_model("model.keras")
        for one, other in zip(outputs_of(model, x), outputs_of(loaded, x), strict=True):
            assert np.abs(np.subtract(one, other)).max() == 0
        assert layer_names(loaded) == layer_names(model)
    model.save_weights("model.weights.h5")
    loaded.set_weights([np.zeros_like(weight) for weight in loaded.get_weights()])
    loaded.load_weights("model.weights.h5")
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", first_of_each_builder())
def test_training_steps_lower_the_loss(name, data_format):
    keras.utils.set_random_seed(0)
    shape, _ = smallest_shape(name)
    # Without weight decay and dropout, what a small step lowers is the loss of this batch.
    model = create_model(name, shape, OUTPUTS, data_format=data_format, l2_penalty=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    x, y = images(shape, data_format, count=8), np.arange(8) % OUTPUTS
    targets = [y] * len(model.outputs) if len(model.outputs) > 1 else y
    model.compile(
        keras.optimizers.SGD(1e-5), "sparse_categorical_crossentropy", run_eagerly=run_eagerly()
    )
    losses = [np.ravel(model.train_on_batch(x, targets))[0] for _ in range(3)]
    assert losses[0] > losses[1] > losses[2]


def run_eagerly():
    """Return whether steps run as they are written: a graph of hundreds of layers takes a minute
    to make. Keras' other backends have no such mode that trains faster."""
    return keras.backend.backend() == "tensorflow"


@pytest.mark.slow
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", ["resnet_18", "resnet_50", "lenet_5"])
def test_compile_fit_evaluate_predict(name, data_format):
    keras.utils.set_random_seed(0)
    shape = (1, 32, 32)
    model = create_model(name, shape, OUTPUTS, data_format=data_format)
    x, y = images(shape, data_format, count=8), np.arange(8) % OUTPUTS
    model.compile(
        keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(x, y, batch_size=8, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert np.isfinite(model.evaluate(x, y, verbose=0)).all()
    probabilities = model.predict(x, verbose=0)
    assert probabilities.shape == (8, OUTPUTS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_every_published_figure_is_of_a_registered_network():
    named = {*paper.CLASSIC_PARAMETERS, *paper.PUBLISHED, *paper.KERAS_APPLICATIONS}
    assert named <= set(list_models())
