"""What the first layers of a model tell of its images, and what has to be said."""

import keras
import numpy as np
import pytest

from keras_convnets import classify
from keras_convnets.images.input_layers import own_scaling
from keras_convnets.images.named import named
from keras_convnets.images.pixel_range import range_of
from keras_convnets.inference.prepared import preprocessing_for
from keras_convnets.known import Known, remember

BYTES, FRACTIONS, DIGITS = (0, 255), (0, 1), (0, 16)


def after(*front, shape=(8, 8, 3)):
    layers = [keras.Input(shape), *front, keras.layers.Conv2D(4, 3), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])


def computed(function):
    x = inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, after()(function(x)))


def normalising(mean, std):
    return keras.layers.Normalization(mean=mean, variance=np.square(std))


def nested():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Rescaling(1 / 255)])
    return after(keras.layers.RandomFlip(), inner)


IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
MODELS = {
    "bytes to 0-1": (lambda: after(keras.layers.Rescaling(1 / 255)), BYTES),
    "bytes to -1-1": (lambda: after(keras.layers.Rescaling(1 / 127.5, offset=-1)), BYTES),
    "to bytes": (lambda: after(keras.layers.Rescaling(255.0)), FRACTIONS),
    "0-1 to -1-1": (lambda: after(keras.layers.Rescaling(2.0, offset=-1)), FRACTIONS),
    "digits": (lambda: after(keras.layers.Rescaling(1 / 16)), DIGITS),
    "normalised": (lambda: after(normalising(*IMAGENET)), FRACTIONS),
    "bytes normalised": (lambda: after(normalising([124, 116, 104], [58, 57, 57])), BYTES),
    "both": (lambda: after(keras.layers.Rescaling(1 / 255), normalising(*IMAGENET)), BYTES),
    "nested": (nested, BYTES),
    "any size": (lambda: after(keras.layers.Rescaling(1 / 255), shape=(8, 8, 3)), BYTES),
    "tf": (lambda: computed(keras.applications.resnet_v2.preprocess_input), BYTES),
    "torch": (lambda: computed(keras.applications.densenet.preprocess_input), BYTES),
    "caffe": (lambda: computed(keras.applications.resnet.preprocess_input), BYTES),
    "twice": (lambda: computed(lambda x: keras.layers.Rescaling(1 / 255)(x * 255.0)), None),
    "negative": (lambda: computed(lambda x: 255.0 - x), None),
    "logarithm": (lambda: computed(lambda x: keras.ops.log(1.0 + x)), None),
}


@pytest.mark.parametrize("kind", MODELS)
def test_the_range_that_first_layers_are_for_is_told(kind):
    build, expected = MODELS[kind]
    found = own_scaling(build())
    if kind == "twice":  # altogether, it changes nothing
        assert found.pixels is None
    else:
        assert found.pixels == expected


@pytest.mark.parametrize(
    "front",
    [
        (),
        (keras.layers.BatchNormalization(),),
        (keras.layers.Rescaling(1.0),),
        (keras.layers.Reshape((8, 8, 3)),),
    ],
)
def test_first_layers_that_tell_nothing(front):
    model = after(*front)
    assert own_scaling(model) is None
    with pytest.raises(ValueError, match=r"^preprocessing: received none.*--preprocessing"):
        preprocessing_for(model)
    assert preprocessing_for(model, "imagenet") == named("imagenet", (3, 8, 8))


def test_a_model_that_scales_images_is_given_its_pixels():
    model = after(keras.layers.Rescaling(1 / 255))
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    expected = model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(classify(model, pixels).probabilities, expected, atol=1e-5)
    found = classify(model, pixels, "none").probabilities
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for wrong in ("imagenet", "0-1", "caffe"):
        with pytest.raises(ValueError, match="but .* scales images itself"):
            classify(model, pixels, wrong)
    fractions = preprocessing_for(after(keras.layers.Rescaling(255.0)))
    np.testing.assert_allclose(fractions(pixels), pixels / 255, atol=1e-6)
    digits = preprocessing_for(after(keras.layers.Rescaling(1 / 16)))
    assert (digits.scale, range_of(digits)) == (1, DIGITS)


def test_what_a_model_knows_cannot_be_contradicted():
    model = after()
    known = named("imagenet", (3, 8, 8))
    remember(model, Known(preprocessing=known.to_config()))
    assert preprocessing_for(model) == preprocessing_for(model, "imagenet") == known
    with pytest.raises(ValueError, match=r"^preprocessing: .* knows how its images are prepared"):
        preprocessing_for(model, "0-1")


def test_the_usual_ways():
    image = np.full((8, 8, 3), 51, np.uint8) * np.array([0, 1, 5], np.uint8)
    values = {
        "none": [0, 51, 255],
        "0-1": [0, 0.2, 1],
        "-1-1": [-1, -0.6, 1],
        "imagenet": [-0.485 / 0.229, (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225],
        "caffe": [255 - 103.939, 51 - 116.779, -123.68],
    }
    for name, expected in values.items():
        found = named(name, (3, 8, 8))(image)[4, 4]
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert range_of(named(name, (3, 8, 8))) == BYTES
    with pytest.raises(ValueError, match="^preprocessing: received 'vgg'; expected 'none'"):
        named("vgg", (3, 8, 8))
