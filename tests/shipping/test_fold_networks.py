"""Whole networks fold as often as they should, and compute the same on values that matter.

By default, these are small ones of most families; with KERAS_CONVNETS_TEST_DEEP larger ones too,
and with KERAS_CONVNETS_TEST_DEEP_EXPORT all, those of keras.applications among them. With ``-s``,
each prints a row of a table: what was folded, of how many, the difference, that between the images,
and the layers before and after.
"""

import os

import folded_networks
import pytest

from keras_convnets import list_models

TABLE = folded_networks.table()
SMALL = ["cifar_resnet_20", "cifar_plain_20", "resnet_18", "notes_densenet", "MobileNetV2"]
LARGER = ["inception_v3", "resnext_50_32x4d", "se_resnet_50", "resnet_v2_50", "densenet_121"]
LARGER += ["cifar_preact_resnet_110", "cifar_plain_110", "googlenet_bn", "wide_resnet_16_8"]
LARGER += ["EfficientNetB0", "MobileNetV3Small", "Xception", "NASNetMobile"]
TOLERANCE = 1e-5  # relative to the largest output, in float32
DEEP, ALL = "KERAS_CONVNETS_TEST_DEEP", "KERAS_CONVNETS_TEST_DEEP_EXPORT"
ROW = "| {} | {} | {} | {:.1e} | {:.2g} | {} | {} |"


def check(name, data_format="channels_last"):
    counts = TABLE[name]
    model, x = folded_networks.network(name, counts.size, data_format)
    found = folded_networks.found(model, x)
    print("\n" + ROW.format(name, *found))
    assert (found.folded, found.norms) == (counts.folded, counts.norms)
    assert found.layers - found.left == found.folded
    assert found.spread > 1000 * TOLERANCE  # between the images
    assert found.difference < TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_small_networks(name):
    check(name)


@pytest.mark.parametrize("name", ["cifar_resnet_20", "notes_densenet"])
def test_small_networks_of_channels_first(name):
    check(name, "channels_first")


@pytest.mark.skipif(DEEP not in os.environ, reason="larger networks: .ci/run folds them")
@pytest.mark.parametrize("name", LARGER)
def test_larger_networks(name):
    check(name)


@pytest.mark.slow
@pytest.mark.skipif(ALL not in os.environ, reason=f"half an hour: set {ALL}=1")
@pytest.mark.parametrize("name", TABLE)
def test_every_network(name):
    check(name)


def test_the_table_has_all_networks():
    assert set(TABLE) == {*list_models(), *folded_networks.applications()}
