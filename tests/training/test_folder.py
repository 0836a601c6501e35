import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from image_folders import CLASSES, write, write_classes

from encoded import png
from keras_convnets.images import reading
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.contents import NOT_WHOLE
from keras_convnets.images.kinds import KINDS
from keras_convnets.images.reading import unreadable
from keras_convnets.training.data.loading import load_data
from keras_convnets.training.data.pipeline import explain, training_batches


@pytest.fixture
def flowers(tmp_path):
    return write_classes(tmp_path / "flowers")


@pytest.fixture(params=["in memory", "in files"])
def kept(request, monkeypatch):
    """Run a test with the images in memory, and with images that do not fit into it."""
    if request.param == "in files":
        monkeypatch.setattr(reading, "MEMORY", 100_000)


def test_class_folders_are_classes_and_a_fifth_is_kept_for_testing(flowers):
    data = load_data(f"folder:{flowers}")
    assert (data.name, data.class_names, data.skipped) == ("flowers", CLASSES, ())
    assert data.image_shape == (3, 224, 224)
    assert (data.augmentation, data.preprocessing.resize) == ("resized-crop", "crop")
    assert np.bincount(data.train.labels).tolist() == [8, 8, 8]
    assert np.bincount(data.test.labels).tolist() == [2, 2, 2]
    names = {images.describe(i) for images in (data.train, data.test) for i in range(len(images))}
    assert len(names) == 30
    assert {"flowers/rose/0.png", "flowers/lily/1.JPG"} <= names
    for images in (data.train, data.test):
        for number, label in enumerate(images.labels):
            assert images.describe(number).split("/")[1] == CLASSES[label]


@pytest.mark.usefixtures("kept")
def test_every_kind_of_file_of_every_size_is_read_as_for_prediction(flowers):
    data = load_data(f"folder:{flowers}", image_size=16)
    batches = evaluation_batches(data.test, data.preprocessing, 4)
    images = np.concatenate([images for images, _ in batches.as_numpy_iterator()])
    for number, image in enumerate(images):
        path = flowers.parent / data.test.describe(number)
        assert np.array_equal(image, data.preprocessing.read_file(path))


def test_memory_changes_nothing(flowers, monkeypatch):
    def seen():
        data = load_data(f"folder:{flowers}", image_size=16)
        batches = training_batches(data, 6, seed=0, epoch=0).as_numpy_iterator()
        return data.preprocessing, np.concatenate([images for images, _ in batches])

    in_memory = seen()
    monkeypatch.setattr(reading, "MEMORY", 0)
    in_files = seen()
    assert in_memory[0] == in_files[0]
    assert np.array_equal(in_memory[1], in_files[1])


def test_images_of_one_size_are_an_array_left_as_they_are(tmp_path):
    write_classes(tmp_path, size=lambda _: (32, 32))
    data = load_data(f"folder:{tmp_path}", image_size=32, augmentation="crop-flip")
    assert data.train.array.shape == (24, 32, 32, 3)
    assert data.preprocessing.resize == "none"
    assert load_data(f"folder:{tmp_path}").preprocessing.resize == "crop"


@pytest.mark.parametrize("name", ["test", "val", "validation"])
def test_a_folder_may_be_split_already(tmp_path, name):
    write_classes(tmp_path / "train", 4)
    write_classes(tmp_path / name, 2)
    data = load_data(f"folder:{tmp_path}")
    assert (len(data.train), len(data.test)) == (12, 6)
    assert data.validation is data.test
    assert data.test.describe(0) == f"{tmp_path.name}/{name}/lily/0.png"


def test_both_a_validation_and_a_test_folder(tmp_path):
    for name, each in (("train", 5), ("val", 2), ("test", 3)):
        write_classes(tmp_path / name, each)
    data = load_data(f"folder:{tmp_path}")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [15, 6, 9]
    data = load_data(f"folder:{tmp_path}", validation_split=0.2)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [12, 3, 9]


