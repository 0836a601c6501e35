import keras
import pytest

from helpers import application
from keras_convnets import ResnetBuilder
from keras_convnets.graph.walk import walk

L = keras.layers


def backbone():
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, L.Conv2D(4, 3, strides=2, name="conv")(inputs), name="backbone")


def names(calls):
    return [call.name for call in calls]


def test_calls_are_in_the_order_of_computation():
    calls = walk(ResnetBuilder.build_resnet_18((3, 64, 48), 10))
    seen = set()
    for call in calls:
        assert seen.issuperset(call.parents)
        seen.add(call)
    assert calls[0].is_input
    assert calls[0].shape == (3, 64, 48)
    assert calls[-1].shape == (10,)


def test_models_within_are_walked_with_the_shapes_they_get():
    inputs = keras.Input((33, 17, 3), name="image")
    model = keras.Sequential([inputs, L.Rescaling(1 / 255), backbone(), L.Flatten()])
    calls = walk(model)
    assert names(calls)[2] == "backbone/conv"
    assert calls[2].outputs[0].shape == (16, 8, 4)
    assert calls[3].inputs[0].source is calls[2]
    assert names(walk(model, expand_nested=False))[2] == "backbone"


def test_a_model_within_that_is_used_twice():
    twin = backbone()
    one, other = keras.Input((9, 9, 3)), keras.Input((9, 9, 3))
    calls = walk(keras.Model([one, other], L.Subtract()([twin(one), twin(other)])))
    assert names(calls)[2:4] == ["backbone/conv", "backbone/conv"]
    assert [call.parents for call in calls[2:4]] == [(calls[0],), (calls[1],)]


def test_operations_on_tensors_are_calls_too():
    inputs = keras.Input((4, 4, 2))
    calls = walk(keras.Model(inputs, keras.ops.relu(inputs + 1)))
    assert [call.kind for call in calls] == ["InputLayer", "Add", "Relu"]


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_another_input_shape(data_format):
    model = ResnetBuilder.build_resnet_18((3, 64, 64), 10, data_format=data_format)
    shapes = {call.name: call.shape for call in walk(model, (3, 100, 200))}
    assert shapes["conv1_conv"] == (64, 50, 100)
    assert shapes["conv5_block2_add"] == (512, 4, 7)
    built = {call.name: call.shape for call in walk(model)}
    assert built["conv5_block2_add"] == (512, 2, 2)


def test_several_inputs_take_a_list_of_shapes():
    one, other = keras.Input((None, None, 3)), keras.Input((None, 5))
    model = keras.Model([one, other], [L.Conv2D(1, 1)(one), L.Dense(2)(other)])
    calls = walk(model, [(3, 8, 9), (5, 7)])
    assert [call.shape for call in calls] == [(3, 8, 9), (5, 7), (1, 8, 9), (2, 7)]
    with pytest.raises(ValueError, match="expected a list with a shape for each of the 2 inputs"):
        walk(model, (3, 8, 9))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 224, 224), r"received \(1, 224, 224\); expected 3 channels"),
        ((3, 320, 320), r"layer 'fc1' cannot take \(51200,\) \(axis -1 must be 25088\)"),
        ((3, 8, 8), "layer 'block4_pool' cannot take"),
        ((224, 224, 3), "reads as"),
        ((3, 224), "expected 3 sizes, channels first, for an input of"),
        ("3,224,224", "expected 3 sizes"),
    ],
)
def test_shapes_that_the_model_cannot_take(shape, words):
    with pytest.raises(ValueError, match=f"^input_shape: .*{words}"):
        walk(application("VGG16"), shape)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (None, "expected a functional Keras model"),
        ("resnet_18", "expected a functional Keras model"),
        (keras.Sequential([L.Dense(2)]), "expected a model that is built"),
        (L.Dense(2), "expected a functional Keras model"),
    ],
)
def test_what_is_no_functional_model(model, words):
    with pytest.raises(ValueError, match=f"^model: received .*{words}"):
        walk(model)
