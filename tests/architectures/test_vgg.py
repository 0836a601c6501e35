import keras
import numpy as np
import pytest

from helpers import FORMATS, application, images, in_both_formats, lively
from keras_convnets import cost, receptive_field
from keras_convnets.architectures.vgg import VggBuilder
from keras_convnets.keras_private import without_values

# torchvision: parameters; multiply-adds, of B after those of A and three more convolutions.
MACS_B = 7_609_090_048 + 9 * (224**2 * 64**2 + 112**2 * 128**2)
FIGURES = {
    "vgg_11": (132_863_336, 7_609_090_048),
    "vgg_11_bn": (132_868_840, 7_609_090_048),
    "vgg_13": (133_047_848, MACS_B),
    "vgg_13_bn": (133_053_736, MACS_B),
    "vgg_16": (138_357_544, 15_470_264_320),
    "vgg_16_bn": (138_365_992, 15_470_264_320),
    "vgg_19": (143_667_240, 19_632_062_464),
    "vgg_19_bn": (143_678_248, 19_632_062_464),
}
# Two stages, so that images of 28 x 28 leave the 7 x 7 maps that the convolutional head takes.
ROWS = ((1, 4), (2, 8))


def outline(name, input_shape=(3, 224, 224), num_outputs=1000, **options):
    with without_values():
        return getattr(VggBuilder, f"build_{name}")(input_shape, num_outputs, **options)


def small(size=28, *, rows=ROWS, **options):
    return VggBuilder.build((3, size, size), 5, rows, **options)


@pytest.mark.parametrize("fully_convolutional", [False, True])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_as_published_with_both_heads(name, fully_convolutional):
    model = outline(name, fully_convolutional=fully_convolutional)
    found = cost(model)
    assert (found.trainable_params, found.macs) == FIGURES[name]
    assert (model.name, model.output_shape, found.uncounted) == (name, (None, 1000), ())
    # As many layers with kernels as the name says.
    kernels = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert len(kernels) == int(name.split("_")[1])


@pytest.mark.parametrize(("name", "twin"), [("vgg_16", "VGG16"), ("vgg_19", "VGG19")])
def test_weights_are_those_of_keras_applications(name, twin):
    ours, theirs = outline(name), application(twin)
    assert [weight.shape for weight in ours.weights] == [w.shape for w in theirs.weights]


def test_names_tell_the_story():
    names = [layer.name for layer in outline("vgg_11").layers]
    assert names[:4] == ["input_image", "conv1_conv", "conv1_relu", "conv1_pool"]
    stage = ["conv3_conv", "conv3_relu", "conv3_conv2", "conv3_relu2", "conv3_pool"]
    assert names[7:12] == stage
    assert names[-8:-4] == ["head_flatten", "head_dense", "head_relu", "head_dropout"]
    assert names[-4:] == ["head_dense2", "head_relu2", "head_dropout2", "head_dense3"]
    normalised = [layer.name for layer in outline("vgg_11_bn").layers]
    assert normalised[1:5] == ["conv1_conv", "conv1_bn", "conv1_relu", "conv1_pool"]
    assert normalised[-9:-6] == ["head_pool", "head_flatten", "head_dense"]
    convolutional = [layer.name for layer in outline("vgg_11", fully_convolutional=True).layers]
    assert convolutional[-9:-6] == ["head_conv", "head_relu", "head_dropout"]
    assert convolutional[-3:] == ["head_conv3", "head_pool", "head_probabilities"]


def test_maps_and_fields_of_the_paper():
    model = outline("vgg_16", data_format="channels_first")
    maps = [model.get_layer(f"conv{stage}_pool").output.shape[1:] for stage in (1, 2, 3, 4, 5)]
    sizes = [(64, 112), (128, 56), (256, 28), (512, 14), (512, 7)]
    assert maps == [(maps, size, size) for maps, size in sizes]
    # Section 2.3: three 3x3 convolutions see 7x7; here behind pools that double the step.
    field = receptive_field(model)
    assert field["conv3_relu3"].size == (40, 40)


def test_dropout_and_normalisation():
    model = outline("vgg_11_bn")
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5, 0.5]
    bn = model.get_layer("conv5_bn2")
    assert (bn.epsilon, bn.momentum) == (1e-5, 0.9)
    assert model.get_layer("conv5_conv2").use_bias


