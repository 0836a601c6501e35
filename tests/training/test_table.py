"""Images that a table lists: which columns are read, and what is refused in which line."""

import hashlib

import numpy as np
import pytest
from image_folders import write

from keras_convnets.images.kinds import KINDS
from keras_convnets.readers import csv_table
from keras_convnets.readers.damage import DamagedFile
from keras_convnets.training.data.loading import load_again, load_data, load_labelled

NAMES = [f"{number}.png" for number in range(12)]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of images of one size; tests may not change it."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(NAMES):
        write(folder / name, number, (9, 9))
    return folder


@pytest.fixture
def table(pictures, tmp_path):
    """Return a function that loads a table of given lines, with paths in ``pictures``."""

    def load(*lines, name="pets.csv", encoding="utf-8", **options):
        body = lines[0] if isinstance(lines[0], bytes) else "\n".join(lines).encode(encoding)
        (tmp_path / name).write_bytes(body)
        options = {"data_dir": pictures, "image_size": 8} | options
        return load_data(f"csv:{tmp_path / name}", **options)

    return load


def rows(*labels, more=""):
    return [f"{name},{label}{more}" for name, label in zip(NAMES, labels, strict=False)]


def labels_of(data):
    """Return the label of each image by its name."""
    parts = (data.train, data.validation, data.test)
    return {
        part.describe(n): np.asarray(part.labels[n]).tolist()
        for part in parts
        for n in range(len(part))
    }


def refusal(load, *lines, **options):
    with pytest.raises(ValueError, match="^data: ") as caught:
        load(*lines, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_are_class_names_in_sorted_order(table, pictures):
    data = table("file,breed,class", *rows(*["x,dog", "x,cat"] * 6))
    assert (data.name, data.class_names, data.has_several) == ("pets", ("cat", "dog"), False)
    assert (len(data.train), len(data.test), data.image_shape) == (9, 3, (3, 8, 8))
    assert labels_of(data) == {name: 1 - number % 2 for number, name in enumerate(NAMES)}
    assert data.words == ("pets.csv: paths in 'file', labels in 'class', not read: 'breed'",)
    assert (
        data.contents
        == hashlib.sha256(
            "\n".join(["file,breed,class", *rows(*["x,dog", "x,cat"] * 6)]).encode()
        ).hexdigest()
    )
    again = load_again(data.arguments, data.preprocessing)
    assert labels_of(again) == labels_of(data)
    assert again.preprocessing.mean == data.preprocessing.mean


def test_numbers_are_sorted_as_numbers(table):
    data = table("image,label", *rows(*[10, 9, 2] * 4))
    assert data.class_names == ("2", "9", "10")
    assert labels_of(data)["1.png"] == 1


def test_columns_without_a_known_name_are_taken_in_order(table):
    assert (
        table("what,kind", *rows(*"ab" * 6)).words[0].endswith("paths in 'what', labels in 'kind'")
    )
    indexed = [f"{n},{line}" for n, line in enumerate(rows(*"ab" * 6))]
    assert table(",path,label", *indexed).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("name", "delimiter", "start"),
    [("a.csv", ";", ""), ("a.tsv", "\t", ""), ("a.csv", "\t", ""), ("a.csv", ",", "\ufeff")],
)
def test_delimiters_quotes_and_marks(table, name, delimiter, start):
    lines = [f"{start}path{delimiter}label", ""]
    lines += [
        f'"{n}"{delimiter}"{label}, ""x"""\r' for n, label in zip(NAMES, "ab" * 6, strict=True)
    ]
    assert table(*lines, name=name).class_names == ('a, "x"', 'b, "x"')


def test_parts_are_those_of_the_table(table):
    parts = ["Train", "valid", "test", "TRAINING"] * 3
    lines = [f"{line},{part}" for line, part in zip(rows(*"aabb" * 3), parts, strict=True)]
    data = table("path,label,split", *lines)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [6, 3, 3]
    assert data.validation.describe(1) == "5.png"
    lines = [line for line in lines if not line.endswith("test")]
    data = table("path,label,subset", *lines)
    assert data.validation is data.test
    assert data.words[1].startswith("tested on the validation images")


def test_several_labels_in_a_cell(table):
    data = table("path,tags", *rows(*["cat|dog", "dog; bird", "", "bird", "cat|"] * 2))
    assert (data.class_names, data.has_several) == (("bird", "cat", "dog"), True)
    assert labels_of(data)["0.png"] == [0, 1, 1]
    assert labels_of(data)["2.png"] == [0, 0, 0]
    assert data.words[1] == ("an image may have several classes: 4 rows have more than one, 2 none")