def test_train_may_be_a_class_too(tmp_path):
    write_classes(tmp_path, 2, ("bus", "train"))
    write(tmp_path / "train" / "steam" / "5.png", 5)
    assert load_data(f"folder:{tmp_path}").class_names == ("bus", "train")


def test_a_training_folder_alone_is_split(tmp_path):
    write_classes(tmp_path / "train", 5)
    data = load_data(f"folder:{tmp_path}")
    assert (len(data.train), len(data.test)) == (12, 3)


def spoil(flowers):
    """Add what has no place among images, and damage three; return what is to be said of them."""
    (flowers / "rose" / "notes.txt").write_text("not an image")
    (flowers / "rose" / ".hidden.png").write_text("of no interest")
    (flowers / "rose" / ".folder").mkdir()
    (flowers / "README").write_text("of no class")
    whole = (flowers / "lily" / "1.JPG").read_bytes()
    (flowers / "lily" / "1.JPG").write_bytes(whole[: len(whole) // 2])
    (flowers / "tulip" / "0.png").write_bytes(b"")
    (flowers / "tulip" / "3.bmp").write_text("<html>")
    return (
        "flowers/lily/1.JPG: not a complete image",
        f"flowers/rose/notes.txt: its name is not that of a {KINDS}",
        "flowers/tulip/0.png: an empty file",
        f"flowers/tulip/3.bmp: not an image: expected a {KINDS}",
    )


@pytest.mark.usefixtures("kept")
def test_what_is_no_image_is_named_and_left_out(flowers):
    lines = spoil(flowers)
    data = load_data(f"folder:{flowers}", image_size=16)
    assert data.skipped == lines
    assert np.bincount(data.train.labels).sum() + np.bincount(data.test.labels).sum() == 27
    for images in (data.train, data.test):
        assert unreadable(images) is None
        batches = evaluation_batches(images, data.preprocessing, 10)
        assert sum(len(labels) for _, labels in batches) == len(images)


def test_strict_refuses_what_is_no_image(flowers):
    spoil(flowers)
    with pytest.raises(
        ValueError,
        match=r"of which 4 files are not images \(flowers/lily/1.JPG: .*notes.txt: .*0.png: [^;]*; "
        r"\.\.\.\); expected images only",
    ):
        load_data(f"folder:{flowers}", strict=True)


def test_folders_below_class_folders_are_looked_into(flowers):
    write(flowers / "rose" / "garden" / "red.png", 7)
    assert (
        len(load_data(f"folder:{flowers}").train) + len(load_data(f"folder:{flowers}").test) == 31
    )


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (shutil.rmtree, "received 'folder:.*flowers'; expected a folder that exists"),
        (lambda path: shutil.rmtree(path) or path.mkdir(), "which holds no class folders"),
        (
            lambda path: [shutil.rmtree(path / name) for name in CLASSES[1:]],
            "holds the class folder 'lily' alone; expected at least two",
        ),
        (lambda path: (path / "iris").mkdir(), "the class 'iris' has no images; expected"),
        (
            lambda path: [file.write_text("no") for file in (path / "rose").iterdir()],
            "the class 'rose' has no images (10 files are not images (flowers/rose/0.png: not a",
        ),
        (
            lambda path: [file.unlink() for file in list((path / "rose").iterdir())[1:]],
            "received one image of the class 'rose', or none; expected at least two of each",
        ),
    ],
)
def test_folders_that_cannot_be_trained_on_are_refused_in_a_line(flowers, spoil, words):
    spoil(flowers)
    with pytest.raises(ValueError, match="^data: ") as caught:
        load_data(f"folder:{flowers}")
    assert words.replace(".*", "") in str(caught.value).replace(str(flowers.parent) + "/", "")
    assert "\n" not in str(caught.value)


def test_a_test_folder_of_other_classes_is_refused(tmp_path):
    write_classes(tmp_path / "train", 2)
    write_classes(tmp_path / "test", 2, ("rose", "daisy"))
    with pytest.raises(ValueError, match="test' has the class 'daisy', which '.*train' lacks"):
        load_data(f"folder:{tmp_path}")