@pytest.mark.parametrize("data_format", FORMATS)
def test_a_dense_head_is_reshaped_into_a_convolutional_one(data_format):
    dense = lively(small(data_format=data_format))
    convolutional = small(data_format=data_format, fully_convolutional=True)
    for layer in dense.layers:
        name = layer.name.replace("head_dense", "head_conv")
        if layer.weights:
            twin = convolutional.get_layer(name)
            kernel, bias = layer.get_weights()
            twin.set_weights([kernel.reshape(twin.kernel.shape), bias])
    x = images((3, 28, 28), data_format)
    expected, found = dense(x), convolutional(x)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_convolutional_head_averages_scores_over_a_map_of_any_size():
    known, unknown = small(36, fully_convolutional=True), small(None, fully_convolutional=True)
    unknown.set_weights(lively(known).get_weights())
    x = images((3, 36, 36), "channels_last")
    scores = keras.Model(known.input, known.get_layer("head_conv3").output)(x)
    assert scores.shape == (2, 3, 3, 5)
    expected = keras.ops.softmax(keras.ops.mean(scores, axis=(1, 2)))
    for model in (known, unknown):
        np.testing.assert_allclose(model(x), expected, rtol=0, atol=1e-5)


def test_scores_are_float32_under_a_mixed_precision_policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for activation in ("softmax", None):
            model = small(fully_convolutional=True, classifier_activation=activation)
            assert model.get_layer("conv1_conv").compute_dtype == "bfloat16"
            assert model.output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.slow
@pytest.mark.parametrize("fully_convolutional", [False, True])
def test_both_formats_compute_the_same_forward_and_in_training(fully_convolutional):
    def build(data_format):
        options = {"data_format": data_format, "fully_convolutional": fully_convolutional}
        return small(batch_norm=True, **options)

    outputs, trained = in_both_formats(build, (3, 28, 28))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_torchvision_has_the_same_dense_kernels_at_any_size():
    for size in (32, 300, None):
        model = outline("vgg_11_bn", (3, size, size), 7)
        assert model.get_layer("head_dense").kernel.shape == (7 * 7 * 512, 4096)
        assert model.output_shape == (None, 7)
    paper = outline("vgg_11", (3, 300, 300), 7)
    assert paper.get_layer("head_dense").kernel.shape == (9 * 9 * 512, 4096)
    convolutional = outline("vgg_11_bn", (3, None, None), 7, fully_convolutional=True)
    assert "head_conv" in [layer.name for layer in convolutional.layers]
    assert small(batch_norm=True).get_layer("head_dense").kernel.shape == (7 * 7 * 8, 4096)


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels(channels):
    model = outline("vgg_11", (channels, 32, 32), 7)
    assert model.get_layer("conv1_conv").kernel.shape == (3, 3, channels, 64)
    assert model.output_shape == (None, 7)


def test_without_the_top_sizes_may_be_unknown():
    shape = (3, None, None)
    assert outline("vgg_11", shape, include_top=False).output_shape == (None, None, None, 512)
    assert outline("vgg_11", shape, None, include_top=False, pooling="avg").output_shape[1] == 512
    # Maps of odd size lose a row and a column, as in all three sources.
    assert outline("vgg_11", (3, 63, 95), include_top=False).output_shape == (None, 1, 2, 512)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((3, 31, 32), {}, "too small for the network's strides: in conv5, a pooling"),
        ((3, 223, 224), {"fully_convolutional": True}, "too small .* in head, .* maps of 6 x 7"),
        ((3, None, 224), {}, "received None for rows or columns .maps of None x 7"),
        ((3, 32, 32), {"fully_convolutional": "yes"}, "fully_convolutional: received 'yes'"),
    ],
)
def test_wrong_shapes_and_heads(shape, options, words):
    with pytest.raises(ValueError, match=words):
        outline("vgg_11", shape, 10, **options)


@pytest.mark.parametrize("rows", ["C", 16, (), ((1, 64), 2), ((1, 0),), ((1.5, 64),), ((1, 2, 3),)])
def test_wrong_configurations(rows):
    with pytest.raises(ValueError, match="^configuration: received"):
        small(rows=rows)


def test_a_letter_is_its_row():
    with without_values():
        one = small(32, rows="A")
        other = small(32, rows=((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)))
    assert one.get_config() == other.get_config()
