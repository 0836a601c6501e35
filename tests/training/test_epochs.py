"""One epoch after another in a single fit."""

import itertools

import keras
import numpy as np
import pytest

from keras_convnets.training import Data, steps_per_epoch, training_batches, training_epochs

IMAGES = np.random.default_rng(0).integers(0, 256, (22, 8, 8, 3), np.uint8)
LABELS = np.arange(22) % 2


def own(augmentation, image_size=8):
    return Data.from_arrays(IMAGES, LABELS, augmentation=augmentation, image_size=image_size)


def arrays(batches, count=None):
    return [[x.numpy() for x in batch] for batch in itertools.islice(batches, count)]


# Gathered, cropped one by one, and with labels that are shares.
@pytest.mark.parametrize("augmentation", ["crop-flip", "resized-crop", "erasing:1+mixup:0.2"])
def test_they_are_the_epochs_in_turn_from_any_step(augmentation):
    data = own(augmentation)
    assert steps_per_epoch(data, 4) == 4
    expected = [
        batch
        for epoch in range(3)
        for batch in arrays(training_batches(data, 4, seed=5, epoch=epoch))
    ]
    found = training_epochs(data, 4, seed=5)
    for _ in range(2):  # each pass over them is the same
        np.testing.assert_equal(arrays(found, 12), expected)
    later = training_epochs(data, 4, seed=5, first_epoch=1, first_step=3)
    np.testing.assert_equal(arrays(later, 5), expected[7:])
    assert not np.array_equal(expected[0][0], expected[4][0])


def test_a_fit_sees_another_epoch_each_time():
    data = own("none")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    batches = training_epochs(data, 16, seed=0).map(lambda x, y: (x, y))
    first = arrays(training_batches(data, 16, seed=0, epoch=0))
    again = arrays(training_batches(data, 16, seed=0, epoch=1))
    assert not np.array_equal(first[0][0], again[0][0])
    weights = []
    for epochs in (1, 2):
        keras.utils.set_random_seed(0)
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.fit(batches, epochs=epochs, steps_per_epoch=1, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    model.set_weights(weights[0])
    model.fit(*map(np.asarray, again[0]), batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"first_step": 4}, {"first_epoch": -1}, {"batch_size": 30}])
def test_a_place_that_does_not_exist_is_refused(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: received"):
        training_epochs(own("none"), **{"batch_size": 4, "seed": 0} | wrong)
