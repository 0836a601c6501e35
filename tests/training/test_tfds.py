import sys

import numpy as np
import pytest

from keras_convnets.images import reading
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.data.pipeline import training_batches

tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
pytest.importorskip("importlib_resources", reason="tensorflow-datasets 4.9.10 needs it")


class _Builder(tfds.core.GeneratorBasedBuilder):
    """Makes a few pictures; the number of each tells its size and its label."""

    VERSION = tfds.core.Version("1.0.0")
    SHAPE = (None, None, 3)
    SPLITS = {"train": range(30), "test": range(30, 40)}
    LABELLED = ("train", "validation", "test")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=self.SHAPE),
            "label": tfds.features.ClassLabel(names=["lily", "rose"]),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, _):
        return {
            part: self._generate_examples(part, numbers) for part, numbers in self.SPLITS.items()
        }

    def _generate_examples(self, part, numbers):
        for number in numbers:
            label = number % 2 if part in self.LABELLED else -1
            yield number, {"image": self.picture(number), "label": label}

    @classmethod
    def picture(cls, number):
        sizes = (12 + number % 3, 10) if cls.SHAPE[0] is None else cls.SHAPE[:2]
        return np.full((*sizes, cls.SHAPE[2]), 5 * number, np.uint8)  # small once encoded


class TinyFlowers(_Builder):
    """Pictures of many sizes."""


class TinyGrey(_Builder):
    """Grey pictures of one size, with a test without labels."""

    SHAPE = (9, 8, 1)
    SPLITS = {"train": range(30), "test": range(30, 40), "validation": range(40, 46)}
    LABELLED = ("train", "validation")


class TinyTests(_Builder):
    """Nothing to train on."""

    SPLITS = {"test": range(4)}


class TinyWords(_Builder):
    """No images."""

    def _info(self):
        features = {"label": tfds.features.ClassLabel(names=["a", "b"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self, _, numbers):
        for number in numbers:
            yield number, {"label": number % 2}


class TinyNeedy(_Builder):
    """Needs a package that is not there."""

    def _split_generators(self, _):
        raise ModuleNotFoundError("No module named 'pydub'", name="pydub")


class TinyFaulty(_Builder):
    """Cannot be prepared, as where there is no network."""

    def _split_generators(self, _):
        raise OSError("Network is unreachable\nin many lines")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folders of the pictures, by the format of their files."""
    folders = {}
    for file_format in ("tfrecord", "array_record"):
        folders[file_format] = tmp_path_factory.mktemp(file_format)
        TinyFlowers(data_dir=folders[file_format], file_format=file_format).download_and_prepare()
    return folders


def check(data):
    """Check every picture against the number that it was made from."""
    expected = {TinyFlowers.picture(number).tobytes(): number for number in range(40)}
    for images, numbers in ((data.train, range(30)), (data.test, range(30, 40))):
        read = [images.read(np.int64(number)).numpy().tobytes() for number in range(len(images))]
        found = [expected[pixels] for pixels in read]
        assert sorted(found) == list(numbers)
        assert images.labels.tolist() == [number % 2 for number in found]
    batches = evaluation_batches(data.test, data.preprocessing, 4)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert len(list(training_batches(data, 10, seed=0, epoch=0))) == 3


# Enough for all pictures; for the files' contents alone; for neither.
ROOM = {"decoded": 2**20, "encoded": 5_000, "in files": 100}


@pytest.mark.parametrize("kept", ROOM)
@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_pictures_of_either_format_of_files(prepared, file_format, kept, monkeypatch):
    monkeypatch.setattr(reading, "MEMORY", ROOM[kept])
    arguments = {"data_dir": prepared[file_format], "image_size": 16}
    if (file_format, kept) == ("tfrecord", "in files"):
        with pytest.raises(ValueError, match="tfds build tiny_flowers --file_format=array_record"):
            load_data("tfds:tiny_flowers", **arguments)
        return
    data = load_data("tfds:tiny_flowers", **arguments)
    check(data)
    assert (data.name, data.class_names) == ("tiny_flowers", ("lily", "rose"))
    assert (data.augmentation, data.preprocessing.resize) == ("resized-crop", "crop")
    assert data.test.describe(3) == "tiny_flowers test 3"


def test_a_plain_name_does_where_none_of_ours_is_meant(prepared):
    data = load_data("tiny_flowers", data_dir=prepared["tfrecord"])
    assert data.image_shape == (3, 224, 224)


def test_grey_pictures_of_one_size_stay_so_and_a_test_without_labels_is_left_out(tmp_path):
    data = load_data("tfds:tiny_grey", data_dir=tmp_path)
    assert (data.image_shape, data.augmentation) == ((1, 9, 8), "crop")
    assert data.preprocessing.resize == "none"
    assert [len(images) for images in (data.train, data.validation, data.test)] == [30, 6, 6]
    assert {image.tobytes() for image in data.train.array} == {
        TinyGrey.picture(number).tobytes() for number in range(30)
    }
    assert (tmp_path / "tiny_grey" / "1.0.0").is_dir()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tfds:tiny_flower_s", "TensorFlow Datasets has no data set 'tiny_flower_s'"),
        ("tfds:", "TensorFlow Datasets has no data set ''"),
        ("tiny_flower_s", "received 'tiny_flower_s'; expected 'digits', .* 'tfds:NAME'"),
        ("tfds:tiny_words", "'tiny_words' of TensorFlow Datasets does not hold images"),
        ("tfds:tiny_tests", "'tiny_tests' of TensorFlow Datasets has no training images, only te"),
        ("tfds:tiny_needy", r"'tiny_needy' .* needs another package .*Run pip install pydub\."),
        ("tfds:tiny_faulty", r"'tiny_faulty' .* cannot be prepared \(OSError: Network is unreach"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(tmp_path, name, words):
    with pytest.raises(ValueError, match=f"^data: {words}") as caught:
        load_data(name, data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_without_the_package_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(
        ValueError, match=r"^data: .*Run pip install tensorflow-datasets importlib_resources\.$"
    ):
        load_data("tfds:mnist")
    with pytest.raises(
        ValueError, match="data: received 'svhn_cropped'; .*after pip install tensorf"
    ):
        load_data("svhn_cropped")
