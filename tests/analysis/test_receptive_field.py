import json

import keras
import pytest
from keras import layers

from helpers import FORMATS
from keras_convnets.analysis.receptive_field.receptive_field import receptive_field
from keras_convnets.keras_private import without_values
from keras_convnets.layers import LocalResponseNormalization, PadChannels, TakeChannels

LAST = "channels_last"
NOTHING = (None, None)


def chain(shape, *steps):
    """Return a model of layers in a row."""
    x = image = keras.Input(shape)
    for step in steps:
        x = step(x)
    return keras.Model(image, x)


def last(model):
    return list(receptive_field(model).values())[-1]


def image_of(rows, cols, data_format, channels=2):
    return (channels, rows, cols) if data_format == "channels_first" else (rows, cols, channels)


# Rules, derived by hand: size, stride, padding, and what some units see of rows 0-7, columns 0-8.


def rule(name, make, size, stride, padding, **seen):
    return pytest.param(make, size, stride, padding, seen["at"], id=name)


RULES = [
    rule(
        "conv", lambda f: layers.Conv2D(2, 3, padding="same", data_format=f),
        (3, 3), (1, 1), (1, 1), at={(0, 0): ((0, 1), (0, 1)), (4, 8): ((3, 5), (7, 8))},
    ),
    rule(
        "flat kernel", lambda f: layers.Conv2D(2, (1, 7), data_format=f),
        (1, 7), (1, 1), (0, 0), at={(2, 1): ((2, 2), (1, 7))},
    ),
    rule(
        "dilated", lambda f: layers.Conv2D(2, 3, dilation_rate=2, padding="same", data_format=f),
        (5, 5), (1, 1), (2, 2), at={(0, 0): ((0, 2), (0, 2))},
    ),
    rule(  # 8 rows: pads 0 before and 1 after; 9 columns: pads 1 and 1
        "strided", lambda f: layers.Conv2D(2, 3, strides=2, padding="same", data_format=f),
        (3, 3), (2, 2), (0, 1), at={(0, 0): ((0, 2), (0, 1)), (3, 4): ((6, 7), (7, 8))},
    ),
    rule(
        "depthwise", lambda f: layers.DepthwiseConv2D((3, 5), padding="same", data_format=f),
        (3, 5), (1, 1), (1, 2), at={(0, 0): ((0, 1), (0, 2))},
    ),
    rule(
        "separable", lambda f: layers.SeparableConv2D(2, (2, 3), data_format=f),
        (2, 3), (1, 1), (0, 0), at={(1, 1): ((1, 2), (1, 3))},
    ),
    rule(
        "max pool", lambda f: layers.MaxPooling2D(3, strides=2, padding="same", data_format=f),
        (3, 3), (2, 2), (0, 1), at={(1, 1): ((2, 4), (1, 3))},
    ),
    rule(
        "average pool", lambda f: layers.AveragePooling2D((2, 3), data_format=f),
        (2, 3), (2, 3), (0, 0), at={(1, 1): ((2, 3), (3, 5))},
    ),
    rule(
        "zero padding", lambda f: layers.ZeroPadding2D(((1, 2), (3, 0)), data_format=f),
        (1, 1), (1, 1), (1, 3), at={(0, 5): NOTHING, (1, 3): ((0, 0), (0, 0))},
    ),
    rule(
        "cropping", lambda f: layers.Cropping2D(((1, 2), (3, 0)), data_format=f),
        (1, 1), (1, 1), (-1, -3), at={(0, 0): ((1, 1), (3, 3))},
    ),
    rule(
        "nearest", lambda f: layers.UpSampling2D((2, 4), data_format=f),
        (1, 1), (0.5, 0.25), (0, 0), at={(3, 5): ((1, 1), (1, 1))},
    ),
    rule(  # position 0 is at -1/4, position 1 at 1/4
        "bilinear", lambda f: layers.UpSampling2D(2, interpolation="bilinear", data_format=f),
        (2, 2), (0.5, 0.5), (1, 1), at={(0, 1): ((0, 0), (0, 1)), (15, 2): ((7, 7), (0, 1))},
    ),
    rule(  # position 2 of the output has the last weight of pixel 0 and the first of pixel 1
        "transposed", lambda f: layers.Conv2DTranspose(2, 3, strides=2, data_format=f),
        (2, 2), (0.5, 0.5), (1, 1), at={(0, 1): ((0, 0), (0, 0)), (2, 3): ((0, 1), (1, 1))},
    ),
    rule(
        "transposed, same",
        lambda f: layers.Conv2DTranspose(2, 4, strides=2, padding="same", data_format=f),
        (2, 2), (0.5, 0.5), (1, 1), at={(0, 1): ((0, 0), (0, 1)), (2, 3): ((0, 1), (1, 2))},
    ),
    rule(
        "transposed with gaps", lambda f: layers.Conv2DTranspose(2, 1, strides=2, data_format=f),
        (1, 1), (0.5, 0.5), (0, 0), at={(2, 2): ((1, 1), (1, 1)), (1, 2): NOTHING},
    ),
]  # fmt: skip


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("make", "size", "stride", "padding", "at"), RULES)
def test_rule(make, size, stride, padding, at, data_format):
    model = chain(image_of(8, 9, data_format), make(data_format))
    field = receptive_field(model, model.layers[-1])
    assert (field.size, field.stride, field.padding) == (size, stride, padding)
    assert {position: field.at(*position) for position in at} == at
    assert (field.whole_image, field.unknown, field.unaligned) == (False, "", ())


