import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.training.data.augmentation import AUGMENTATIONS, Augmentation

MANY = 4000


def draws(augmentation, count=MANY, seed=0):
    return np.random.default_rng(seed).random((count, augmentation.numbers), np.float32)


def numbered(rows, cols):
    """An image whose pixels tell where they were, from 1."""
    return 1 + np.arange(rows * cols, dtype="float32").reshape(1, rows, cols, 1)


def shifted(augmentation, image, numbers):
    images = tf.constant(np.repeat(image, len(numbers), axis=0))
    return augmentation.shifted(images, numbers).numpy()


@pytest.mark.parametrize(
    ("name", "pad", "flip"), [("shift", 3, False), ("crop", 4, False), ("crop-flip", 4, True)]
)
def test_every_crop_of_the_padded_image_is_as_likely_and_half_are_flipped(name, pad, flip):
    rows, cols, augmentation = 6, 5, AUGMENTATIONS[name]
    image = numbered(rows, cols)
    padded = np.pad(image[0, :, :, 0], pad)
    crops = {
        (top, left, mirrored): crop[:, ::-1] if mirrored else crop
        for top in range(2 * pad + 1)
        for left in range(2 * pad + 1)
        for mirrored in (False, True)
        for crop in [padded[top : top + rows, left : left + cols]]
    }
    seen = dict.fromkeys(crops, 0)
    places = {crop.tobytes(): place for place, crop in crops.items() if crop.any()}
    for found in shifted(augmentation, image, draws(augmentation))[..., 0]:
        seen[places[found.tobytes()]] += 1
    tops, lefts = np.zeros(2 * pad + 1), np.zeros(2 * pad + 1)
    for (top, left, _), count in seen.items():
        tops[top] += count
        lefts[left] += count
    mirrored = sum(count for (*_, mirrored), count in seen.items() if mirrored)
    for counts in (tops, lefts):  # within five standard deviations of a uniform distribution
        share = 1 / len(counts)
        assert np.abs(counts / MANY - share).max() < 5 * np.sqrt(share * (1 - share) / MANY)
    assert abs(mirrored / MANY - 0.5 * flip) <= 5 * 0.5 / np.sqrt(MANY) * flip


def test_what_is_padded_is_the_mean_colour():
    augmentation = Augmentation(pad=4)
    images = shifted(augmentation, np.full((1, 4, 4, 3), 9, "float32"), np.zeros((1, 3), "float32"))
    assert not images.any()  # the crop in the upper left corner is padding alone


def test_each_image_follows_its_own_numbers_alone():
    augmentation, numbers = AUGMENTATIONS["crop-flip"], draws(AUGMENTATIONS["crop-flip"], 7)
    images = np.random.default_rng(1).random((7, 6, 5, 3), "float32")
    together = augmentation.shifted(tf.constant(images), numbers).numpy()
    for number in range(7):
        alone = augmentation.shifted(
            tf.constant(images[number : number + 1]), numbers[number : number + 1]
        )
        assert np.array_equal(alone.numpy()[0], together[number])


def test_no_augmentation_changes_nothing():
    image = numbered(3, 4)
    assert np.array_equal(
        shifted(AUGMENTATIONS["none"], image, draws(AUGMENTATIONS["none"], 1)), image
    )
    assert AUGMENTATIONS["crop"].cut_out(image[0], draws(AUGMENTATIONS["crop"], 1)[0]) is not None


@pytest.mark.parametrize(("rows", "cols"), [(300, 400), (400, 300)])
def test_parts_of_random_area_and_aspect_are_cut_out(rows, cols):
    """Most tries fit, so that areas and aspects are those drawn; all are within their ranges."""
    augmentation, image = AUGMENTATIONS["resized-crop"], tf.constant(numbered(rows, cols)[0])
    cut = tf.function(lambda numbers: augmentation.cut_out(image, numbers))
    parts = [cut(numbers).numpy() for numbers in draws(augmentation, 600)]
    heights, widths = np.array([part.shape[:2] for part in parts]).T
    areas, aspects = heights * widths / (rows * cols), widths / heights
    assert areas.min() > 0.079
    assert areas.min() < 0.11
    assert areas.max() <= 1
    assert areas.max() > 0.9
    assert aspects.min() >= 3 / 4 - 0.02
    assert aspects.max() <= 4 / 3 + 0.02
    assert abs(np.log(aspects[areas < 0.5]).mean()) < 0.05  # as often wide as tall
    tops, lefts = np.divmod(np.array([part[0, 0, 0] for part in parts]) - 1, cols)
    for starts, spare in ((tops, rows - heights), (lefts, cols - widths)):
        assert np.all((starts >= 0) & (starts <= spare))
        where = starts[spare > 20] / spare[spare > 20]
        assert abs(where.mean() - 0.5) < 0.06
        assert where.min() < 0.05
        assert where.max() > 0.95


@pytest.mark.parametrize(
    ("rows", "cols", "part"), [(10, 200, (10, 13)), (200, 10, (13, 10)), (1, 1, (1, 1))]
)
def test_where_no_try_fits_as_much_as_may_be_is_cut_out(rows, cols, part):
    augmentation = AUGMENTATIONS["resized-crop"]
    numbers = np.full(augmentation.numbers, 0.999, "float32")
    assert augmentation.cut_out(tf.zeros((rows, cols, 3)), numbers).shape[:2] == part