def test_a_column_for_each_class(table, tmp_path, pictures):
    data = table("path,cat,dog", *rows(*["1,1", "0,1", "1,0", "0,0"] * 3))
    assert (data.class_names, data.has_several) == (("cat", "dog"), True)
    assert labels_of(data)["1.png"] == [0, 1]
    one = table("path,cat,dog", *rows(*["1,0", "0,1"] * 6))
    assert (one.has_several, labels_of(one)["1.png"]) == (False, 1)
    name = f"csv:{tmp_path / 'pets.csv'}"
    found = load_labelled(name, pictures, None, one.preprocessing, ("dog", "x", "cat"))
    assert (found.data, found.images.labels.tolist()) == ("pets", [2, 0] * 6)
    table("path,cat,dog", *rows(*["1,1", "0,1"] * 6))
    found = load_labelled(name, pictures, None, one.preprocessing, ("dog", "x", "cat"))
    assert found.images.labels.tolist() == [[1, 0, 1], [1, 0, 0]] * 6
    assert found.words[-1] == "pets says nothing of 'x': taken as in no image"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([""], "it is empty"),
        (["path,label"], "it has a header and no rows"),
        (["path", "0.png"], "its header has the columns 'path'; expected one of the paths"),
        (["0.png,cat", "1.png,dog"], "its first line holds '0.png'; expected the names of the"),
        (["path,label,label", "0.png,a,a"], "its header has 'label' twice"),
        (["path,label", "0.png,a", "1.png"], "line 3 has 1 cells, but its header has 2"),
        (["path,label", "0.png,a", '1.png,"b'], "line 3: unexpected end of data"),
        (["path,label", "0.png,a", '1.png,"b"c'], "line 3: ',' expected after '\"'"),
        (["path,label", "0.png,a", "1.png,"], "line 3 has no label; expected one in each row"),
        (["path,label", "0.png,a", ",b"], "line 3 has no path"),
        (["path,label", "0.png,a", "1.png,a"], "all labels are 'a'; expected at least two"),
        (["path,label", "0.png,1", "1.png,nan"], "line 3 has the label 'nan'; expected a number"),
        (["path,label", "0.png,1", "1.png,1.0"], "line 3 has the label '1.0', and line 2 '1'; exp"),
        (["path,label", "0.png,a", "no.png,b"], "line 3 names 'no.png': no such file in "),
        (["path,label", "0.png,a", ".,b"], "line 3 names '.': a folder, not a file, in "),
        (["path,label", "0.png,a", "0.png,b"], "line 3 gives '0.png' another label than line 2"),
        (["path,a,b", "0.png,1,0", "1.png,0,2"], "line 3 has '2' in 'b'; expected 0 or 1"),
        (["path,label,split", "0.png,a,train", "1.png,b,?"], "line 3 has the part '?'; expected"),
        (["path,label,split", "0.png,a,test", "1.png,b,test"], "no row has the part train"),
        (
            ["path,label,split", "0.png,a,train", "1.png,b,train", "2.png,c,test"],
            "no training image has the class 'c'",
        ),
        ([b"path,label\n0.png,a\n1.png,\xe9"], "line 3 is not UTF-8"),
        ([b"path,label\n0.png,a\n1.png,\0"], "line 3 holds a NUL character"),
        (["path,label".encode("utf-16")], "it is UTF-16; expected UTF-8"),
        (["path,label", "0.png," + "a" * 200_000], "line 2: field larger than field limit"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(table, lines, words):
    assert words in refusal(table, *lines).replace("\\", "")


def test_a_table_that_is_no_file(table, tmp_path):
    assert "expected a file that exists" in refusal(lambda: load_data(f"csv:{tmp_path}/no.csv"))
    assert "expected the path of a table" in refusal(lambda: load_data("csv:"))
    assert "it is a folder; expected a file" in refusal(lambda: load_data(f"csv:{tmp_path}"))
    (tmp_path / "pets").write_text("path,label")
    with pytest.raises(ValueError, match="Did you mean 'csv:"):
        load_data(str(tmp_path / "pets"))


def test_rows_that_are_left_out_are_named(table, pictures, tmp_path):
    (tmp_path / "notes.png").write_text("no image")
    lines = [
        "path,label,split",
        *rows(*"ab" * 4, more=",train"),
        *(f"{n},a,val" for n in NAMES[8:]),
    ]
    lines += ["./0.png,a,train", f"{tmp_path}/notes.png,a,train", "1.png,b,val"]
    data = table(*lines)
    assert [line.replace(str(tmp_path), "") for line in data.skipped] == [
        "./0.png: in line 14 again after line 2, which is the same file",
        "1.png: in line 16 again after line 3, which is trained on",
        f"/notes.png: not an image: expected a {KINDS}",
    ]
    assert (len(data.train), len(data.validation)) == (8, 4)
    assert "of which 3 files are not images" in refusal(table, *lines, strict=True)


def test_a_large_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "_MOST", 10)
    (tmp_path / "a.csv").write_text("path,label\n0.png,a\n")
    with pytest.raises(DamagedFile, match="it has 19 bytes; expected at most 10"):
        csv_table.read(tmp_path / "a.csv")