def test_a_split_that_leaves_a_class_without_images_is_refused(tmp_path):
    write_classes(tmp_path, 30, ("many", "more"))
    write_classes(tmp_path, 4, ("few", "little"))
    with pytest.raises(ValueError, match="validation_split: received 0.9, which leaves no images"):
        load_data(f"folder:{tmp_path}", validation_split=0.9, image_size=16)


def test_a_run_s_own_preprocessing_is_used_instead(flowers):
    own = load_data("digits").preprocessing
    data = load_data(f"folder:{flowers}", preprocessing=own)
    assert data.preprocessing == dataclasses.replace(own, scale=255.0)  # digits are 0 to 16
    assert "are multiplied by 0.06275" in data.words[0]
    assert load_data("digits", preprocessing=own).preprocessing == own
    batches = evaluation_batches(data.test, own, 6)
    assert batches.element_spec[0].shape == (None, 32, 32, 1)
    assert next(iter(batches))[0].shape == (6, 32, 32, 1)
    with pytest.raises(ValueError, match="image_size: received 64, but the preprocessing"):
        load_data(f"folder:{flowers}", preprocessing=own, image_size=64)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:90]), NOT_WHOLE),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 3])
def test_an_image_that_goes_bad_in_an_epoch_is_named(flowers, monkeypatch, harm, reason, number):
    monkeypatch.setattr(reading, "MEMORY", 0)
    data = load_data(f"folder:{flowers}", image_size=16)
    assert unreadable(data.train) is None
    bad = next(n for n in range(24) if f"/{number}." in data.train.describe(n))
    harm(flowers.parent / data.train.describe(bad))
    with pytest.raises(tf.errors.OpError) as caught:
        list(training_batches(data, 12, seed=0, epoch=0))
    assert explain(caught.value, data) == f"{data.train.describe(bad)}: {reason}"
    assert unreadable(data.train, [bad]) == explain(caught.value, data)
    assert unreadable(data.train, [n for n in range(24) if n != bad]) is None


def test_means_of_many_files_are_those_of_a_sample(flowers, monkeypatch):
    from keras_convnets.training.data import normalisation

    whole = load_data(f"folder:{flowers}", image_size=16).preprocessing
    monkeypatch.setattr(normalisation, "SAMPLE", 12)
    first, again = (load_data(f"folder:{flowers}", image_size=16).preprocessing for _ in range(2))
    assert first == again
    assert first != whole
    assert np.allclose(first.mean, whole.mean, atol=0.05)


def test_what_is_not_looked_into_is_named(flowers, tmp_path, monkeypatch):
    write(tmp_path / "elsewhere" / "9.png", 9)
    (flowers / "rose" / "linked").symlink_to(tmp_path / "elsewhere")
    (flowers / "rose" / "round").symlink_to(flowers)
    (flowers / "lily" / "lost.png").symlink_to("nothing.png")
    (flowers / "iris").symlink_to("nowhere")
    (flowers / "tulip" / "shut").mkdir()
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    data = load_data(f"folder:{flowers}", image_size=16)
    assert data.class_names == CLASSES
    assert data.skipped == (
        "flowers/iris: a broken link",
        "flowers/lily/lost.png: no such file",
        "flowers/rose/linked: a link to a folder, which is not followed",
        "flowers/rose/round: a link to a folder, which is not followed",
        "flowers/tulip/shut: a folder that cannot be listed: Permission denied",
    )
    with pytest.raises(ValueError, match="of which 5 files are not images"):
        load_data(f"folder:{flowers}", strict=True)
    monkeypatch.setattr(os, "scandir", lambda _: scandir(flowers / "tulip" / "shut" / "no"))
    with pytest.raises(ValueError, match="flowers', which cannot be listed: No such file"):
        load_data(f"folder:{flowers}")


def test_a_class_may_be_a_link(flowers, tmp_path):
    shutil.move(flowers / "rose", tmp_path / "elsewhere")
    (flowers / "rose").symlink_to(tmp_path / "elsewhere")
    data = load_data(f"folder:{flowers}", image_size=16)
    assert (data.class_names, data.skipped) == (CLASSES, ())


