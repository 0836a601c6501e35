"""What is trained is what the outputs and the labels ask for."""

import keras
import numpy as np
import pytest

from keras_convnets.images.labelled import from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches
from keras_convnets.training.recipe.compiling import compile_model
from keras_convnets.training.recipe.recipes import RECIPES
from keras_convnets.training.recipe.settings import Settings

COUNT, CLASSES = 32, 3
RECIPE = RECIPES["quick"].replace(batch_size=COUNT, epochs=1)
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.random((COUNT, 4, 4, 1), np.float32)
ONE = RANDOM.integers(0, CLASSES, COUNT)
YES = RANDOM.integers(0, 2, COUNT)
SEVERAL = RANDOM.integers(0, 2, (COUNT, CLASSES))
SPREAD = np.eye(CLASSES, dtype="float32")


def data_of(labels, augmentation="none"):
    images = from_array(PIXELS, labels, str)
    classes = 2 if labels is YES else CLASSES
    names = tuple(map(str, range(classes)))
    return Data("own", images, images, images, names, Preprocessing(1, 4, 4, 1.0), augmentation)


def classifier(units, activation, *layers):
    keras.utils.set_random_seed(3)
    wide = keras.initializers.RandomNormal(0, 2)
    head = keras.layers.Dense(units, activation=activation, kernel_initializer=wide)
    return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), head, *layers])


def trained(model, labels, recipe=RECIPE):
    """The loss and accuracy that a step of training shows, of the weights before it."""
    objective = compile_model(model, data_of(labels), recipe, Settings())
    return model.train_on_batch(PIXELS, objective.labels(labels))


def sparse(**options):
    return keras.losses.SparseCategoricalCrossentropy(**options)


def binary(**options):
    return keras.losses.BinaryCrossentropy(**options)


def likeliest(outputs, labels):
    return (outputs.argmax(axis=1) == labels).mean()


RESHAPED = (keras.layers.Softmax(), keras.layers.Reshape((CLASSES,)))
CASES = {
    "softmax": (CLASSES, "softmax", (), ONE, sparse(), ONE),
    "softmax, then reshaped": (CLASSES, None, RESHAPED, ONE, sparse(), ONE),
    "logits": (CLASSES, None, (), ONE, sparse(from_logits=True), ONE),
    "one sigmoid": (1, "sigmoid", (), YES, binary(), YES[:, None]),
    "one logit": (1, None, (), YES, binary(from_logits=True), YES[:, None]),
    "a sigmoid a class": (CLASSES, "sigmoid", (), ONE, binary(), SPREAD[ONE]),
    "several classes": (CLASSES, "sigmoid", (), SEVERAL, binary(), SEVERAL),
}


@pytest.mark.parametrize(
    ("units", "activation", "more", "labels", "loss", "for_keras"), CASES.values(), ids=CASES
)
def test_loss_and_accuracy_are_those_of_the_outputs(
    units, activation, more, labels, loss, for_keras
):
    model = classifier(units, activation, *more)
    outputs = keras.ops.convert_to_numpy(model(PIXELS))
    found, accuracy = trained(model, labels)
    assert found == pytest.approx(float(loss(for_keras, outputs)), abs=1e-5)
    if units == 1:
        expected = ((outputs[:, 0] > (0.5 if activation else 0)) == labels).mean()
    elif labels is SEVERAL:
        expected = ((outputs > 0.5) == labels).mean()
    else:
        expected = likeliest(outputs, labels)
    assert accuracy == pytest.approx(expected)
    assert 0 < expected < 1


