"""Which folders are parts of a data set, and which are classes."""

import shutil

import pytest
from image_folders import write, write_classes

from keras_convnets.training.data import splits
from keras_convnets.training.data.loading import load_again, load_data

PETS = ("cat", "dog")


def parts(**folders):
    """Return the parts of folders, each given with the names of the folders within."""
    found = splits.parts_of("'data'", sorted(folders), lambda name: folders[name])
    return found if found is None else (dict(found.folders), sorted(found.left_out))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *((name, "train") for name in ("train", "TRAIN", "Training", "train_images", "seg_train")),
        *((name, "train") for name in ("images-train", "trainImages", "train2017", "trainset")),
        *((name, "validation") for name in ("val", "Valid", "VALIDATION", "dev", "ILSVRC2012_val")),
        *((name, "test") for name in ("test", "Testing", "test images")),
        *((name, None) for name in ("trains", "strain", "contest", "value", "train_test", "")),
    ],
)
def test_what_a_name_says(name, part):
    assert splits.part_of(name) == part


def test_parts_are_told_by_their_names():
    assert parts(train=PETS, valid=PETS, test=PETS) == (
        {"train": "train", "validation": "valid", "test": "test"},
        [],
    )
    assert parts(Train_Images=PETS, DEV=PETS)[0] == {"train": "Train_Images", "validation": "DEV"}
    assert parts(train=PETS) == ({"train": "train"}, [])
    assert parts(train=PETS, test=()) == ({"train": "train"}, ["test"])
    assert parts(train=PETS, test=PETS, extra=()) == ({"train": "train", "test": "test"}, ["extra"])
    assert parts(seg_train=PETS, seg_test=PETS, seg_pred=())[1] == ["seg_pred"]


def test_classes_may_be_called_alike():
    assert parts(train_station=(), bus_station=()) is None
    assert parts(train_station=(), test_tube=(), bus=()) is None
    assert parts(train=("steam",), bus=()) is None
    assert parts(train=(), bus=()) is None


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"train": PETS, "val": PETS, "dev": PETS}, "'dev' and 'val': each could be the valid"),
        ({"train": PETS, "Train": PETS, "test": PETS}, "'Train' and 'train': each could be the t"),
        ({"val": PETS, "test": PETS}, "no folder of training images"),
        ({"train": (), "test": ()}, "'train': it looks like the training images but holds no"),
        ({"train": (), "valid": PETS, "bus": ()}, "'train': it looks like the training images"),
    ],
)
def test_names_that_do_not_tell_are_refused(folders, words):
    with pytest.raises(ValueError, match="^data: received 'data', which holds ") as caught:
        parts(**folders)
    assert words in str(caught.value)


def write_parts(root, **each):
    for name, count in each.items():
        write_classes(root / name.replace("__", "/"), count, PETS)
    return f"folder:{root}"


def counts(data):
    return [len(part) for part in (data.train, data.validation, data.test)]


def test_a_validation_folder_is_read_whatever_it_is_called(tmp_path):
    name = write_parts(tmp_path, Train=4, Valid=1, TEST=2)
    data = load_data(name, image_size=8)
    assert (data.class_names, counts(data)) == (PETS, [8, 2, 4])
    shutil.rmtree(tmp_path / "TEST")
    data = load_data(name, image_size=8)
    assert (data.class_names, counts(data)) == (PETS, [8, 2, 2])
    assert data.words[0].startswith("tested on the validation images")
    # As a run of an earlier version was begun with, which is to go on.
    write(tmp_path / "Train" / "cat" / "9.webp", 9)
    before = load_again(data.arguments | {"layout": 0}, data.preprocessing)
    assert before.class_names == ("Train", "Valid")
    assert [line.partition(": ")[0] for line in before.skipped] == [
        f"{tmp_path.name}/Train/cat/9.webp"
    ]


def test_archives_with_each_part_in_a_folder_of_its_name(tmp_path):
    data = load_data(write_parts(tmp_path, seg_train__seg_train=3, seg_test__seg_test=2))
    assert (data.class_names, counts(data)) == (PETS, [6, 4, 4])


@pytest.mark.parametrize("names", [("one", "two"), ("train", "holdout")])
def test_folders_of_the_same_folders_are_no_classes(tmp_path, names):
    name = write_parts(tmp_path, **dict.fromkeys(names, 2))
    with pytest.raises(ValueError, match="hold folders of the same names, 'cat' and 'dog'"):
        load_data(name)
    write(tmp_path / names[0] / "1.png", 1)
    assert len(load_data(name).class_names) == 2


def test_what_is_unusual_is_said(tmp_path):
    write_classes(tmp_path / "train" / "animals", 3, PETS)
    write_classes(tmp_path / "train" / "plants", 3, ("lily", "rose"))
    (tmp_path / "other").mkdir()
    write(tmp_path / "train" / "loose.png", 1)
    shutil.copytree(tmp_path / "train" / "animals", tmp_path / "test" / "animals")
    data = load_data(f"folder:{tmp_path}", image_size=8)
    deep, missing, copies = data.words
    assert deep.startswith("all images lie in folders below the class folders, such as 'cat'")
    assert missing == "no test images of 'plants'"
    assert copies.startswith("all test images are also training images")
    assert [line.partition(": ")[2][:12] for line in data.skipped] == [
        "a folder bes",
        "an image bes",
    ]
