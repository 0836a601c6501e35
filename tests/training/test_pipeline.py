import hashlib

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets.images.batches import evaluation_batches, untuned
from keras_convnets.images.labelled import Images, from_array, from_arrays
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.data.pipeline import explain, steps_per_epoch, training_batches

SIZE, COUNT, BATCH = 8, 50, 12
CLASSES = ("a", "b", "c")
ALL = "crop-flip+rotation+color-jitter+randaugment+erasing:0.5+mixup+cutmix"


def pixels(count=COUNT, size=SIZE, channels=3):
    """Random pixels; the first of each image is its number, so that it can be told again."""
    array = np.random.default_rng(0).integers(1, 255, (count, size, size, channels), np.uint8)
    array[:, 0, 0, 0] = np.arange(count)
    return array


def data_of(images, augmentation="none", **changes):
    preprocessing = Preprocessing(3, SIZE, SIZE, scale=1.0, **changes)
    return Data("random", images, images, images, CLASSES, preprocessing, augmentation)


def in_memory(augmentation="none", **changes):
    images = from_array(pixels(), np.arange(COUNT) % len(CLASSES), "random {}".format)
    return data_of(images, augmentation, **changes)


def one_by_one(augmentation="none", **changes):
    """The same images, as a folder has them."""
    images = in_memory().train
    return data_of(
        Images(images.labels, images.read, None, images.describe), augmentation, **changes
    )


def batches(data, batch_size=BATCH, seed=0, epoch=0, **place):
    dataset = training_batches(data, batch_size, seed=seed, epoch=epoch, **place)
    return [(images, labels) for images, labels in dataset.as_numpy_iterator()]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(ours, theirs)
        for ones, others in zip(first, second, strict=True)
        for ours, theirs in zip(ones, others, strict=True)
    )


def numbers(found):
    return np.concatenate([images[:, 0, 0, 0] for images, _ in found])


