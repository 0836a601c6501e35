"""Each method against an independent computation, on a network small enough to do so by hand."""

import keras
import numpy as np
import pytest

from keras_convnets import explain

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 8, 8, 2)).astype(np.float32)


def small(activation="softmax", head=3):
    """Return a convolution without padding's effects, a global mean, and a classifier."""
    image = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(4, 1, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(head, activation, name="scores")(x)
    model = keras.Model(image, x, name="small")
    rng = np.random.default_rng(3)  # that of Keras depends on the backend
    model.set_weights([rng.normal(0, 0.5, weights.shape) for weights in model.weights])
    return model


def by_hand(model, images):
    """Return feature maps, the kernel of the convolution and of the classifier, and the logits."""
    conv, conv_bias = model.get_layer("conv").get_weights()
    kernel, bias = model.get_layer("scores").get_weights()
    maps = np.maximum(images @ conv[0, 0] + conv_bias, 0)
    return maps, conv[0, 0], kernel, maps.mean(axis=(1, 2)) @ kernel + bias


def test_grad_cam_is_the_cam_of_a_network_with_global_pooling():
    """The class activation map of Zhou et al. 2016, but for the number of pixels."""
    model = small()
    maps, _, kernel, logits = by_hand(model, IMAGES)
    found = explain(model, IMAGES, class_index=2)
    wanted = np.maximum(maps @ kernel[:, 2], 0) / 64
    assert found.maps == pytest.approx(wanted, abs=1e-6)
    assert found.layer == "conv"
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.probabilities == pytest.approx(shares, abs=1e-6)


def test_grad_cam_plus_plus_follows_the_formula_of_the_paper():
    """Of equations 10 and 19, with the gradient of the logit, which is the same at each pixel."""
    model = small()
    maps, _, kernel, _ = by_hand(model, IMAGES)
    slope = kernel[:, 1] / 64
    shares = slope**2 / (2 * slope**2 + maps.sum(axis=(1, 2)) * slope**3)
    weights = 64 * shares * np.maximum(slope, 0)
    wanted = np.maximum(np.einsum("nrck,nk->nrc", maps, weights), 0)
    found = explain(model, IMAGES, "grad_cam_plus_plus", class_index=1)
    assert found.maps == pytest.approx(wanted, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("channels", [4, 2])
def test_score_cam_weighs_by_the_scores_of_masked_images(channels):
    model = small()
    maps, *_ = by_hand(model, IMAGES)
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    masks = (maps - low) / (high - low)
    masked = [by_hand(model, IMAGES * masks[..., k : k + 1])[3][:, 0] for k in range(4)]
    scores = np.exp(np.stack(masked, axis=1))
    spread = (high - low)[:, 0, 0]
    tried = spread >= np.sort(spread, axis=1)[:, -channels, np.newaxis]
    weights = tried * scores / (tried * scores).sum(axis=1, keepdims=True)
    found = explain(model, IMAGES, "score_cam", class_index=0, channels=channels)
    assert found.maps == pytest.approx(np.einsum("nrck,nk->nrc", maps, weights), abs=1e-5)
    said = "score_cam: 2 of 4 channels, those that vary most over each image"
    assert found.notes == ((said,) if channels == 2 else ())


def test_guided_saliency_passes_back_positive_gradients_only():
    """Two rectified convolutions: both what is rectified and what is negative is left out."""
    keras.utils.set_random_seed(4)
    image = keras.Input((4, 4, 2))
    x = keras.layers.Conv2D(5, 1, activation="relu", name="one")(image)
    x = keras.layers.ReLU(name="relu")(keras.layers.Conv2D(6, 1, name="two")(x))
    x = keras.layers.Dense(3, name="scores")(keras.layers.Flatten()(x))
    model = keras.Model(image, x)
    images = IMAGES[:, :4, :4]
    one, two, scores = (model.get_layer(name).get_weights()[0] for name in ("one", "two", "scores"))
    first = images @ one[0, 0]
    second = np.maximum(first, 0) @ two[0, 0]
    passed = np.maximum(scores[:, 2].reshape(4, 4, 6), 0) * (second > 0)
    passed = np.maximum(passed @ two[0, 0].T, 0) * (first > 0)
    found = explain(model, images, "guided_saliency", class_index=2)
    assert found.maps == pytest.approx(np.abs(passed @ one[0, 0].T).max(axis=-1), abs=1e-6)


def test_integrated_gradients_are_a_fine_sum_of_gradients():
    model = small()
    _, conv, kernel, _ = by_hand(model, IMAGES)
    bias = model.get_layer("conv").get_weights()[1]
    wanted = np.zeros(IMAGES.shape)
    for place in (np.arange(20000) + 0.5) / 20000:
        open_units = (place * IMAGES @ conv + bias) > 0
        wanted += (open_units * kernel[:, 0]) @ conv.T / 64 / 20000
    found = explain(model, IMAGES, "integrated_gradients", class_index=0, steps=20000)
    size = float(np.abs(found.maps).max())
    assert found.maps == pytest.approx((wanted * IMAGES).sum(axis=-1), abs=0.01 * size)


def test_occlusion_is_the_mean_fall_of_the_score_under_each_patch():
    model = small()
    whole = by_hand(model, IMAGES)[3][:, 1]
    falls, times = np.zeros((3, 8, 8)), np.zeros((8, 8))
    for row in range(-1, 8):
        for col in range(-1, 8):
            covered = IMAGES.copy()
            at = (slice(max(row, 0), row + 2), slice(max(col, 0), col + 2))
            covered[:, *at] = (0.5, -0.5)
            falls[:, *at] += (whole - by_hand(model, covered)[3][:, 1])[:, np.newaxis, np.newaxis]
            times[at] += 1
    found = explain(
        model, IMAGES, "occlusion", class_index=1, patch=2, stride=1, baseline=(0.5, -0.5)
    )
    assert found.maps == pytest.approx(falls / times, abs=1e-6)
    assert (times == 4).all()


def test_a_single_sigmoid_has_two_classes_of_opposite_scores():
    model = small("sigmoid", 1)
    maps, _, kernel, logits = by_hand(model, IMAGES)
    found = [explain(model, IMAGES, class_index=label) for label in (0, 1)]
    for label, sign in ((0, -1), (1, 1)):
        wanted = np.maximum(maps @ kernel[:, 0] * sign, 0) / 64
        assert found[label].maps == pytest.approx(wanted, abs=1e-6)
    share = 1 / (1 + np.exp(-logits[:, 0]))
    assert found[1].probabilities == pytest.approx(np.stack([1 - share, share], axis=1), abs=1e-6)


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
def test_maps_are_those_of_the_logits_whatever_follows(activation):
    found = explain(small(activation), IMAGES, class_index=1)
    assert found.maps == pytest.approx(explain(small(), IMAGES, class_index=1).maps, abs=1e-7)
    assert found.probabilities == pytest.approx(
        explain(small(activation or "softmax"), IMAGES).probabilities
    )


def test_maps_do_not_vanish_where_the_softmax_is_saturated():
    model = small()
    kernel, bias = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([kernel * 100_000, bias])
    found = explain(model, IMAGES)
    assert found.probability.min() == 1
    assert (found.maps.max(axis=(1, 2)) > 0).all()


def test_maps_are_at_the_centres_of_the_units_not_stretched():
    """A convolution of 5 x 5 without padding: its first unit is centred on pixel 2."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(1, 5, strides=2, kernel_initializer="ones", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(2, kernel_initializer="ones")(x))
    images = np.zeros((1, 16, 16, 1), np.float32)
    images[0, 6, 8, 0] = 1
    [found] = explain(model, images, class_index=0).maps
    assert np.flatnonzero(found.max(axis=1)).tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert found[6, 8] == found.max()
    np.testing.assert_allclose(found[:, 8] / found.max(), [0, 0, 0, 0.5, *[1] * 5, 0.5, *[0] * 6])