def test_nearest_upsampling_then_a_window_takes_turns():
    # Three positions in a row are of two pixels, from pixel -1 on.
    field = last(chain((8, 8, 1), layers.UpSampling2D(2), layers.Conv2D(1, 3, padding="same")))
    assert (field.size, field.stride, field.padding) == ((2, 2), (0.5, 0.5), (1, 1))
    assert field.at(4, 3) == ((1, 2), (1, 2))


def test_one_axis():
    field = last(chain((9, 2), layers.Conv1D(2, 3, dilation_rate=2, padding="causal")))
    assert (field.size, field.stride, field.padding) == ((5,), (1,), (4,))
    assert field.at(3) == ((1, 3),)
    steps = layers.ZeroPadding1D((2, 0)), layers.Cropping1D((1, 1)), layers.UpSampling1D(2)
    assert last(chain((9, 2), *steps)).padding == (1,)
    assert last(chain((9, 2), *steps, layers.MaxPooling1D(4))).size == (2,)


def test_three_axes():
    model = chain((5, 6, 7, 2), layers.Conv3D(2, (1, 2, 3)), layers.AveragePooling3D((1, 2, 1)))
    field = last(model)
    assert (field.size, field.stride) == ((1, 3, 3), (1, 2, 1))
    assert field.at(4, 1, 2) == ((4, 4), (2, 4), (2, 4))


@pytest.mark.parametrize("data_format", FORMATS)
def test_what_looks_at_one_place_changes_nothing(data_format):
    axis = 1 if data_format == "channels_first" else -1
    model = chain(
        image_of(4, 5, data_format),
        layers.Rescaling(2.0),
        layers.BatchNormalization(axis=axis),
        layers.LayerNormalization(axis=axis),
        LocalResponseNormalization(axis=axis),
        PadChannels(6, axis=axis),
        TakeChannels((5, 0), axis=axis),
        layers.Activation("relu"),
        layers.Softmax(axis=axis),
        layers.SpatialDropout2D(0.1, data_format=data_format),
        layers.GaussianNoise(0.1),
        layers.RandomContrast(0.1, data_format=data_format),
        layers.Reshape(image_of(4, 5, data_format)),
        lambda x: keras.ops.relu(-(2 * x - 1)) ** 2 / 3,
        lambda x: keras.ops.softmax(x, axis=axis),
        lambda x: keras.ops.concatenate([x, x * x], axis=axis),
    )
    found = receptive_field(model)
    assert {field.size for field in found.values()} == {(1, 1)}
    assert {field.unknown for field in found.values()} == {""}


