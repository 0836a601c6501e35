import threading

import keras
import pytest

from helpers import FORMATS
from keras_convnets import axes


@pytest.mark.parametrize("data_format", FORMATS, indirect=True)
def test_building_follows_keras_and_leaves_it_alone(data_format):
    with axes.building(None):
        assert axes.current_format() == data_format
    other = next(fmt for fmt in FORMATS if fmt != data_format)
    with axes.building(other):
        assert keras.config.image_data_format() == other
    assert keras.config.image_data_format() == data_format


def test_the_format_is_put_back_after_an_error():
    def fail():
        with axes.building("channels_first"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert keras.config.image_data_format() == "channels_last"


def test_two_threads_do_not_build_in_each_others_format():
    seen = []

    def build():
        with axes.building("channels_last"):
            seen.append(axes.current_format())

    with axes.building("channels_first"):
        thread = threading.Thread(target=build)
        thread.start()
        thread.join(timeout=0.2)
        assert seen == []
        assert axes.current_format() == "channels_first"
    thread.join()
    assert seen == ["channels_last"]


@pytest.mark.parametrize(
    ("data_format", "shape", "axis"),
    [("channels_first", (3, 20, 30), 1), ("channels_last", (20, 30, 3), -1)],
    indirect=["data_format"],
)
def test_shapes(data_format, shape, axis):
    assert axes.keras_shape((3, 20, 30)) == shape
    assert axes.channel_axis() == axis
    x = keras.Input(shape)
    assert axes.channels(x) == 3
    assert axes.rows_and_cols(x) == (20, 30)
    assert axes.in_papers_order(x.shape, data_format) == (3, 20, 30)


def test_format_of_a_model_is_asked_of_its_layers():
    inputs = keras.Input((3, 8, 8))
    outputs = keras.layers.GlobalAveragePooling2D(data_format="channels_first")(inputs)
    assert axes.format_of(keras.Model(inputs, outputs)) == "channels_first"
