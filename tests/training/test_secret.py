import os

import pytest

from keras_convnets.training.distribute.cluster import find_cluster
from keras_convnets.training.distribute.secret import read_secret
from replica import addresses

SECRET = b"0123456789abcdef-0123"


def written(content=SECRET, mode=0o600):
    with open("secret", "wb") as file:
        file.write(content)
    os.chmod("secret", mode)
    return "secret"


def test_a_secret_without_the_white_space_around_it():
    assert read_secret(written(SECRET + b"\r\n")) == SECRET


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "has a secret of 0 bytes; expected 16 to 4096"),
        (b" \n" * 20, 0o600, "has a secret of 0 bytes"),
        (b"password", 0o600, "has a secret of 8 bytes"),
        (b"a" * 5000, 0o600, "has more than 4096 bytes"),
        (SECRET, 0o644, "others may read or write 'secret' .its mode is 0644.; expected this user"),
        (SECRET, 0o640, "others may read or write"),
        (SECRET, 0o602, "others may read or write"),
    ],
)
def test_what_is_no_secret(content, mode, words):
    with pytest.raises(ValueError, match=f"^secret_file: .*{words}") as caught:
        read_secret(written(content, mode))
    assert content.decode().strip() not in str(caught.value) or not content.strip()


def test_what_is_no_regular_file():
    os.mkdir("folder")
    os.mkfifo("fifo", 0o600)
    for path in ("folder", "fifo"):
        with pytest.raises(ValueError, match="is not a regular file; expected one with the secret"):
            read_secret(path)
    for path in ("none", "a\0b", "~nosuchuser/a", "a" * 5000):
        with pytest.raises(ValueError, match="^secret_file: cannot read '.*expected a file with"):
            read_secret(path)


def test_the_machines_of_a_run_have_it():
    found = find_cluster("auto", addresses(2), 0, written())
    assert found.secret == SECRET
    assert SECRET.decode() not in repr(found)
    assert find_cluster("auto", addresses(2), 0).secret is None
    with pytest.raises(
        ValueError, match="^secret_file: received 'secret' for a run on one machine"
    ):
        find_cluster("auto", secret_file="secret")