def test_one_file_is_not_of_two_classes(flowers):
    os.link(flowers / "lily" / "0.png", flowers / "rose" / "again.png")
    os.link(flowers / "lily" / "0.png", flowers / "lily" / "again.png")
    (flowers / "tulip" / "once more.png").symlink_to(flowers / "rose" / "0.png")
    assert load_data(f"folder:{flowers}", image_size=16).skipped == (
        "flowers/rose/again.png: the same file as flowers/lily/0.png, of another class",
        "flowers/tulip/once more.png: the same file as flowers/rose/0.png, of another class",
    )
    (flowers / "alias").symlink_to(flowers / "lily")
    with pytest.raises(ValueError, match="the class 'lily' has no images .*same file as .*alias"):
        load_data(f"folder:{flowers}", image_size=16)


def test_no_image_is_trained_and_tested_on(tmp_path):
    write_classes(tmp_path / "train", 4)
    write_classes(tmp_path / "test", 2)
    (tmp_path / "test" / "lily" / "known.png").symlink_to(tmp_path / "train" / "lily" / "0.png")
    data = load_data(f"folder:{tmp_path}", image_size=16)
    [line] = data.skipped
    assert line.endswith("train/lily/0.png, which is trained on")
    assert len(data.test) == 6
    shutil.rmtree(tmp_path / "test")
    (tmp_path / "test").symlink_to("train")
    with pytest.raises(ValueError, match="the class 'lily' has no images"):
        load_data(f"folder:{tmp_path}", image_size=16)


@pytest.mark.usefixtures("kept")
def test_what_no_text_can_name(tmp_path):
    """Names of any bytes, also such as differ in nothing that can be printed."""
    names = [
        b"\xe9",
        b"\xe8",
        b"a\n\x1b[31m",
        b"[red]",
        b"=cmd|'C calc'!A0",
        b"\xf0\x9f\x8c\xb9",
    ]
    root = os.fsdecode(os.fsencode(tmp_path) + b"/root\xff")
    write_classes(Path(root), 4, tuple(map(os.fsdecode, names)))
    data = load_data(f"folder:{root}", image_size=16)
    assert data.class_names == tuple(sorted(map(os.fsdecode, names)))
    assert (data.skipped, unreadable(data.train)) == ((), None)
    again = load_data(json.loads(json.dumps(data.arguments))["name"], image_size=16)
    assert [again.test.describe(n) for n in range(6)] == [data.test.describe(n) for n in range(6)]


def test_a_bomb_is_left_out(flowers):
    (flowers / "rose" / "bomb.png").write_bytes(png(60_000, 60_000))
    (flowers / "rose" / "strip.png").write_bytes(png(1, 60_000))
    os.mkfifo(flowers / "rose" / "pipe.png")
    (flowers / "rose" / "zero.png").symlink_to("/dev/zero")
    file = "it is a pipe, socket or device; expected a file"
    side = "expected one side to be at most 100 times the other"
    assert load_data(f"folder:{flowers}", image_size=16).skipped == (
        "flowers/rose/bomb.png: 60,000 pixels wide and 60,000 high; expected at most 89,478,485",
        f"flowers/rose/pipe.png: {file}",
        f"flowers/rose/strip.png: 60,000 pixels wide and 1 high; {side}",
        f"flowers/rose/zero.png: {file}",
    )


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.write_bytes(png(1, 60_000)), "60,000 pixels wide and 1 high"),
        (lambda path: path.unlink() or os.mkfifo(path), "it is a pipe"),
    ],
)
def test_a_bomb_that_takes_an_image_s_place_is_named(flowers, monkeypatch, harm, reason):
    monkeypatch.setattr(reading, "MEMORY", 0)
    data = load_data(f"folder:{flowers}", image_size=16)
    harm(flowers.parent / data.train.describe(3))
    with pytest.raises(tf.errors.OpError) as caught:
        list(training_batches(data, 12, seed=0, epoch=0))
    assert explain(caught.value, data).startswith(f"{data.train.describe(3)}: {reason}")
