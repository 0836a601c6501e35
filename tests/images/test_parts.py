"""Only what is needed of a file is decoded: the pixels are those of the whole image."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_convnets.images import contents, decoding
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Encoded, Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.images.resizing import KERNELS
from keras_convnets.training.data.augmentation import AUGMENTATIONS
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches

PHOTOGRAPH = Image.fromarray(load_sample_images().images[0])
ROTATED = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
JPEGS = {
    "4:4:4": ("RGB", {"subsampling": "4:4:4"}),
    "4:2:2": ("RGB", {"subsampling": "4:2:2"}),
    "4:2:0": ("RGB", {"subsampling": "4:2:0"}),
    "4:1:1": ("RGB", {"subsampling": "4:1:1"}),
    "progressive": ("RGB", {"progressive": True}),
    "restarts": ("RGB", {"restart_marker_blocks": 2}),
    "grey": ("L", {}),
    "CMYK": ("CMYK", {}),
    "rotated": (
        "RGB",
        {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"},
    ),
}
SIZES = ((97, 61), (33, 100), (17, 16), (1, 40), (40, 1), (1, 1))


def encoded(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def whole(data, channels=3):
    return tf.io.decode_image(data, channels, expand_animations=False)


@tf.function(input_signature=[tf.TensorSpec((), tf.string), tf.TensorSpec((4,), tf.int32)])
def decoded(data, window):
    return decoding.part(data, lambda _: window)


@pytest.mark.parametrize("name", JPEGS)
def test_any_part_of_any_jpeg_is_that_of_the_whole_image(name):
    mode, options = JPEGS[name]
    random = np.random.default_rng(0)
    for size in SIZES:
        data = encoded(PHOTOGRAPH.resize(size).convert(mode), **options)
        image = whole(data)
        for _ in range(8):
            rows, cols = (random.integers(1, side + 1) for side in size[::-1])
            top, left = (
                random.integers(0, size[1] - rows + 1),
                random.integers(0, size[0] - cols + 1),
            )
            found, given = decoded(data, [top, left, rows, cols])
            assert given.numpy().tolist() == list(size[::-1])
            assert np.array_equal(found, image[top : top + rows, left : left + cols])


def test_of_other_files_the_whole_is_decoded():
    for kind in ("PNG", "GIF"):
        data = encoded(PHOTOGRAPH.resize((40, 30)), kind)
        found, given = decoded(data, [3, 5, 20, 10])
        assert (found.shape, given.numpy().tolist()) == ((20, 10, 3), [30, 40])
        assert np.array_equal(found, whole(data)[3:23, 5:15])


def test_a_jpeg_without_its_end_is_refused_whatever_its_window():
    data = encoded(PHOTOGRAPH.resize((300, 200)))
    for length in (len(data) // 2, len(data) - 40):
        with pytest.raises(tf.errors.InvalidArgumentError):
            whole(data[:length])
        with pytest.raises(tf.errors.InvalidArgumentError):
            decoded(data[:length], [0, 0, 8, 8])
    found, _ = decoded(data + b"what a camera puts there", [3, 5, 20, 10])
    assert np.array_equal(found, whole(data)[3:23, 5:15])


def plain_crop(image, shorter_side, kernel):
    """torchvision's crop: the whole image scaled, columns first, and rounded after each."""
    given = np.array(image.shape[:2])
    sizes = given * shorter_side // given.min()
    place, scale = np.round((sizes - 224) / 2), (sizes / given).astype("float32")
    for rows, change in ((given[0], np.array([0, 1])), (224, np.array([1, 0]))):
        image = tf.raw_ops.ScaleAndTranslate(
            images=tf.cast(image, tf.float32)[tf.newaxis],
            size=(rows, 224),
            scale=np.where(change, scale, 1).astype("float32"),
            translation=(-place * change).astype("float32"),
            kernel_type=KERNELS[kernel],
        )[0]
        image = np.clip(np.floor(image + 0.5), 0, 255)
    return image


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(500, 375), (90, 140)])
def test_images_of_weights_are_bit_for_bit_those_of_the_whole_image_scaled(size, kernel):
    data = encoded(PHOTOGRAPH.resize(size), quality=90)
    for side in (224, 256):
        prepare = Preprocessing(
            *(3, 224, 224, 1.0), resize="crop", shorter_side=side, interpolation=kernel
        )
        expected = plain_crop(whole(data), side, kernel)
        assert np.array_equal(prepare(whole(data)), expected)
        assert np.array_equal(tf.function(prepare.of_encoded)(tf.constant(data)), expected)