def test_dense_is_a_1x1_convolution_over_the_channels():
    assert last(chain((4, 5, 2), layers.Conv2D(2, 3), layers.Dense(7))).size == (3, 3)


# Merges


def strided_block(size):
    image = keras.Input((size, size, 1))
    main = layers.Conv2D(1, 3, strides=2, padding="same")(image)
    shortcut = layers.Conv2D(1, 1, strides=2)(image)
    return keras.Model(image, layers.Add(name="add")([main, shortcut]))


def test_branches_with_different_centres_are_reported():
    field = receptive_field(strided_block(8), "add")  # rows 0-2 and row 0
    assert (field.size, field.stride, field.padding) == ((3, 3), (2, 2), (0, 0))
    assert field.unaligned == ("add",)
    field = receptive_field(strided_block(7), "add")  # rows -1 to 1 and row 0
    assert (field.size, field.padding, field.unaligned) == ((3, 3), (1, 1), ())


def test_branches_with_different_strides_are_reported():
    image = keras.Input((8, 8, 1))
    pooled, convolved = layers.MaxPooling2D((2, 1))(image), layers.Conv2D(1, (5, 1))(image)
    x = layers.Concatenate(name="join")([pooled, convolved])
    x = layers.Conv2D(1, 3, padding="same", name="after")(x)
    found = receptive_field(keras.Model(image, x))
    assert found["join"].at(1, 0) == ((1, 5), (0, 0))  # rows 2-3 and rows 1-5
    assert (found["join"].size, found["join"].stride) == ((5, 1), (None, 1))
    assert (found["after"].size, found["after"].stride) == ((7, 3), (None, 1))
    assert found["after"].padding == (None, 1)
    assert found["after"].unaligned == ("join",)


def test_a_skip_around_nearest_upsampling_is_aligned():
    image = keras.Input((8, 8, 1))
    x = layers.UpSampling2D(2)(layers.MaxPooling2D(2)(image))
    field = last(keras.Model(image, layers.Concatenate()([image, x])))
    assert (field.size, field.stride, field.unaligned) == ((2, 2), (1, 1), ())


def test_a_branch_that_sees_nothing_in_its_row_adds_no_columns():
    image = keras.Input((6, 6, 1))
    wide = layers.ZeroPadding2D(((1, 0), (0, 0)))(layers.Conv2D(1, (1, 3), padding="same")(image))
    small = layers.ZeroPadding2D(((0, 1), (0, 0)))(image)
    field = last(keras.Model(image, layers.Add()([wide, small])))
    assert field.at(0, 3) == ((0, 0), (3, 3))
    assert field.at(1, 3) == ((0, 1), (2, 4))


def test_a_single_row_is_broadcast():
    image = keras.Input((4, 5, 1))
    row = layers.Conv2D(1, (4, 1))(image)
    field = last(keras.Model(image, image * row))
    assert (field.size, field.stride) == ((4, 1), (None, 1))
    assert field.at(1, 2) == ((0, 3), (2, 2))


def test_layers_of_keras_applications_by_name():
    class CustomScaleLayer(layers.Layer):
        def call(self, inputs):
            return inputs[0] + inputs[1] * 0.1

    image = keras.Input((8, 8, 1))
    x = CustomScaleLayer()([image, layers.Conv2D(1, 3, padding="same")(image)])
    assert last(keras.Model(image, x)).size == (3, 3)


# The whole image


@pytest.mark.parametrize(
    "steps",
    [
        [layers.GlobalAveragePooling2D(), layers.Dense(3)],
        [layers.GlobalMaxPooling2D(keepdims=True), layers.Conv2D(3, 1), layers.Reshape((3,))],
        [layers.Flatten(), layers.Dense(12), layers.Reshape((2, 3, 2)), layers.UpSampling2D(2)],
        [layers.GroupNormalization(2)],
        [layers.LayerNormalization(axis=[1, 2, 3])],
        [lambda x: keras.ops.mean(x, axis=(1, 2))],
        [lambda x: keras.ops.softmax(x, axis=None)],
        [layers.Lambda(lambda x: x), layers.GlobalAveragePooling2D()],
    ],
)
def test_whole_image(steps):
    field = last(chain((4, 5, 2), *steps))
    assert field.whole_image
    assert (field.size, field.stride, field.padding, field.unknown) == ((4, 5), None, None, "")
    assert field.at(0) == ((0, 3), (0, 4))


