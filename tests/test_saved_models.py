import keras
import pytest

from keras_convnets.saved_models import UnknownLayersError, load_model, read_model


def small():
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]
    return keras.Sequential(layers, name="small")


def test_a_file_that_is_not_there():
    with pytest.raises(ValueError, match=r"received 'none\.keras'; there is no such file"):
        load_model("none.keras")


def test_a_file_that_holds_no_model():
    with open("broken.keras", "w", encoding="utf-8") as file:
        file.write("no model")
    with pytest.raises(ValueError, match=r"cannot read 'broken\.keras' \(.*\)\. Expected a model"):
        load_model("broken.keras")


@pytest.mark.parametrize("module", [__name__, "__main__"])
def test_layers_that_keras_does_not_know_are_named(module):
    class Gate(keras.layers.Layer):
        __module__ = module

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((4,)), Gate(), keras.layers.Dense(2)])
    model.save("gated.keras")
    words = rf"'gated\.keras' has layers .*: Gate of {module}\. Import .* --load FILE;"
    with pytest.raises(UnknownLayersError, match=words):
        read_model("gated.keras")
    with pytest.raises(UnknownLayersError, match=words):
        load_model("gated.keras")


def test_a_model_is_opened():
    small().save("small.keras")
    assert load_model("small.keras").name == "small"
