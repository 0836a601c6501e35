"""Gradient flow, deleted blocks, paths and effective fields, against what is known by hand."""

import itertools
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from helpers import FORMATS, application, lively, outline
from keras_convnets import (
    CifarResnetBuilder,
    activation_statistics,
    create_model,
    effective_depth,
    effective_receptive_field,
    gradient_flow,
    path_lengths,
)
from keras_convnets.explaining.gradients.residual_blocks import residual_blocks

layers = keras.layers
LABELS = np.array([0, 1, 2, 1])


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def chain(activation=None):
    """Return two 1x1 convolutions without nonlinearity on images of one pixel: matrices."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input((1, 1, 2))
    for name, channels in (("conv1", 4), ("conv2", 3)):
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv")(x)
    x = layers.Flatten(name="head_flatten")(x)
    if activation:
        x = layers.Activation(activation, name="head_act")(x)
    return keras.Model(image, x, name="chain")


def residual(weights, size=1, classes=2, squash=False):
    """Return blocks of ``x + w x`` on one channel, then a dense layer."""
    keras.utils.set_random_seed(1)
    x = image = keras.Input((size, size, 1))
    for number, weight in enumerate(weights, start=1):
        name = f"conv2_block{number}"
        kernel = keras.initializers.Constant(weight)
        branch = layers.Conv2D(
            1, 1, use_bias=False, kernel_initializer=kernel, name=f"{name}_conv"
        )(x)
        x = layers.Add(name=f"{name}_add")([branch, x])
    x = layers.Flatten(name="head_flatten")(x)
    x = layers.Dense(classes, name="head_dense")(x)
    return keras.Model(image, x, name="residual")


def softmax(scores):
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_the_gradients_of_a_linear_chain_are_those_by_hand(activation):
    model, images = chain(activation), pixels(4, 1, 1, 2)
    first, second = (one.reshape(one.shape[2:]) for one in model.get_weights())
    hidden = images[:, 0, 0] @ first
    wrong = softmax(hidden @ second) - np.eye(3)[LABELS]
    flow = gradient_flow(model, images, LABELS).models["chain"]
    one, two, head = flow.blocks
    norm = np.linalg.norm
    assert one.activation_gradient == pytest.approx(norm(wrong @ second.T, axis=1).mean(), rel=1e-5)
    assert two.activation_gradient == pytest.approx(norm(wrong, axis=1).mean(), rel=1e-5)
    assert one.weight_gradient == pytest.approx(
        norm(images[:, 0, 0].T @ wrong @ second.T) / 4, rel=1e-5
    )
    assert two.weight_gradient == pytest.approx(norm(hidden.T @ wrong) / 4, rel=1e-5)
    assert one.activation == pytest.approx(np.sqrt((hidden**2).mean()), rel=1e-5)
    assert [block.depth for block in flow.blocks] == [1, 2, 2]
    assert head.weight_gradient is None
    right = softmax(hidden @ second)[np.arange(4), LABELS]
    assert flow.loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("activation", "labels"), [("sigmoid", LABELS), ("sigmoid", np.eye(3, dtype=int)[LABELS])]
)
def test_sigmoids_have_the_gradient_of_their_cross_entropy(activation, labels):
    model, images = chain(activation), pixels(4, 1, 1, 2)
    first, second = (one.reshape(one.shape[2:]) for one in model.get_weights())
    wrong = (1 / (1 + np.exp(-(images[:, 0, 0] @ first @ second))) - np.eye(3)[LABELS]) / 3
    one, *_ = gradient_flow(model, images, labels).models["chain"].blocks
    expected = np.linalg.norm(wrong @ second.T, axis=1).mean()
    assert one.activation_gradient == pytest.approx(expected, rel=1e-5)


def test_one_sigmoid_is_the_second_of_two_classes():
    image = keras.Input((1, 1, 2))
    x = layers.Conv2D(1, 1, use_bias=False, name="conv1_conv")(image)
    x = layers.Flatten(name="head_flatten")(x)
    model = keras.Model(image, layers.Activation("sigmoid", name="head_act")(x))
    images = pixels(4, 1, 1, 2)
    [kernel] = model.get_weights()
    probability = 1 / (1 + np.exp(-(images[:, 0, 0] @ kernel[0, 0])[:, 0]))
    labels = np.array([0, 1, 1, 0])
    [flow] = gradient_flow(model, images, labels).models.values()
    wrong = np.abs(probability - labels)
    assert flow.blocks[0].activation_gradient == pytest.approx(wrong.mean(), rel=1e-5)
    assert flow.loss == pytest.approx(-np.log(1 - wrong).mean(), rel=1e-5)


def test_of_several_outputs_the_first_counts():
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 1))
    x = layers.Conv2D(2, 3, padding="same", name="conv1_conv")(image)
    aux = layers.Dense(2, name="aux_dense")(layers.Flatten(name="aux_flatten")(x))
    x = layers.Conv2D(2, 3, padding="same", name="conv2_conv")(x)
    main = layers.Dense(2, name="head_dense")(layers.Flatten(name="head_flatten")(x))
    images = pixels(4, 4, 4, 1)
    [flow] = gradient_flow(keras.Model(image, [main, aux]), images, LABELS % 2).models.values()
    [alone] = gradient_flow(keras.Model(image, main), images, LABELS % 2).models.values()
    assert flow == alone
    assert [block.block for block in flow.blocks] == ["conv1", "conv2", "head"]
    statistics = activation_statistics(keras.Model(image, [main, aux]), images)
    assert [stage.stage for stage in statistics.stages] == ["conv1", "conv2", "head"]


def test_a_shortcut_hands_the_gradient_on_as_it_is():
    images = pixels(4, 1, 1, 1)
    plain_like = residual([0.0] * 5)
    [flow] = gradient_flow(plain_like, images, LABELS % 2).models.values()
    sizes = [block.activation_gradient for block in flow.blocks[:5]]
    assert sizes == pytest.approx([sizes[0]] * 5, rel=1e-6)
    [flow] = gradient_flow(residual([0.5] * 5), images, LABELS % 2).models.values()
    sizes = [block.activation_gradient for block in flow.blocks[:5]]
    assert np.divide(sizes[:-1], sizes[1:]) == pytest.approx([1.5] * 4, rel=1e-5)


def test_the_depth_of_a_block_is_that_of_its_longest_path():
    x = image = keras.Input((4, 4, 2))
    for number in (1, 2):
        x = layers.Conv2D(2, 1, name=f"conv2_block1_conv{number}")(x)
    x = layers.Add(name="conv2_block1_add")([image, x])
    x = layers.Conv2D(3, 1, name="conv3_block1_conv")(x)
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="head_pool")(x))
    [flow] = gradient_flow(model, pixels(4, 4, 4, 2), LABELS).models.values()
    depths = {block.block: block.depth for block in flow.blocks}
    assert depths == {"conv2_block1": 2, "conv3_block1": 3, "head": 3}


def test_nothing_of_the_model_changes_and_models_stand_side_by_side():
    images = pixels(4, 32, 32, 3)
    models = [create_model("cifar_plain_20"), CifarResnetBuilder.build(
        (3, 32, 32), 10, "basic_block_v1", (1, 1, 1), name="shallow")]  # fmt: skip
    before = [[one.copy() for one in model.get_weights()] for model in models]
    found = gradient_flow(models, images, LABELS)
    for model, values in zip(models, before, strict=True):
        for now, then in zip(model.get_weights(), values, strict=True):
            np.testing.assert_array_equal(now, then)
    assert list(found.models) == ["cifar_plain_20", "shallow"]
    rows = found.to_dict()["rows"]
    assert len(rows) == sum(len(flow.blocks) for flow in found.models.values()) == 11 + 5
    found.plot("flow.svg")
    lines = [line for axes in found.figure().axes for line in axes.lines]
    assert [line.get_label() for line in lines] == ["cifar_plain_20", "shallow"] * 3
    assert list(lines[0].get_xdata()) == [
        block.depth for block in found.models["cifar_plain_20"].blocks
    ]
    again = gradient_flow({"one": models[0], "two": models[0]}, images, LABELS, training=False)
    assert again.models["one"] == again.models["two"] != found.models["cifar_plain_20"]


@pytest.mark.parametrize("data_format", FORMATS)
def test_both_formats_have_the_same_gradients(data_format):
    def flow(data_format):
        keras.utils.set_random_seed(3)
        options = {"data_format": data_format}
        model = CifarResnetBuilder.build((3, 16, 16), 3, "basic_block_v1", (1, 1), **options)
        images = pixels(4, 3, 16, 16)
        given = images if data_format == "channels_first" else np.moveaxis(images, 1, -1)
        depth = effective_depth(model, given, LABELS)
        return gradient_flow(model, given, LABELS).models["cifar_resnet"].blocks, depth

    blocks, depth = flow(data_format)
    expected, expected_depth = flow("channels_last")
    for one, other in zip(blocks, expected, strict=True):
        assert one.sizes[:2] == pytest.approx(other.sizes[:2], rel=2e-3)
    assert [one.loss for one in depth.deletions] == pytest.approx(
        [one.loss for one in expected_depth.deletions], rel=1e-3
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("resnet_18", 8), ("resnet_v2_50", 16), ("cifar_resnet_20", 9), ("resnext_50_32x4d", 16),
        ("se_resnet_50", 16), ("inception_resnet_v2", 40),
    ],
)  # fmt: skip
def test_the_residual_blocks_of_networks_are_found(name, count):
    found = residual_blocks(outline(name))
    assert len(found) == count
    assert len({block.name for block in found}) == count


@pytest.mark.parametrize(("name", "count"), [("ResNet50", 16), ("MobileNetV2", 10)])
def test_the_residual_blocks_of_keras_applications_are_found(name, count):
    assert len(residual_blocks(application(name))) == count


@pytest.mark.parametrize("name", ["cifar_plain_20", "cifar_densenet_40_12", "googlenet"])
def test_networks_without_residual_blocks_are_refused(name):
    with pytest.raises(ValueError, match=f"^model: received {name!r}, which has no residual bloc"):
        residual_blocks(outline(name))


def test_the_blocks_of_a_nested_model_are_found():
    base = CifarResnetBuilder.build((3, 16, 16), 10, "basic_block_v1", (2, 1), include_top=False)
    image = keras.Input((16, 16, 3))
    x = base(layers.Rescaling(0.5)(image))
    x = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    model = lively(keras.Model(image, x))
    images = pixels(4, 16, 16, 3)
    found = effective_depth(model, images, LABELS)
    assert len(found.deletions) == 3
    assert len({one.loss for one in found.deletions} | {found.whole.loss}) == 4


def test_a_block_whose_branch_is_zero_can_be_deleted():
    model, images = residual([0.0, 2.0, 0.0]), pixels(8, 1, 1, 1)
    found = effective_depth(model, images, np.arange(8) % 2, batch_size=3)
    whole, (first, second, third) = found.whole, found.deletions
    assert (first.loss, first.accuracy) == (whole.loss, whole.accuracy)
    assert third.loss == whole.loss
    kernel, bias = model.get_layer("head_dense").get_weights()
    for loss, scale in ((whole.loss, 3), (second.loss, 1)):
        scores = scale * images[:, 0, 0] @ kernel + bias
        right = softmax(scores)[np.arange(8), np.arange(8) % 2]
        assert loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_a_block_that_decides_is_missed():
    model = residual([-3.0, 0.0])
    model.get_layer("head_dense").set_weights([np.array([[-1.0, 1.0]]), np.zeros(2)])
    images = np.array([1.0, 2.0, -1.0, -3.0], "float32").reshape(4, 1, 1, 1)
    found = effective_depth(model, images, [0, 0, 1, 1])
    assert found.whole.accuracy == 1
    assert [one.accuracy for one in found.deletions] == [0, 1]
    assert [row["accuracy"] for row in found.to_dict()["rows"]] == [1, 0, 1]
    only = effective_depth(model, images, [0, 0, 1, 1], blocks=["conv2_block2"])
    assert [one.block for one in only.deletions] == ["conv2_block2"]
    found.plot("depth.png")
    heights = [bar.get_height() for bar in found.figure().axes[0].patches]
    assert heights == [0, 1]


def test_the_gradient_of_a_path_is_the_product_of_its_branches():
    model, images = residual([0.5] * 4), pixels(3, 1, 1, 1)
    labels = np.array([0, 1, 0])
    found = path_lengths(model, images, labels, samples=40, batch_size=7)
    assert found.paths == (1, 4, 6, 4, 1)
    assert sum(found.paths) == 2**4
    assert found.mean_length == 2
    whole = images[:, 0, 0] * 1.5**4
    kernel, bias = model.get_layer("head_dense").get_weights()
    at_end = np.abs((softmax(whole @ kernel + bias) - np.eye(2)[labels]) @ kernel[0])
    for length, norms in zip(found.lengths, found.gradients, strict=True):
        expected = at_end * 0.5**length
        distances = np.abs(norms[:, None] / expected - 1).min(axis=1)
        assert distances.max() < 1e-4
    # With the same images for all lengths, the gradient of all is (1 + w)^n, weighted k by k.
    one = path_lengths(model, images[:1], labels[:1], samples=2)
    assert one.gradient_of_a_path @ np.array(one.paths) == pytest.approx(at_end[0] * 1.5**4)
    assert one.effective_length == pytest.approx(4 * 0.5 / 1.5)
    one.plot("paths.svg")


def test_paths_of_all_lengths_have_the_same_images():
    # Branches that pass on what they get: all paths of an image have the same gradient.
    images = np.array([0.0, 0.5], "float32").reshape(2, 1, 1, 1)
    found = np.sort(path_lengths(residual([1.0] * 3), images, [0, 0], samples=3).gradients)
    np.testing.assert_allclose(found, found[:1].repeat(4, axis=0), rtol=1e-5)
    assert found[0, 2] > 1.1 * found[0, 0]


def test_paths_of_unlike_branches_are_drawn_evenly():
    weights = (0.5, -2.0, 3.0)
    model, images = residual(weights), pixels(1, 1, 1, 1)
    found = path_lengths(model, images, [1], samples=600, seed=5)
    base = found.gradients[0, 0]
    for length in found.lengths:
        paths = [math.prod(one) for one in itertools.combinations(np.abs(weights), length)]
        assert found.gradient_of_a_path[length] / base == pytest.approx(np.mean(paths), rel=0.1)
    again = path_lengths(model, images, [1], samples=600, seed=5)
    np.testing.assert_array_equal(found.gradients, again.gradients)


def equal_weights(depth, data_format="channels_last", size=31):
    shape = (size, size, 1) if data_format == "channels_last" else (1, size, size)
    x = image = keras.Input(shape)
    for number in range(1, depth + 1):
        x = layers.Conv2D(
            1, 3, padding="same", kernel_initializer=keras.initializers.Constant(1 / 9),
            data_format=data_format, name=f"conv{number}",
        )(x)  # fmt: skip
    return keras.Model(image, x)


@pytest.mark.parametrize("data_format", FORMATS)
def test_equal_weights_make_the_convolution_of_boxes(data_format):
    depth, rows, cols = 5, 31, 37
    model = equal_weights(depth, data_format)
    found = effective_receptive_field(model, f"conv{depth}", input_shape=(1, rows, cols))
    line = np.ones(1)
    for _ in range(depth):
        line = np.convolve(line, np.ones(3) / 3)
    expected = np.zeros((rows, cols))
    expected[10:21, 13:24] = np.outer(line, line) / line.max() ** 2
    np.testing.assert_allclose(found.influence, expected, atol=1e-6)
    assert found.unit == (15, 18)
    assert found.theoretical == (11, 11)
    assert found.seen == ((10, 20), (13, 23))
    assert found.pixels == (expected > 1 - 0.9545).sum()
    assert found.ratio == found.pixels / 121
    # A box of three pixels has the variance 2 / 3, and variances add up.
    assert found.std == pytest.approx([math.sqrt(depth * 2 / 3)] * 2, rel=1e-5)
    assert not found.is_cut


def test_the_effective_field_is_a_gaussian_that_grows_with_the_root_of_the_depth():
    sides = {}
    for depth in (4, 16, 64):
        model = equal_weights(depth, size=2 * depth + 3)
        found = effective_receptive_field(model, f"conv{depth}", images=np.ones(
            (1, 2 * depth + 3, 2 * depth + 3, 1), "float32"))  # fmt: skip
        sides[depth] = found.side
        sigma = math.sqrt(depth * 2 / 3)
        # Where exp(-r^2 / (2 sigma^2)) is above the threshold: a disk.
        area = math.pi * 2 * sigma**2 * math.log(1 / (1 - 0.9545))
        assert found.pixels == pytest.approx(area, rel=0.12 if depth == 4 else 0.04)
        assert found.theoretical == (2 * depth + 1,) * 2
    slope = math.log(sides[64] / sides[16]) / math.log(4)
    assert slope == pytest.approx(0.5, abs=0.03)


def test_a_field_beyond_the_image_is_cut_and_larger_noise_shows_it():
    model = equal_weights(10, size=9)
    found = effective_receptive_field(model)
    assert (found.theoretical, found.seen, found.is_cut) == ((21, 21), ((0, 8), (0, 8)), True)
    whole = effective_receptive_field(model, input_shape=(1, 25, 25))
    assert (whole.influence.shape, whole.is_cut) == ((25, 25), False)
    assert whole.ratio < found.ratio
    whole.plot("field.svg")
    heading = whole.figure().texts[0].get_text()
    assert heading == f"conv10: its central unit uses {whole.ratio:.0%} of what it can see"


def test_what_has_no_gradient_flow_is_refused_in_a_line():
    model, images = residual([1.0, 1.0]), pixels(4, 1, 1, 1)
    labels = LABELS % 2
    rounded = keras.Input((4, 4, 1))
    x = keras.ops.round(layers.Conv2D(2, 3)(rounded))
    rounded = keras.Model(rounded, layers.Dense(2)(layers.Flatten()(x)))
    dense = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    for call, said in (
        (lambda: gradient_flow([], images, labels), "models: received .*; expected a Keras model"),
        (lambda: gradient_flow("resnet_18", images, labels), "models: received 'resnet_18'; exp"),
        (lambda: gradient_flow(model, images, [0, 1]), "labels: received int64 of 2; expected an"),
        (lambda: gradient_flow(model, images, labels + 0.5), "labels: received float64 of 4; exp"),
        (lambda: gradient_flow(model, images, labels + 1), "images: received 3 classes, but resid"),
        (lambda: gradient_flow(model, images, -labels), "images: received the label -1"),
        (
            lambda: gradient_flow(model, images, np.eye(2, dtype=int)[labels]),
            "images: received sev",
        ),
        (lambda: gradient_flow(model, images[..., 0], labels), "images: received float32 of 4 × 1"),
        (lambda: gradient_flow(dense, pixels(4, 3), labels), "model: .* takes inputs of"),
        (lambda: gradient_flow(equal_weights(1), images, labels), "model: functional.* takes"),
        (
            lambda: effective_depth(model, images, labels, ["a"]),
            "blocks: received 'a'; expected one",
        ),
        (lambda: effective_depth(model, images, labels, batch_size=0), "batch_size: received 0"),
        (lambda: path_lengths(model, images, labels, samples=0), "samples: received 0; expected"),
        (lambda: path_lengths(model, images, labels, seed=-1), "seed: received -1; expected"),
        (lambda: effective_receptive_field(model), "layer|model: "),
        (
            lambda: effective_receptive_field(rounded),
            "layer: the gradient of '.*' at the image is z",
        ),
        (
            lambda: effective_receptive_field(model, images=images, input_shape=(1, 2, 2)),
            "input_shape: received one beside images",
        ),
        (
            lambda: effective_receptive_field(equal_weights(1, size=None)),
            "input_shape: the model leaves sizes open",
        ),
    ):
        with pytest.raises(ValueError, match=f"^({said})") as refused:
            call()
        assert "\n" not in str(refused.value)


ON_ANOTHER_BACKEND = """
import numpy as np, keras
from keras_convnets import *
keras.utils.set_random_seed(0)
model = CifarResnetBuilder.build((3, 16, 16), 3, "basic_block_v1", (1, 1))
rng = np.random.default_rng(0)
model.set_weights([rng.normal(size=w.shape) ** 2 * 0.1 + 0.05 for w in model.get_weights()])
images, labels = rng.normal(size=(4, 16, 16, 3)).astype("float32"), [0, 1, 2, 1]
flow = gradient_flow(model, images, labels).models["cifar_resnet"]
field = effective_receptive_field(model, "conv2", images)
print(*[f"{size:.6g}" for block in flow.blocks for size in block.sizes if size])
print(*[f"{one.loss:.6g}" for one in effective_depth(model, images, labels).deletions])
print(*[f"{one:.6g}" for one in path_lengths(model, images, labels, 4).gradient_of_a_path])
print(field.pixels, *[f"{one:.6g}" for one in field.std])
stages = activation_statistics(model, images).stages
print(*[f"{stage.mean:.6g} {stage.zeros:.6g}" for stage in stages])
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares with TensorFlow")
def test_all_is_the_same_on_torch(capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    command = [sys.executable, "-c", ON_ANOTHER_BACKEND]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    exec(ON_ANOTHER_BACKEND, {})
    expected = [float(word) for word in capsys.readouterr().out.split()]
    assert len(expected) > 20
    found = [float(word) for word in done.stdout.split()]
    assert found == pytest.approx(expected, rel=2e-3)