def test_squeeze_and_excitation_sees_the_whole_image():
    image = keras.Input((4, 5, 2))
    weights = layers.Dense(2)(layers.GlobalAveragePooling2D(keepdims=True)(image))
    unknown = layers.Lambda(lambda x: x)(image)
    field = last(keras.Model(image, layers.Multiply()([unknown, weights])))
    assert field.whole_image
    assert not field.unknown


# What has no rule


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: layers.Lambda(lambda x: x, name="odd"), "odd (Lambda)"),
        (lambda: layers.Permute((2, 1, 3), name="odd"), "odd (Permute)"),
        (lambda: layers.Reshape((5, 4, 2), name="odd"), "odd (Reshape)"),
        (lambda: layers.Resizing(8, 8, name="odd"), "odd (Resizing)"),
        (lambda: layers.Softmax(axis=1, name="odd"), "odd (Softmax along rows or columns)"),
        (lambda: layers.GroupNormalization(2, axis=1, name="odd"), "odd (GroupNormalization)"),
        (
            lambda: layers.UpSampling2D(2, interpolation="bicubic", name="odd"),
            "odd (UpSampling2D)",
        ),
        (
            lambda: layers.Conv2DTranspose(1, 3, strides=2, output_padding=1, name="odd"),
            "odd (Conv2DTranspose with output padding or dilation)",
        ),
        (
            lambda: layers.ZeroPadding2D(1, data_format="channels_first", name="odd"),
            "odd (ZeroPadding2D in another data format than the model's)",
        ),
        (
            lambda: lambda x: layers.Concatenate(axis=1, name="odd")([x, x]),
            "odd (Concatenate along rows or columns)",
        ),
        (lambda: PadChannels(6, axis=1, name="odd"), "odd (PadChannels along rows or columns)"),
        (
            lambda: LocalResponseNormalization(axis=1, name="odd"),
            "odd (LocalResponseNormalization along rows or columns)",
        ),
    ],
)
def test_unknown_is_said_and_inherited(make, why):
    first = layers.Conv2D(2, 1, data_format=LAST)
    field = last(chain((4, 5, 2), first, make(), layers.MaxPooling2D(2, data_format=LAST)))
    assert field.unknown == why
    assert (field.size, field.stride, field.padding, field.whole_image) == (None, None, None, False)
    with pytest.raises(ValueError) as error:
        field.at(0, 0)
    assert str(error.value) == f"{field.layer}: its field is not known because of {why}."


def test_dense_over_columns_is_unknown():
    model = chain((2, 4, 5), layers.Conv2D(2, 1, data_format="channels_first"), layers.Dense(3))
    assert "Dense along rows or columns" in last(model).unknown


def test_inputs_of_different_sizes_do_not_mix():
    small, large = keras.Input((4, 4, 1)), keras.Input((8, 8, 1))
    x = layers.Add(name="add")([small, layers.MaxPooling2D(2, name="pool")(large)])
    found = receptive_field(keras.Model([small, large], x))
    assert found["add"].unknown == "add (Add of inputs of different sizes)"
    assert found["pool"].size == (2, 2)


# The result as a whole


def test_a_shared_layer_has_its_largest_field():
    conv = layers.Conv2D(2, 3, padding="same", name="conv")
    assert receptive_field(chain((8, 8, 2), conv, conv), "conv").size == (5, 5)


def test_layers_of_inner_models():
    inner = chain((8, 8, 2), layers.Conv2D(2, 3, name="conv"))
    inner.name = "backbone"
    conv = inner.layers[-1]
    model = chain((8, 8, 2), inner, layers.MaxPooling2D(2, name="pool"))
    assert list(receptive_field(model)) == ["backbone/conv", "pool"]
    assert receptive_field(model, conv) == receptive_field(model, "backbone/conv")


