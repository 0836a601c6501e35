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


def test_a_target_that_is_a_folder(tmp_path):
    def write():
        with files.replacing(tmp_path) as path:
            path.write_text("new")

    with pytest.raises(ValueError, match="cannot write"):
        write()
