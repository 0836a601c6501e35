import keras
import pytest

from keras_convnets.options import resolve


def test_defaults():
    assert resolve({}) == {
        "data_format": None,
        "include_top": True,
        "pooling": None,
        "classifier_activation": "softmax",
        "l2_penalty": None,
        "name": None,
        "weights": None,
        "memory_efficient": False,
    }


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("data_format", "channel_first", "Did you mean 'channels_first'"),
        ("data_format", "NCHW", "expected one of 'channels_first', 'channels_last', None"),
        ("include_top", "yes", "expected one of True, False"),
        ("pooling", "mean", "expected one of 'avg', 'max', None"),
        ("pooling", "avg", "pass include_top=False"),
        ("classifier_activation", "softmaxx", "Did you mean 'softmax'"),
        ("classifier_activation", 3, "'sigmoid'"),
        ("l2_penalty", -1e-4, "at least 0"),
        ("l2_penalty", "1e-4", "at least 0"),
        ("name", "", "non-empty string"),
        ("memory_efficient", "yes", "expected one of True, False"),
        ("weights", 3, "the path of a file"),
        ("weights", "", "the path of a file"),
        ("weights", True, "the path of a file"),
    ],
)
def test_a_value_that_an_option_cannot_have(option, value, words):
    with pytest.raises(ValueError, match=f"^{option}: received") as caught:
        resolve({option: value})
    assert words in str(caught.value)


def test_an_option_that_nobody_takes():
    with pytest.raises(TypeError, match="'l2_penalyt'.* Did you mean 'l2_penalty'"):
        resolve({"l2_penalyt": 0})


def test_weight_decay_belongs_to_a_recipe():
    with pytest.raises(TypeError, match=r"^unknown option 'weight_decay'; the options are ") as e:
        resolve({"weight_decay": 1e-4})
    for word in ("Pass l2_penalty", "twice", "recipe"):
        assert word in str(e.value)


def test_every_activation_that_keras_knows_is_known():
    for name in ("softmax", "sigmoid", "linear", "relu", "tanh", "log_softmax", "hard_sigmoid"):
        resolve({"classifier_activation": name})
    resolve({"classifier_activation": keras.activations.softplus})
    resolve({"classifier_activation": None})
    for name in ("get", "serialize", "deserialize", "no_such"):
        with pytest.raises(ValueError, match="classifier_activation"):
            resolve({"classifier_activation": name})