def test_tables():
    model = chain((8, 8, 1), layers.Conv2D(1, (1, 3), name="conv"), layers.Flatten(name="flat"))
    found = receptive_field(model)
    assert str(found) == found.to_text()
    assert [line.split() for line in found.to_text().splitlines()[2:4]] == [
        ["conv", "1", "×", "3", "1", "×", "1", "0", "×", "0"],
        ["flat", "8", "×", "8", "none", "none", "whole", "image"],
    ]
    assert "Fields in pixels of the input, rows × columns, at inference" in found.to_text()
    assert "| conv | 1 × 3 | 1 × 1 | 0 × 0 |  |" in found.to_markdown()
    assert found.to_csv().splitlines()[1:3] == [
        "layer,size,stride,padding,remark",
        "conv,1x3,1x1,0x0,",
    ]
    assert json.loads(json.dumps(found.to_dict()))["flat"] == {
        "size": [8, 8], "stride": None, "padding": None,
        "whole_image": True, "unknown": "", "unaligned": [],
    }  # fmt: skip


def test_tables_name_unaligned_merges_and_unknown_layers():
    text = str(receptive_field(strided_block(8)))
    assert text.endswith("Branches with different centres or strides meet in: add.")
    text = str(receptive_field(chain((8, 8, 1), layers.Lambda(lambda x: x, name="odd"))))
    assert "unknown: odd (Lambda)" in text


def test_errors():
    model = chain((8, 8, 1), layers.Conv2D(1, 3, name="conv1"))
    with pytest.raises(ValueError) as error:
        receptive_field(model, "conv_1")
    assert str(error.value) == (
        "layer: received 'conv_1'; expected a layer of the model or its name, such as 'conv1'; "
        "inputs have no field. Did you mean 'conv1'?"
    )
    with pytest.raises(ValueError, match="expected a layer of the model or its name"):
        receptive_field(model, layers.ReLU(name="elsewhere"))
    for position in [(6, 0), (0, -1), (0,), (1.5, 2)]:
        with pytest.raises(ValueError) as error:
            receptive_field(model, "conv1").at(*position)
        assert str(error.value) == (
            f"position: received {position}; expected the place of a unit in 'conv1', whose sizes "
            "are (6, 6)."
        )


@pytest.mark.parametrize("data_format", FORMATS)
def test_open_sizes(data_format):
    conv = layers.Conv2D(1, 3, strides=2, padding="same", data_format=data_format, name="conv")
    image = keras.Input(image_of(None, None, data_format), name="image")
    model = keras.Model(image, conv(image))
    with pytest.raises(ValueError) as error:
        receptive_field(model)
    assert str(error.value) == (
        "input_shape: the model leaves sizes open, image: (2, None, None); expected all of them. "
        "Pass input_shape=(2, rows, cols), on the command line --input-shape."
    )
    assert receptive_field(model, "conv", input_shape=(2, 8, 9)).padding == (0, 1)


@pytest.mark.parametrize(
    ("name", "layer", "size", "stride"),
    [
        ("VGG16", "block5_pool", 212, 32),
        ("InceptionV3", "mixed10", 1311, 32),
    ],
)
def test_published_fields(name, layer, size, stride):
    # Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks (2019).
    with without_values():
        model = getattr(keras.applications, name)(weights=None)
    field = receptive_field(model, layer)
    assert (field.size, field.stride) == ((size, size), (stride, stride))
    assert field.unaligned == ()


@pytest.mark.parametrize(
    ("steps", "sees"),
    [
        ([layers.Cropping2D(12), layers.GlobalAveragePooling2D()], (12, 19)),
        ([layers.Conv2D(4, 1, strides=32), layers.GlobalMaxPooling2D()], (0, 0)),
        ([layers.MaxPooling2D(3), layers.Flatten(), layers.Dense(2)], (0, 29)),
    ],
)
def test_all_that_there_is_to_see_need_not_be_the_whole_image(steps, sees):
    field = last(chain((32, 32, 3), *steps))
    assert field.at(0) == (sees, sees)
    assert field.size == (sees[1] - sees[0] + 1,) * 2
    assert not field.whole_image