@pytest.mark.parametrize("resize", ["crop", "stretch", "none"])
@pytest.mark.parametrize("size", [(500, 375), (233, 640)])
def test_other_images_are_within_a_hundredth_of_a_shade(size, resize):
    data = encoded(PHOTOGRAPH.resize(size), quality=90)
    prepare = Preprocessing(3, 224, 224, 1.0, resize=resize)
    found = prepare(whole(data)).numpy()
    assert np.array_equal(tf.function(prepare.of_encoded)(tf.constant(data)), found)
    side = {"crop": 256, "none": 224}.get(resize)
    sizes = [round(n * side / min(size)) for n in size[::-1]] if side else (224, 224)
    scaled = tf.image.resize(whole(data), sizes, antialias=True).numpy()
    top, left = ((n - 224) // 2 for n in sizes)
    assert np.abs(found - scaled[top : top + 224, left : left + 224]).max() < 0.01


def test_large_photographs_are_decoded_smaller_to_train_on():
    """The bounds are those that the documentation tells."""
    data = encoded(PHOTOGRAPH.resize((640, 480), Image.Resampling.LANCZOS), quality=90)
    window = tf.constant([21, 35, 420, 562])
    for least, rows in (((105, 105), 105), ((106, 106), 210), ((211, 211), 420), ((9, 9), 53)):
        found, _ = decoding.part(tf.constant(data), lambda _: window, 3, least)
        assert found.shape[0] == rows
    found, _ = decoding.part(tf.constant(data), lambda _: window, 3, (210, 210))
    within = whole(data)[20:440, 34:596]  # the crop's sides are whole pixels of both sizes
    exact = tf.image.resize(within, (105, 105), antialias=True)
    differences = np.abs(tf.image.resize(found, (105, 105), antialias=True) - exact)
    assert 0 < differences.mean() < 2
    assert np.percentile(differences, 99) < 12


def files(count=13):
    """JPEGs, a PNG and a BMP, as a folder has them."""
    made = [encoded(PHOTOGRAPH.resize((60 + 3 * number, 50))) for number in range(count - 2)]
    made += [encoded(PHOTOGRAPH.resize((50, 70)), kind) for kind in ("PNG", "BMP")]
    table = tf.constant(np.array(made, object))

    def read_many(many):
        return decoding.encoded(contents.checked, tf.gather(table, many))

    return Images(
        labels=np.zeros(count, np.int32),
        read=lambda number: decoding.decode(table[number]),
        array=None,
        describe=str,
        encoded=Encoded(read_many),
    )


@pytest.mark.parametrize("augmentation", ["resized-crop", "crop-flip"])
def test_batches_of_files_are_those_of_decoded_images(augmentation):
    of_files = files().subset(np.array([12, *range(12)]))
    of_pixels = Images(of_files.labels, of_files.read, None, str)
    prepare = Preprocessing(3, 24, 32, 255.0, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), resize="crop")
    seen = []
    for images in (of_files, of_pixels):
        data = Data("files", images, images, images, ("a",), prepare, augmentation)
        batches = training_batches(data, 6, seed=1, epoch=2)
        assert len(batches) == 2
        tests = evaluation_batches(images, prepare, 5)
        assert len(tests) == 3
        seen.append([image for many in (batches, tests) for image, _ in many.as_numpy_iterator()])
    for ours, theirs in zip(*seen, strict=True):
        assert np.array_equal(ours, theirs)


def test_half_of_the_resized_crops_are_flipped():
    augmentation = AUGMENTATIONS["resized-crop"]
    numbers = np.full((2, augmentation.numbers), 0.7, "float32")
    numbers[1, 2] = 0.3
    image = np.arange(24).reshape(2, 4, 3)
    assert np.array_equal(augmentation.mirrored(image, numbers[0]), image)
    assert np.array_equal(augmentation.mirrored(image, numbers[1]), image[:, ::-1])
