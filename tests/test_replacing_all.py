"""Folders, and files that belong together, are put in their places all at once or not at all."""

import os

import pytest

from keras_convnets.files import NotWritten
from keras_convnets.replacing_all import replacing_all


def _tree(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _write_pair(path, text):
    path.write_text(text)
    path.with_suffix(".bin").write_text(text)


def test_a_folder_takes_the_place_of_another(tmp_path):
    for text in ("old", "new"):
        with replacing_all(tmp_path / "net") as path:
            path.mkdir()
            (path / f"{text}.txt").write_text(text)
    assert _tree(tmp_path) == {"net/new.txt": "new"}
    assert os.listdir(tmp_path) == ["net"]


def test_files_that_belong_together_come_together(tmp_path):
    for text in ("old", "new"):
        with replacing_all(tmp_path / "net.xml") as path:
            _write_pair(path, text)
    assert _tree(tmp_path) == {"net.bin": "new", "net.xml": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_all_as_it_was(tmp_path, error):
    _write_pair(tmp_path / "net.xml", "old")

    def write():
        with replacing_all(tmp_path / "net.xml") as path:
            _write_pair(path, "new")
            raise error

    with pytest.raises(error):
        write()
    assert _tree(tmp_path) == {"net.bin": "old", "net.xml": "old"}
    assert sorted(os.listdir(tmp_path)) == ["net.bin", "net.xml"]


@pytest.mark.parametrize("fails", range(1, 5))
@pytest.mark.parametrize("after", [False, True])
def test_an_interruption_of_any_move_leaves_all_as_it_was(tmp_path, monkeypatch, fails, after):
    """Four moves: of each of two files the old one away, and the new one in its place."""
    _write_pair(tmp_path / "net.xml", "old")
    moves, rename = [], os.rename

    def interrupted(source, target, **options):
        moves.append(target)
        if len(moves) != fails or after:
            rename(source, target, **options)
        if len(moves) == fails:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), replacing_all(tmp_path / "net.xml") as path:
        _write_pair(path, "new")
    assert len(moves) >= fails
    assert _tree(tmp_path) == {"net.bin": "old", "net.xml": "old"}
    assert sorted(os.listdir(tmp_path)) == ["net.bin", "net.xml"]


def test_a_folder_that_is_missing_is_one_line(tmp_path):
    with (
        pytest.raises(NotWritten, match="cannot write '.*/none/net': No such file or directory"),
        replacing_all(tmp_path / "none" / "net"),
    ):
        pass


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "net").symlink_to("there")
    with replacing_all(tmp_path / "net") as path:
        path.mkdir()
        (path / "new.txt").write_text("new")
    assert (tmp_path / "net").is_symlink()
    assert _tree(tmp_path / "there") == {"new.txt": "new"}