@pytest.mark.parametrize("make", [in_memory, one_by_one])
def test_an_epoch_has_each_image_once_with_its_label_and_leaves_a_remainder_out(make):
    found = batches(make())
    assert [images.shape for images, _ in found] == [(BATCH, SIZE, SIZE, 3)] * (COUNT // BATCH)
    seen = numbers(found)
    assert len(set(seen)) == len(seen) == COUNT // BATCH * BATCH
    assert not np.array_equal(seen, np.sort(seen))
    assert np.array_equal(np.concatenate([labels for _, labels in found]), seen % len(CLASSES))
    images = np.concatenate([images for images, _ in found])
    assert np.array_equal(images, pixels()[seen.astype(int)])


@pytest.mark.parametrize("augmentation", [*AUGMENTATIONS, ALL])
def test_images_in_memory_and_images_read_one_by_one_are_treated_alike(augmentation):
    assert same(batches(in_memory(augmentation)), batches(one_by_one(augmentation)))


@pytest.mark.parametrize("make", [in_memory, one_by_one])
@pytest.mark.parametrize("augmentation", ["crop-flip", "resized-crop"])
def test_from_any_first_step_an_epoch_goes_on_as_it_would_have(make, augmentation):
    whole = batches(make(augmentation), epoch=3)
    for first_step in range(len(whole) + 1):
        rest = batches(make(augmentation), epoch=3, first_step=first_step)
        assert same(rest, whole[first_step:])


@pytest.mark.parametrize("make", [in_memory, one_by_one])
@pytest.mark.parametrize(("replicas", "pipelines"), [(2, 1), (2, 2), (4, 2), (6, 3)])
def test_replicas_share_the_batches_of_one(make, replicas, pipelines):
    data = make("crop-flip")
    whole = batches(data, first_step=1)
    places = [
        batches(data, first_step=1, replicas=replicas, pipeline=pipeline, pipelines=pipelines)
        for pipeline in range(pipelines)
    ]
    each = replicas // pipelines
    for step, (images, labels) in enumerate(whole):
        shares = [share for place in places for share in place[step * each : (step + 1) * each]]
        assert len(shares[0][1]) == BATCH // replicas
        assert np.array_equal(np.concatenate([images for images, _ in shares]), images)
        assert np.array_equal(np.concatenate([labels for _, labels in shares]), labels)


def test_epochs_and_seeds_differ_and_nothing_else_matters():
    data = in_memory("crop-flip")
    tf.random.set_seed(1)
    first = batches(data, seed=5, epoch=2)
    tf.random.set_seed(2)
    np.random.default_rng().random()
    assert same(first, batches(in_memory("crop-flip"), seed=5, epoch=2))
    for seed, epoch in ((5, 3), (6, 2), (2, 5)):
        other = batches(data, seed=seed, epoch=epoch)
        assert not np.array_equal(
            np.concatenate([labels for _, labels in first]),
            np.concatenate([labels for _, labels in other]),
        )


# SHA-256 of batches of the version that knew no other augmentations.
BEFORE = {
    "none": "d0d9d6788c348f39",
    "shift": "bfd44e391979575e",
    "crop": "5bd107423eed60a4",
    "crop-flip": "3350efc674ceeb86",
    "resized-crop": "b340d60e9ade127f",
}


@pytest.mark.parametrize("augmentation", BEFORE)
def test_crops_and_flips_are_those_of_all_versions(augmentation):
    data = load_data("digits", image_size=12, channels=3, augmentation=augmentation)
    digest = hashlib.sha256()
    for epoch in (0, 3):
        for images, labels in batches(data, 64, seed=5, epoch=epoch, first_step=18):
            digest.update(images.tobytes() + labels.tobytes())
    assert digest.hexdigest()[:16] == BEFORE[augmentation]


def test_all_changes_depend_on_the_position_alone():
    data = one_by_one(ALL)
    whole = batches(data, epoch=1)
    assert same(batches(data, epoch=1, first_step=2), whole[2:])
    shares = [
        batches(data, epoch=1, replicas=2, pipeline=pipeline, pipelines=2) for pipeline in (0, 1)
    ]
    halves = [
        (np.concatenate([one, other]) for one, other in zip(*pair, strict=True))
        for pair in zip(*shares, strict=True)
    ]
    assert same([tuple(half) for half in halves], whole)
    images, labels = (
        np.concatenate(parts) for parts in zip(*batches(data, BATCH // 2, epoch=1), strict=True)
    )
    for step, (some, their_labels) in enumerate(whole):
        place = slice(step * BATCH, (step + 1) * BATCH)
        assert np.array_equal(images[place], some)
        assert np.array_equal(labels[place], their_labels)
    assert not np.array_equal(batches(data, epoch=2)[0][0], whole[0][0])


def test_other_changes_leave_the_order_and_the_crops_alone():
    plain, erased = (batches(in_memory(name)) for name in ("crop-flip", "crop-flip+erasing:1"))
    for (images, labels), (changed, same_labels) in zip(plain, erased, strict=True):
        assert np.array_equal(labels, same_labels)
        kept = np.any(changed != 0, axis=-1)
        assert np.array_equal(changed[kept], images[kept])
        assert 0.3 < kept.mean() < 0.7
    _, shares = batches(in_memory("crop-flip+mixup"))[0]
    assert shares.shape == (BATCH, len(CLASSES))
    assert np.allclose(shares.sum(axis=1), 1)
    pairs = plain[0][1].reshape(-1, 2)
    for share, pair in zip(shares, np.repeat(pairs, 2, axis=0), strict=True):
        assert set(np.flatnonzero(share)) <= set(pair)


def test_one_image_is_augmented_otherwise_in_each_epoch():
    image = from_array(pixels(1), np.zeros(1), str)
    seen = {batches(data_of(image, "crop"), 1, epoch=epoch)[0][0].tobytes() for epoch in range(10)}
    assert len(seen) > 5


@pytest.mark.parametrize("make", [in_memory, one_by_one])
def test_channels_first_is_the_same_transposed(make):
    data = make("crop-flip")
    for last, first in (
        (batches(data), batches(data, data_format="channels_first")),
        (evaluated(data), evaluated(data, "channels_first")),
    ):
        for (images, labels), (transposed, same_labels) in zip(last, first, strict=True):
            assert np.array_equal(np.moveaxis(transposed, 1, -1), images)
            assert np.array_equal(labels, same_labels)


@pytest.mark.parametrize("make", [in_memory, one_by_one])
@pytest.mark.parametrize(
    ("data_format", "image"),
    [("channels_last", (SIZE, SIZE, 3)), ("channels_first", (3, SIZE, SIZE))],
)
def test_shapes_and_types_are_known_beforehand(make, data_format, image):
    data = make("crop-flip")
    spec = training_batches(data, BATCH, seed=0, epoch=0, data_format=data_format).element_spec
    assert [tuple(tensor.shape) for tensor in spec] == [(BATCH, *image), (BATCH,)]
    assert [tensor.dtype for tensor in spec] == [tf.float32, tf.int32]
    spec = evaluation_batches(data.test, data.preprocessing, 7, data_format).element_spec
    assert [tuple(tensor.shape) for tensor in spec] == [(None, *image), (None,)]
    assert [tensor.dtype for tensor in spec] == [tf.float32, tf.int32]


def evaluated(data, data_format="channels_last"):
    dataset = evaluation_batches(data.test, data.preprocessing, 16, data_format)
    return list(dataset.as_numpy_iterator())


@pytest.mark.parametrize("make", [in_memory, one_by_one])
def test_evaluation_takes_all_images_in_order_and_unchanged(make):
    found = evaluated(make("crop-flip"))
    assert [len(labels) for _, labels in found] == [16, 16, 16, 2]
    assert np.array_equal(np.concatenate([images for images, _ in found]), pixels())


def test_both_ways_of_reading_preprocess_alike():
    changes = {"mean": (1, 2, 3), "std": (4, 5, 6), "resize": "crop"}
    for ours, theirs in zip(
        evaluated(in_memory(**changes)), evaluated(one_by_one(**changes)), strict=True
    ):
        assert np.allclose(ours[0], theirs[0], atol=1e-5)
    assert np.isclose(evaluated(in_memory(**changes))[0][0].mean(), (127 - 2) / 5, atol=2)


def test_a_part_that_is_cut_out_is_seen_up_to_its_edges():
    """ImageNet's training resizes the part; to cut out its middle is for evaluation alone."""
    columns = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, np.newaxis], (300, 48, 64, 3))
    data = data_of(from_array(columns, np.zeros(300), str), "resized-crop", resize="crop")
    [(images, _)] = batches(data, 300)
    spans = np.abs(images[:, 0, -1, 0] - images[:, 0, 0, 0])
    assert spans.max() > 64 * 0.7  # of 64 columns; the outer pixels are means of several


def test_images_of_many_sizes_are_read_from_memory():
    arrays = [np.full((SIZE + number, SIZE, 3), number, np.uint8) for number in range(20)]
    images = from_arrays(arrays, np.zeros(20, int), str)
    assert images.array is None
    data = data_of(images, "resized-crop", resize="stretch")
    found = batches(data, 10)
    assert sorted(numbers(found).round()) == list(range(20))
    assert [images.read(tf.constant(n, tf.int64)).shape[0] for n in (0, 7)] == [SIZE, SIZE + 7]


def test_subsets_keep_what_belongs_together():
    for data in (in_memory(), one_by_one()):
        some = data.train.subset(np.array([7, 3, 40])).subset(np.array([2, 0]))
        assert some.labels.tolist() == [40 % 3, 7 % 3]
        assert [some.describe(number) for number in range(2)] == ["random 40", "random 7"]
        found = list(evaluation_batches(some, data.preprocessing, 5).as_numpy_iterator())
        assert numbers(found).tolist() == [40, 7]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"batch_size": COUNT + 1}, "batch_size: received 51; expected at most the 50 training im"),
        ({"batch_size": 0}, "batch_size: received 0; expected an integer of at least 1"),
        ({"replicas": 5}, "batch_size: received 12; expected a multiple of the 5 replicas .* 10 f"),
        ({"replicas": 4, "pipelines": 3}, "pipelines: received 3; expected a divisor of the 4"),
        ({"pipelines": 2}, "pipelines: received 2; expected a divisor of the 1"),
        ({"replicas": 2, "pipelines": 2, "pipeline": 2}, "pipeline: received 2; expected 0 to 1"),
        ({"first_step": 5}, "first_step: received 5; expected 0 to 4"),
        ({"first_step": -1}, "first_step: received -1; expected 0 to 4"),
        ({"data_format": "channel_first"}, "data_format: received 'channel_first'"),
        ({"batch_size": 25}, "batch_size: received 25; expected an even number, .* Pass 26"),
        ({"replicas": 4}, "batch_size: received 12, 3 on each of 4 replicas; .* Pass 16"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        training_batches(
            in_memory("mixup"), **{"batch_size": BATCH, "seed": 0, "epoch": 0} | arguments
        )


def test_steps_are_whole_batches():
    assert steps_per_epoch(in_memory(), BATCH) == 4
    assert steps_per_epoch(in_memory(), COUNT) == 1
    with pytest.raises(ValueError, match="batch_size: received 51"):
        steps_per_epoch(in_memory(), COUNT + 1)


def test_errors_of_other_kinds_are_not_explained_by_images():
    assert explain(RuntimeError("no"), one_by_one()) is None
    assert explain(tf.errors.InternalError(None, None, "no"), one_by_one()) is None


@pytest.mark.parametrize("make", [in_memory, one_by_one])
def test_no_thread_tunes_a_pass_whose_end_might_wait_for_it(make):
    data = make()
    for found in (
        training_batches(data, BATCH, seed=0, epoch=0),
        evaluation_batches(data.test, data.preprocessing, BATCH),
    ):
        assert found.options().autotune.enabled is False


def test_who_asks_for_tuning_gets_it():
    asked = tf.data.Options()
    asked.autotune.enabled = True
    assert untuned(tf.data.Dataset.range(3).with_options(asked)).options().autotune.enabled