@pytest.mark.parametrize(
    ("units", "activation", "labels", "loss", "for_keras"),
    [
        (CLASSES, None, ONE, keras.losses.CategoricalCrossentropy, SPREAD[ONE]),
        (1, None, YES, keras.losses.BinaryCrossentropy, YES[:, None]),
        (CLASSES, "sigmoid", SEVERAL, keras.losses.BinaryCrossentropy, SEVERAL),
    ],
)
def test_labels_are_smoothed_as_keras_does_it(units, activation, labels, loss, for_keras):
    model = classifier(units, activation)
    expected = loss(from_logits=activation is None, label_smoothing=0.2)(for_keras, model(PIXELS))
    found, _ = trained(model, labels, RECIPE.replace(label_smoothing=0.2))
    assert found == pytest.approx(float(expected), abs=1e-5)


def test_one_output_smooths_as_two_do():
    """The share that is spread goes to both classes: as for two outputs of a softmax."""
    logit = classifier(1, None)
    zero = keras.layers.Lambda(lambda x: keras.ops.pad(x, ((0, 0), (1, 0))))
    pair = keras.Sequential([logit, zero])
    two = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    expected = float(two(np.eye(2)[YES], pair(PIXELS)))
    found, _ = trained(logit, YES, RECIPE.replace(label_smoothing=0.2))
    assert found == pytest.approx(expected, abs=1e-5)


def test_what_cannot_be_told_is_not_trained():
    model = classifier(CLASSES, "hard_sigmoid")
    with pytest.raises(ValueError, match="layer '.*' .Dense. has the activation hard_sigmoid"):
        trained(model, ONE)
    with pytest.raises(ValueError, match="received several labels an image"):
        trained(classifier(CLASSES, "softmax"), SEVERAL)


@pytest.mark.parametrize("more", [(), (keras.layers.Reshape((1,)),)])
def test_a_softmax_over_one_output_is_not_trained(more):
    with pytest.raises(
        ValueError, match="softmax over one output, which is 1 for every image; exp"
    ):
        trained(classifier(1, "softmax", *more), YES)


@pytest.mark.parametrize(
    ("units", "activation", "labels", "loss", "smoothing"),
    [
        (CLASSES, "softmax", ONE, keras.losses.CategoricalCrossentropy, 0),
        (CLASSES, None, ONE, keras.losses.CategoricalCrossentropy, 0.2),
        (1, "sigmoid", YES, keras.losses.BinaryCrossentropy, 0),
        (1, None, YES, keras.losses.BinaryCrossentropy, 0.2),
        (CLASSES, "sigmoid", ONE, keras.losses.BinaryCrossentropy, 0.2),
        (CLASSES, "sigmoid", SEVERAL, keras.losses.BinaryCrossentropy, 0),
    ],
)
def test_mixed_labels_are_shares_in_the_loss_and_whole_in_the_accuracy(
    units, activation, labels, loss, smoothing
):
    model, data = classifier(units, activation), data_of(labels, "mixup:1")
    recipe = RECIPE.replace(label_smoothing=smoothing)
    objective = compile_model(model, data, recipe, Settings())
    [(images, mixed)] = training_batches(data, COUNT, seed=0, epoch=0)
    shares = mixed.numpy()
    assert shares.shape == (COUNT, len(data.class_names))
    if units == 1:
        shares = shares[:, 1:]
    outputs = keras.ops.convert_to_numpy(model(images))
    expected = loss(from_logits=activation is None, label_smoothing=smoothing)(shares, outputs)
    found, accuracy = model.train_on_batch(images, objective.labels(mixed))
    assert found == pytest.approx(float(expected), abs=1e-5)
    if units == 1 or labels is SEVERAL:
        likely = 0 if activation is None else 0.5
        right = (outputs > likely) == (shares > 0.5)
    else:
        right = outputs.argmax(axis=1) == shares.argmax(axis=1)
    assert accuracy == pytest.approx(right.mean())
    whole = objective.labels(labels)  # those of validation
    assert set(np.unique(whole)) == {0, 1}
    assert whole.shape == shares.shape


def test_the_accuracy_of_mixed_labels_is_saved_with_a_model(tmp_path):
    model = classifier(1, "sigmoid")
    compile_model(model, data_of(YES, "mixup"), RECIPE, Settings())
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").count_params() == model.count_params()
