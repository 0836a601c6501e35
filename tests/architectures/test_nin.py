import keras
import numpy as np
import pytest

from helpers import images, in_both_formats, lively
from keras_convnets import cost, receptive_field, units
from keras_convnets.architectures.nin import NinBuilder, mlpconv
from keras_convnets.keras_private import without_values

CIFAR, IMAGENET = (3, 32, 32), (3, 224, 224)


def outline(name, input_shape, num_outputs=10, **options):
    with without_values():
        return getattr(NinBuilder, f"build_{name}")(input_shape, num_outputs, **options)


def small(size=20, **options):
    stages = [
        units.chain(mlpconv((6, 5), 5, 2, 1), units.caffe_max_pool(3, 2)),
        units.chain(units.dropout(0.5), mlpconv((8,), 3), units.caffe_avg_pool(3, 2)),
    ]
    return NinBuilder.build((3, size, size), 4, stages, (7,), **options)


def derived(rows):
    """Return parameters and multiply-adds of rows of (pixels, maps before, kernel, maps)."""
    params = sum(
        before * kernel**2 * maps + maps
        for _, before, kernel, widths in rows
        for before, kernel, maps in chained(before, kernel, widths)
    )
    macs = sum(
        side**2 * before * kernel**2 * maps
        for side, before, kernel, widths in rows
        for before, kernel, maps in chained(before, kernel, widths)
    )
    return params, macs


def chained(before, kernel, widths):
    for maps in widths:
        yield before, kernel, maps
        before, kernel = maps, 1


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "params", "rows"),
    [
        (
            *("cifar_nin", CIFAR, 10, 966_986),
            [
                (32, 3, 5, (192, 160, 96)),
                (16, 96, 5, (192, 192, 192)),
                (8, 192, 3, (192, 192, 10)),
            ],
        ),
        (
            *("nin", IMAGENET, 1000, 7_595_176),
            [
                (54, 3, 11, (96, 96, 96)),
                (27, 96, 5, (256, 256, 256)),
                (13, 256, 3, (384, 384, 384)),
                (6, 384, 3, (1024, 1024, 1000)),
            ],
        ),
    ],
)
def test_figures_as_published_and_by_hand(name, shape, outputs, params, rows):
    model = outline(name, shape, outputs)
    found = cost(model)
    assert found.trainable_params == params
    assert (found.trainable_params, found.macs) == derived(rows)
    assert (model.name, model.output_shape, found.uncounted) == (name, (None, outputs), ())
    assert not any(field.unknown for field in receptive_field(model).values())


def test_what_follows_what():
    names = [layer.name for layer in outline("cifar_nin", CIFAR).layers]
    mlp = ["conv", "relu", "conv2", "relu2", "conv3", "relu3"]
    assert names == [
        "input_image",
        *(f"conv1_{layer}" for layer in (*mlp, "zeros", "pool")),
        *(f"conv2_{layer}" for layer in ("dropout", *mlp, "pool")),
        *(f"head_{layer}" for layer in ("dropout", *mlp, "pool", "probabilities")),
    ]
    dropped = [layer.name for layer in outline("nin", IMAGENET).layers if "dropout" in layer.name]
    assert dropped == ["head_dropout"]


def test_sizes_where_no_stride_comes_out_even():
    # 1 + (78 - 11) // 4; then 1 + (size - 3) / 2, rounded up.
    model = outline("nin", (3, 78, 78))
    layers = ("conv1_conv", "conv1_pool", "conv2_pool", "conv3_pool")
    assert [model.get_layer(layer).output.shape[1] for layer in layers] == [17, 8, 4, 2]


def test_pools_of_the_cifar_network():
    model = outline("cifar_nin", CIFAR)
    first, second = model.get_layer("conv1_pool"), model.get_layer("conv2_pool")
    assert isinstance(first, keras.layers.MaxPooling2D)
    assert isinstance(second, keras.layers.AveragePooling2D)
    for pool in (first, second):
        assert (pool.pool_size, pool.strides) == ((3, 3), (2, 2))
    assert (first.output.shape[1:3], second.output.shape[1:3]) == ((16, 16), (8, 8))
    odd = outline("cifar_nin", (3, 33, 35))
    pools = [odd.get_layer(f"conv{n}_pool").output.shape[1:3] for n in (1, 2)]
    assert pools == [(16, 17), (8, 8)]


@pytest.mark.slow
def test_both_formats_compute_the_same_forward_and_in_training():
    outputs, trained = in_both_formats(
        lambda data_format: small(data_format=data_format), (3, 20, 20)
    )
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_unknown_sizes_compute_as_known_ones():
    known, unknown = small(21), small(None)
    unknown.set_weights(lively(known).get_weights())
    x = images((3, 21, 21), "channels_last")
    np.testing.assert_allclose(known(x), unknown(x), rtol=0, atol=1e-6)
    for name in ("cifar_nin", "nin"):
        assert outline(name, (3, None, None)).output_shape == (None, 10)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(
    ("name", "size", "group"), [("cifar_nin", 4, "conv2"), ("nin", 39, "conv3")]
)
def test_any_number_of_channels_at_the_smallest_size(name, size, group, channels):
    model = outline(name, (channels, size, size))
    assert model.get_layer("conv1_conv").kernel.shape[2] == channels
    with pytest.raises(ValueError, match=f"too small for the network's strides: in {group}, a po"):
        outline(name, (channels, size, size - 1))


def test_the_last_stage_is_the_head():
    assert outline("nin", IMAGENET, include_top=False).output_shape == (None, 6, 6, 384)
    pooled = outline("cifar_nin", CIFAR, None, include_top=False, pooling="avg")
    assert pooled.output_shape == (None, 192)
    logits = outline("cifar_nin", CIFAR, classifier_activation=None)
    assert logits.layers[-1].name == "head_pool"


@pytest.mark.parametrize("widths", [(), 5, (192, 0), (1.5,), "192", None])
def test_wrong_widths(widths):
    for build in (lambda: mlpconv(widths, 3), lambda: NinBuilder.build(CIFAR, 10, [], widths)):
        with pytest.raises(ValueError, match="^(filters|hidden): received .* one or more integers"):
            build()
