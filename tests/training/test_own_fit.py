"""A model that plain ``model.fit`` has trained: its evaluation, its curves and its report."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training import Data, evaluate, plot_curves, write_report
from keras_convnets.training.report import curves

NAMES = ("cat", "dog", "owl")
COUNT = 40


def arrays(count=COUNT):
    rng = np.random.default_rng(0)
    labels = np.arange(count) % len(NAMES)
    return rng.random((count, 6, 6, 1), np.float32) + labels[:, None, None, None], labels


def batches(labels=None, size=16):
    images, own = arrays()
    pairs = (images, own if labels is None else labels)
    return tf.data.Dataset.from_tensor_slices(pairs).batch(size)


def network(classes=3, activation="softmax", size=6):
    inputs = keras.Input((size, size, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    outputs = keras.layers.Dense(classes, activation=activation)(x)
    return keras.Model(inputs, outputs, name="mine")


@pytest.fixture(scope="module")
def fitted():
    """Return a model and what its fit returned."""
    keras.utils.set_random_seed(0)
    model = network()
    metric = keras.metrics.SparseCategoricalAccuracy()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[metric])
    options = {"epochs": 2, "shuffle": False, "verbose": 0}
    return model, model.fit(batches(), validation_data=batches(), **options)


def test_a_data_set_of_one_s_own_is_evaluated_as_keras_does(fitted):
    model, _ = fitted
    found = evaluate(model, batches())
    loss, accuracy = model.evaluate(batches(), verbose=0)
    assert found.loss == pytest.approx(loss, abs=1e-5)
    assert found.accuracy == pytest.approx(accuracy)
    assert found.labels.tolist() == arrays()[1].tolist()


def test_a_shuffled_data_set_is_read_once(fitted):
    model, _ = fitted
    shuffled = batches().unbatch().shuffle(COUNT, reshuffle_each_iteration=True).batch(7)
    assert evaluate(model, shuffled).loss == pytest.approx(evaluate(model, batches()).loss)


def test_labels_of_every_kind(fitted):
    model, _ = fitted
    labels = arrays()[1]
    expected = evaluate(model, batches())
    for same in (labels[:, None], labels.astype("float32"), np.eye(3)[labels]):
        found = evaluate(model, batches(same))
        assert found.labels.tolist() == labels.tolist()
        assert found.loss == expected.loss
    hot = np.eye(3, dtype=int)[labels]
    hot[0] = 1
    assert evaluate(network(activation="sigmoid"), batches(hot)).labels.tolist() == hot.tolist()
    none = batches().take(1).map(lambda x, y: (x[:0], y[:0]))
    assert evaluate(model, none.concatenate(batches())).loss == expected.loss
    yes = evaluate(network(1, "sigmoid"), batches((labels > 0).astype(int)[:, None]))
    assert yes.probabilities.shape == (COUNT, 2)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (batches().unbatch(), r"received \(6, 6, 1\); expected batches of \(None, 6, 6, 1\)"),
        (batches().map(lambda x, y: (x[:, 1:], y)), r"received \(None, 5, 6, 1\)|received \(16, 5"),
        (batches().map(lambda x, y: x), "expected batches of .images, labels."),
        (batches().map(lambda x, y: (x, y, y)), "lambda images, labels, weights"),
        (batches().repeat(), "never ends"),
        (batches().take(0), "without batches"),
        (batches(np.full(COUNT, 7)), "received 8 classes, but mine has 3 outputs"),
        (batches(np.full(COUNT, 2**32 + 1)), "received labels of type int64"),
        (batches(np.eye(5)[arrays()[1]]), "received labels of 5 classes, but mine is for 3"),
        (batches().map(lambda x, y: (x, y[1:])), r"labels of shape \(15,\) for 16 images"),
        (batches(np.full(COUNT, 0.9)), "received labels of type float64"),
        (batches(np.full((COUNT, 3), 0.3)), "without label smoothing"),
        (batches(np.full(COUNT, "cat")), "expected integers from 0"),
        (arrays(), "images: received a value of type tuple; expected one of type Images"),
    ],
)
def test_what_is_no_data_set_for_the_model(fitted, images, says):
    with pytest.raises(ValueError, match=says) as error:
        evaluate(fitted[0], images)
    assert "\n" not in str(error.value)


def test_preprocessing_goes_with_images_alone(fitted):
    with pytest.raises(ValueError, match="^preprocessing: received one beside a tf.data.Dataset"):
        evaluate(fitted[0], batches(), Preprocessing(1, 6, 6))
    data = Data.from_arrays(*arrays(), *arrays())
    with pytest.raises(ValueError, match="^preprocessing: received a value of type NoneType"):
        evaluate(fitted[0], data.test)


def test_the_curves_of_a_fit(fitted):
    plot_curves(fitted[1], "curves.png")
    assert Path("curves.png").stat().st_size > 1000
    columns = curves.columns(fitted[1])
    assert set(columns) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert columns["val_accuracy"] == fitted[1].history["val_sparse_categorical_accuracy"]
    for wrong in ([1.0], {"loss": 1.0}, {"loss": "low"}, None):
        with pytest.raises(ValueError, match="^history: received .*; expected what model.fit"):
            plot_curves(wrong, "curves.png")


def test_the_report_of_a_fit(fitted):
    model, history = fitted
    found = evaluate(model, batches())
    write_report("reports/mine", model, NAMES, found, history)
    page = Path("reports/mine/report.html").read_text()
    assert "<title>mine</title>" in page
    assert "40 test images of 1 × 6 × 6, 3 classes" in page
    assert f"{found.accuracy:.2%}" in page
    assert "owl" in page
    assert f">image {found.most_wrong(1)[0].index}<" in page
    assert "<img" not in page
    assert 'id="configuration"' not in page
    assert "#configuration" not in page
    write_report("reports", model, NAMES, found, history, {"optimizer": {"name": "adam"}})
    assert "adam" in Path("reports/report.html").read_text()


def test_a_report_with_pictures(fitted):
    model, history = fitted
    as_they_are = Preprocessing(1, 6, 6, scale=1)
    data = Data.from_arrays(*arrays(), *arrays(), class_names=NAMES, preprocessing=as_they_are)
    found = evaluate(model, batches())
    write_report(".", model, data, found, history)
    assert "<img" in Path("report.html").read_text()
    shuffled = evaluate(model, batches().unbatch().shuffle(COUNT, seed=1).batch(8))
    with pytest.raises(ValueError, match=r"in another order; expected data.test.labels") as error:
        write_report(".", model, data, shuffled, history)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"data": "cat"}, "^data: received 'cat'; expected Data, or the names of the classes"),
        ({"data": None}, "^data: received None"),
        ({"data": ("cat", "dog")}, "^data: received 2 names of classes for an evaluation of 3"),
        ({"evaluation": {"loss": 1}}, "^evaluation: received a value of type dict"),
        ({"history": None}, "^history: received None; expected what model.fit returns"),
        ({"config": "adam"}, "^config: received 'adam'; expected a dictionary"),
        ({"model": network(size=None)}, "^data: received names of classes, but mine takes images"),
        ({"folder": "file/below"}, "^folder: received 'file/below', which cannot be made"),
    ],
)
def test_what_is_no_report(fitted, wrong, says):
    Path("file").touch()
    model, history = fitted
    given = {"data": NAMES, "evaluation": evaluate(model, batches()), "history": history}
    with pytest.raises(ValueError, match=says):
        write_report(**{"folder": ".", "model": model} | given | wrong)
    assert not Path("report.html").exists()
