import os

import pytest

from keras_convnets import files


def test_a_file_is_there_once_it_is_whole(tmp_path):
    target = tmp_path / "notes.txt"
    with files.replacing(target) as path:
        path.write_text("new")
        assert path.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "notes.txt"
    target.write_text("old")

    def fail():
        with files.replacing(target) as path:
            path.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="cannot write .*: No such file or directory. Name a file"):
        files.replacing(tmp_path / "none" / "notes.txt").__enter__()


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    for name in ("new.txt", "old.txt"):
        files.check_place(tmp_path / name)
    assert os.listdir(tmp_path) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"
    for path, why in (
        (tmp_path / "none" / "x.txt", "No such file or directory"),
        (tmp_path / "old.txt" / "x.txt", "Not a directory"),
        (tmp_path, "Is a directory"),
        (os.devnull, "Not a regular file"),
    ):
        with pytest.raises(ValueError, match=f"cannot write .*: {why}. Name a file"):
            files.check_place(path)


def test_a_target_that_is_a_folder(tmp_path):
    def write():
        with files.replacing(tmp_path) as path:
            path.write_text("new")

    with pytest.raises(ValueError, match="cannot write"):
        write()


def test_a_link_stays_and_its_target_is_replaced_with_its_mode(tmp_path):
    target, link, other = tmp_path / "real.txt", tmp_path / "link.txt", tmp_path / "other.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("real.txt")
    other.symlink_to(link)
    with files.replacing(other) as path:
        path.write_text("new")
    assert other.is_symlink()
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("loop", "Too many levels of symbolic links"),
        ("fifo", "Not a regular file"),
        ("device", "Not a regular file"),
        ("n" * 5000, "File name too long"),
        ("old.txt/below", "Not a directory"),
        ("a\0b", "embedded null byte"),
        ("\ud800", "cannot be encoded"),
        ("", "Is a directory"),
    ],
)
def test_what_is_no_place_for_a_file_is_refused_in_a_line(tmp_path, name, words):
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/full")
    os.mkfifo(tmp_path / "fifo")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(files.NotWritten, match=words) as refused:
        files.replacing(tmp_path / name).__enter__()
    assert len(str(refused.value)) < 500
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("Can't decrement id ref count (unable to close file, errno = 28, error ...)"),
    ],
)
def test_a_full_disk_is_a_line_and_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "notes.txt"
    target.write_text("old")

    def fill():
        with files.replacing(target):
            raise error

    with pytest.raises(files.NotWritten, match=r"notes.txt': No space left on device. Make room"):
        fill()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_of_255_letters(tmp_path):
    target = tmp_path / ("n" * 251 + ".txt")
    with files.replacing(target) as path:
        path.write_text("new")
    assert target.read_text() == "new"


def test_a_home_that_nobody_has():
    with pytest.raises(ValueError, match="data: received '~nosuchuser/a', but no home folder"):
        files.absolute("data", "~nosuchuser/a")
