"""Models of several outputs: each is evaluated as if it were the only one, in one pass."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_convnets import cli
from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.numbers import numbers
from keras_convnets.known import Known, remember
from keras_convnets.training.report.report import write_report

CLASSES = 3
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 8, 8, 1), np.uint8)
LABELS = RNG.integers(0, CLASSES, 20)
PREPROCESSING = Preprocessing(1, 8, 8)
IMAGES = from_array(PIXELS, LABELS, str)


def network(*heads, wrap=list):
    """Return a model with an output for each pair of units and activation."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    outputs = [
        keras.layers.Dense(units, activation, name=f"head{number}")(x)
        for number, (units, activation) in enumerate(heads)
    ]
    return keras.Model(inputs, wrap(outputs), name="net")


def alone(model, number, labels=LABELS):
    one = keras.Model(model.inputs[0], model.outputs[number])
    return evaluate(one, from_array(PIXELS, labels, str), PREPROCESSING)


def check_same(found, expected):
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    assert found.loss == pytest.approx(expected.loss, abs=1e-5)
    assert found.are_independent == expected.are_independent
    assert (found.logits is None) == (expected.logits is None)


def test_each_output_is_evaluated_as_if_it_were_alone():
    model = network((CLASSES, "softmax"), (CLASSES, None), (CLASSES, "sigmoid"))
    found = evaluate(model, IMAGES, PREPROCESSING, batch_size=8)
    assert list(found.others) == ["head1", "head2"]
    for number, one in enumerate((found, *found.others.values())):
        check_same(one, alone(model, number))
    batches = tf.data.Dataset.from_tensor_slices((PIXELS / np.float32(255), LABELS)).batch(8)
    own = evaluate(model, batches)
    for one, other in zip(
        (own, *own.others.values()), (found, *found.others.values()), strict=True
    ):
        check_same(one, other)


def test_one_sigmoid_beside_two_outputs_of_a_softmax():
    yes = LABELS % 2
    model = network((1, "sigmoid"), (2, "softmax"))
    found = evaluate(model, from_array(PIXELS, yes, str), PREPROCESSING)
    check_same(found, alone(model, 0, yes))
    check_same(found.others["head1"], alone(model, 1, yes))


def test_the_table_the_numbers_and_the_report_have_all_of_them():
    model = network((CLASSES, "softmax"), (CLASSES, "softmax"))
    found = evaluate(model, IMAGES, PREPROCESSING)
    names = ("cat", "dog", "owl")
    notes = by_class(found, names, "net on pets").notes
    assert any(note.startswith("output head1: loss") for note in notes)
    said = numbers(found, names, "net", "pets", "test")
    assert said["other_outputs"]["head1"]["accuracy"] == found.others["head1"].accuracy
    write_report(".", model, names, found, {"loss": [1.0]})
    outputs = Path("report.html").read_text().split('id="outputs"')[1].split("</section>")[0]
    assert "<td>head1</td>" in outputs
    assert f">{found.others['head1'].loss:.4f}</td>" in outputs


def test_the_command_evaluates_a_saved_model_of_several_outputs(capfd):
    model = network((10, "softmax"), (10, "softmax"))
    remember(model, Known(preprocessing=Preprocessing(1, 8, 8, scale=16).to_config()))
    model.save("net.keras")
    assert cli.main(["evaluate", "net.keras", "--data", "digits", "--format", "json"]) == 0
    assert list(json.loads(capfd.readouterr().out)["other_outputs"]) == ["head1"]
    Path("0.png").touch()
    assert cli.main(["predict", "net.keras", "0.png"]) == 2
    assert "net has 2 outputs; expected one" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            network((3, "softmax"), (4, "softmax")),
            "has outputs for 3, 4 classes; expected the same",
        ),
        (network((3, "softmax"), (3, "relu")), "cannot tell what the outputs of net are"),
        (
            network(
                (3, "softmax"), (3, "softmax"), wrap=lambda both: dict(zip("ab", both, strict=True))
            ),
            "has its outputs in a dict; expected a list, the main output first",
        ),
    ],
    ids=["classes", "relu", "dictionary"],
)
def test_outputs_that_do_not_go_together(model, words):
    with pytest.raises(ValueError, match=words) as caught:
        evaluate(model, IMAGES, PREPROCESSING)
    assert "\n" not in str(caught.value)
