"""Mixup and CutMix: images and labels in their shares."""

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.training.data.augmentation_names import augmentation_named
from keras_convnets.training.data.changes.draws import drawn
from keras_convnets.training.data.changes.mixing import check_pairs, mixed

MANY, ROWS, COLS = 6000, 8, 10
IMAGES = np.random.default_rng(0).random((4, ROWS, COLS, 3), np.float32)
LABELS = np.eye(4, dtype=np.float32)
PARTNERS = [1, 0, 3, 2]


def draws(name, images=MANY):
    return drawn(augmentation_named(name), images, (3, ROWS, COLS), 0, 0)


def found_of(kept, boxes, shares):
    values = {"mixed": kept, "pasted": boxes, "share": np.float32(shares)}
    kinds = {"mixed": tf.float32, "pasted": tf.int32, "share": tf.float32}
    return {n: tf.constant(v, kinds[n]) for n, v in values.items() if v is not None}


def test_mixup_adds_shares_of_pixels_and_labels():
    shares = np.array([0.75, 1, 0, 0.25], np.float32)
    images, labels = mixed(IMAGES, LABELS, found_of(shares, None, shares))
    by_image = shares[:, None, None, None]
    assert np.allclose(images, by_image * IMAGES + (1 - by_image) * IMAGES[PARTNERS], atol=1e-7)
    assert np.array_equal(
        labels, [[0.75, 0.25, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0.75, 0.25]]
    )


@pytest.mark.parametrize("kept", [None, np.ones(4)])
def test_cutmix_pastes_a_box_of_the_partner_in_the_same_place(kept):
    boxes = [[0, 0, 4, 5], [0, 0, 0, 0], [0, 0, ROWS, COLS], [7, 9, 8, 10]]
    shares = [0.75, 1, 0, 1 - 1 / 80]
    images, labels = mixed(IMAGES, LABELS, found_of(kept, boxes, shares))
    expected = IMAGES.copy()
    expected[0, :4, :5] = IMAGES[1, :4, :5]
    expected[2] = IMAGES[3]
    expected[3, 7, 9] = IMAGES[2, 7, 9]
    assert np.array_equal(images, expected)
    assert np.allclose(labels[3], [0, 0, 1 / 80, 1 - 1 / 80])


def test_shares_of_mixup_are_of_the_beta_distribution():
    for alpha in (0.2, 1.0):
        found = draws(f"mixup:{alpha}")
        assert np.array_equal(found["share"], found["mixed"])
        assert "pasted" not in found
        assert abs(found["share"].mean() - 0.5) < 0.03
        assert abs(found["share"].var() - 1 / (4 * (2 * alpha + 1))) < 0.01


def test_labels_of_cutmix_follow_the_true_area():
    found = draws("cutmix:1")
    top, left, bottom, right = found["pasted"].T
    areas = (bottom - top) * (right - left) / (ROWS * COLS)
    assert np.allclose(found["share"], 1 - areas)
    assert "mixed" not in found
    assert np.all((found["pasted"] >= 0) & (found["pasted"] <= [ROWS, COLS, ROWS, COLS]))
    assert areas.max() > 0.75
    assert 0.15 < areas.mean() < 0.35  # half of it, less what is outside the image


def test_with_both_half_of_the_images_are_for_each():
    found = draws("mixup:0.2+cutmix:1")
    is_cut = found["mixed"] == 1
    assert abs(is_cut.mean() - 0.5) < 5 * 0.5 / np.sqrt(MANY) + 0.05  # some shares of mixup are 1
    assert not found["pasted"][~is_cut].any()


@pytest.mark.parametrize(("batch", "replicas"), [(33, 1), (6, 2), (12, 4)])
def test_images_without_a_partner_are_refused(batch, replicas):
    check_pairs("crop-flip+erasing", batch, replicas)
    with pytest.raises(
        ValueError, match=f"^batch_size: received {batch}.* Pass {batch + replicas},"
    ):
        check_pairs("mixup", batch, replicas)
    check_pairs("mixup", batch + replicas, replicas)
