import keras
import numpy as np
import pytest

from helpers import in_both_formats
from keras_convnets import cost, receptive_field, units
from keras_convnets.architectures.alexnet import HEAD_2012, AlexnetBuilder, AlexnetRow
from keras_convnets.keras_private import without_values
from keras_convnets.layers import LocalResponseNormalization
from keras_convnets.units import heads

# Small, with everything that the networks have: strides, padding, groups, normalisation, pools.
ROWS = (
    AlexnetRow(6, 5, strides=2, padding=1, lrn=True, pool=True),
    AlexnetRow(8, 3, groups=2, pool=True),
)

SMALL_HEAD_2014 = heads.adaptive(3, heads.flat_classifier(heads.dense(8), units.relu()))


def outline(name, input_shape, num_outputs=1000, **options):
    with without_values():
        return getattr(AlexnetBuilder, f"build_{name}")(input_shape, num_outputs, **options)


def test_torchvision():
    model = outline("alexnet", (3, 224, 224))
    found = cost(model)
    assert (found.trainable_params, found.macs) == (61_100_840, 714_188_480)
    assert (model.name, found.uncounted) == ("alexnet", ())
    head = [layer.name for layer in model.layers][-9:]
    assert head[:5] == ["head_pool", "head_flatten", "head_dropout", "head_dense", "head_relu"]
    assert head[5:] == ["head_dropout2", "head_dense2", "head_relu2", "head_dense3"]


@pytest.mark.parametrize("name", ["alexnet_original", "alexnet_caffe"])
def test_the_original_layer_by_layer(name):
    model = outline(name, (3, 227, 227), data_format="channels_first")
    found = cost(model)
    # By hand: pixels and maps; inputs of a unit, of its own GPU only where there are groups of 2.
    derived = {
        "conv1_conv": (55 * 55, 96, 11 * 11 * 3),
        "conv2_conv": (27 * 27, 256, 5 * 5 * 48),
        "conv3_conv": (13 * 13, 384, 3 * 3 * 256),
        "conv4_conv": (13 * 13, 384, 3 * 3 * 192),
        "conv5_conv": (13 * 13, 256, 3 * 3 * 192),
        "head_dense": (1, 4096, 6 * 6 * 256),
        "head_dense2": (1, 4096, 4096),
        "head_dense3": (1, 1000, 4096),
    }
    rows = {row.name: (row.params, row.macs) for row in found.rows if row.params}
    assert rows == {
        name: (maps * (seen + 1), pixels * maps * seen)
        for name, (pixels, maps, seen) in derived.items()
    }
    assert rows["conv1_conv"][1] == 105_415_200
    assert (found.trainable_params, found.macs) == (60_965_224, 724_406_816)
    assert found.uncounted == ()
    # Section 3.5 gives the neurons of each layer. (Its 253,440 of the first would be 55 x 48 x 96.)
    neurons = [np.prod(model.get_layer(f"conv{n}_conv").output.shape[1:]) for n in (2, 3, 4, 5)]
    assert neurons == [186_624, 64_896, 64_896, 43_264]


def test_what_follows_what_in_the_original():
    names = [layer.name for layer in outline("alexnet_original", (3, 227, 227)).layers]
    first = ["conv1_conv", "conv1_relu", "conv1_lrn", "conv1_pool"]
    assert names[1:5] == first
    assert names[5:9] == [name.replace("1", "2") for name in first]
    assert names[9:] == [
        *("conv3_conv", "conv3_relu", "conv4_conv", "conv4_relu"),
        *("conv5_conv", "conv5_relu", "conv5_pool"),
        *("head_flatten", "head_dense", "head_relu", "head_dropout"),
        *("head_dense2", "head_relu2", "head_dropout2", "head_dense3"),
    ]


@pytest.mark.parametrize(
    ("name", "constants"),
    [("alexnet_original", (5, 1e-4, 0.75, 2.0)), ("alexnet_caffe", (5, 2e-5, 0.75, 1.0))],
)
def test_normalisation_has_the_constants_of_the_source(name, constants):
    for layer in outline(name, (3, 227, 227)).layers:
        if isinstance(layer, LocalResponseNormalization):
            assert (layer.size, layer.alpha, layer.beta, layer.bias) == constants
        if isinstance(layer, keras.layers.Dropout):
            assert layer.rate == 0.5


def test_caffe_rounds_sizes_up():
    # 1 + (101 - 11) // 4; then 1 + (size - 3) / 2, rounded up and down.
    for size, name, expected in (
        (101, "alexnet_caffe", [23, 11, 5, 2]),
        (105, "alexnet_caffe", [24, 12, 6, 3]),
        (105, "alexnet_original", [24, 11, 5, 2]),
    ):
        model = outline(name, (3, size, size), 7)
        layers = ("conv1_conv", "conv1_pool", "conv2_pool", "conv5_pool")
        assert [model.get_layer(layer).output.shape[1] for layer in layers] == expected


def test_receptive_fields_are_known():
    fields = receptive_field(outline("alexnet_original", (3, 227, 227), include_top=False))
    assert [fields[f"conv{n}_conv"].size[0] for n in (1, 2, 3, 4, 5)] == [11, 51, 99, 131, 163]
    assert not any(field.unknown for field in fields.values())


@pytest.mark.slow
@pytest.mark.parametrize("head", [HEAD_2012, SMALL_HEAD_2014], ids=["flat", "adaptive"])
def test_both_formats_compute_the_same_forward_and_in_training(head):
    def build(data_format):
        return AlexnetBuilder.build((3, 30, 33), 4, ROWS, head, data_format=data_format)

    outputs, trained = in_both_formats(build, (3, 30, 33))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("name", "size"), [("alexnet", 63), ("alexnet_original", 67), ("alexnet_caffe", 39)]
)
def test_any_number_of_channels_at_the_smallest_size(name, size, channels):
    model = outline(name, (channels, size, size), 7)
    assert model.get_layer("conv1_conv").kernel.shape[2] == channels
    assert model.get_layer("conv5_pool").output.shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match="too small for the network's strides: in conv5, a pool"):
        outline(name, (channels, size, size - 1), 7)


def test_unknown_sizes():
    for name in ("alexnet", "alexnet_original", "alexnet_caffe"):
        model = outline(name, (3, None, None), None, include_top=False, pooling="max")
        assert model.output_shape == (None, 256)
        if name != "alexnet":
            with pytest.raises(ValueError, match="received None for rows or columns"):
                outline(name, (3, None, 227))


def test_torchvision_has_the_same_dense_kernels_at_any_size():
    for size in (63, 300, None):
        model = outline("alexnet", (3, size, size), 7)
        assert model.get_layer("head_dense").kernel.shape == (6 * 6 * 256, 4096)
        assert model.output_shape == (None, 7)


@pytest.mark.parametrize("rows", [(), None, 5, ((64, 11), (192, 5)), AlexnetRow(64, 11)])
def test_wrong_rows(rows):
    with pytest.raises(ValueError, match="^rows: received .*; expected one or more AlexnetRow"):
        AlexnetBuilder.build((3, 64, 64), 10, rows)


def test_a_head_of_ones_own():
    def head(num_outputs, activation):
        return lambda x: keras.layers.GlobalAveragePooling2D()(x)

    with without_values():
        model = AlexnetBuilder.build((3, None, None), 4, ROWS, head)
    assert model.output_shape == (None, 8)
