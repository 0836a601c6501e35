"""Maps are largest where the evidence is known to be, depend on the weights, and add up."""

import keras
import numpy as np
import pytest
from scipy.stats import spearmanr

from keras_convnets import explain
from keras_convnets.explaining.maps.methods import METHODS
from marked import marked, network, on_the_mark, trained

IMAGES, LABELS, PLACES = marked(40, 1)
PLAIN = marked(40, 1, specks=0)


@pytest.fixture(scope="module")
def model():
    return trained()


@pytest.fixture(scope="module")
def random_model(model):
    """The same network without what it has learnt."""
    keras.utils.set_random_seed(10)
    return network()


def test_the_network_is_always_right(model):
    images, labels, _ = marked(800, 0)
    assert (model.predict(images, verbose=0).argmax(axis=1) == labels).all()


@pytest.mark.parametrize("method", METHODS)
def test_nine_tenths_of_the_maxima_are_on_the_mark(model, random_model, method):
    """A network that has learnt nothing looks at the bright specks as well.

    So does guided saliency in any network, as the documentation says: it gets images without them.
    """
    images, labels, places = PLAIN if method == "guided_saliency" else (IMAGES, LABELS, PLACES)
    found = explain(model, images, method)
    assert (found.labels == labels).all()
    assert found.probability.min() > 0.9
    assert found.maps.shape == (40, 24, 24)
    assert on_the_mark(found.peaks, places).mean() >= 0.9
    lost = explain(random_model, images[:20], method)
    assert on_the_mark(lost.peaks, places[:20]).mean() < 0.8


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_the_same_channels_first(model, method):
    first = network("channels_first")
    first.set_weights(model.get_weights())
    images = IMAGES[:4]
    found = explain(first, images.transpose(0, 3, 1, 2), method)
    wanted = explain(model, images, method)
    assert found.maps == pytest.approx(wanted.maps, abs=1e-4 * float(np.abs(wanted.maps).max()))
    assert (found.pictures == wanted.pictures).all()


@pytest.mark.parametrize("method", METHODS)
def test_random_weights_change_the_map(model, method):
    """The sanity check of Adebayo et al. 2018 (arXiv:1810.03292): ranks hardly correlate.

    Those of Score-CAM do somewhat: whatever its weights are, it adds up what is bright somewhere.
    """
    correlations = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        other = network()
        pairs = (explain(one, IMAGES[:6], method, class_index=0).maps for one in (model, other))
        ranks = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(*pairs, strict=True)]
        correlations.append(np.nanmean(ranks))
    assert abs(np.mean(correlations)) < (0.6 if method == "score_cam" else 0.4)


def test_integrated_gradients_add_up_to_the_difference_of_logits(model):
    """The logits are computed by hand, from what the last layer is given."""
    found = explain(model, IMAGES, "integrated_gradients", class_index=1, baseline=0.1)
    kernel, bias = model.layers[-1].get_weights()
    pooled = keras.Model(model.input, model.layers[-2].output)
    nothing = np.full((1, 24, 24, 1), 0.1, np.float32)
    logits = [pooled.predict_on_batch(x) @ kernel[:, 1] + bias[1] for x in (IMAGES, nothing)]
    wanted = logits[0] - logits[1]
    assert np.abs(found.maps.sum(axis=(1, 2)) / wanted - 1).max() < 0.01
    assert found.gaps.max() < 0.01


def test_a_map_that_does_not_add_up_is_named(model):
    found = explain(model, IMAGES[:1], "integrated_gradients", steps=1)
    assert found.gaps[0] > 0.01
    assert (
        f"image 0: its map adds up to the difference of scores within {found.gaps[0]:.1%}"
        in (found.notes[0])
    )
