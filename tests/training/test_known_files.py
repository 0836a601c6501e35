"""What headers tell of many files, and what is kept of that for the next look."""

import json
import os
import shutil

import numpy as np
import pytest
from odd_images import photograph
from PIL import Image

from encoded import gif, jpeg, png
from keras_convnets.images import looking, reading
from keras_convnets.training.data import known_files
from keras_convnets.training.data.known_files import KnownFiles
from keras_convnets.training.data.loading import load_data

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)


def written(path, kind=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path, kind, **options)
    return path


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of 12 files whose times are past, and a cache of its own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(known_files, "FEWEST", 2)
    monkeypatch.setattr(known_files, "_SETTLED", -(10**12))
    monkeypatch.setattr(reading, "MEMORY", 0)
    for number in range(12):
        written(tmp_path / "flowers" / f"{number % 2}" / f"{number}.jpg")
    return tmp_path / "flowers"


@pytest.fixture
def looked_at(monkeypatch):
    """The paths that have been looked at."""
    seen = []

    def noted(paths):
        paths = list(paths)
        seen.extend(paths)
        return looks(paths)

    looks = looking.looks
    monkeypatch.setattr(known_files, "looks", noted)
    return seen


def look(root):
    known = KnownFiles(root)
    found = known.sizes(sorted(map(str, root.rglob("*.jpg"))))
    known.keep()
    return found


def load(root):
    data = load_data(f"folder:{root}", image_size=16)
    names = [data.train.describe(number) for number in range(len(data.train))]
    return names, data.skipped, data.preprocessing


def kept(root):
    [file] = (root.parent / "home" / "keras_convnets" / "folders").iterdir()
    return file


def test_headers_tell_the_size_of_what_is_certain_to_be_decoded(tmp_path):
    paths = [
        written(tmp_path / "a.jpg"),
        written(tmp_path / "b.jpg", progressive=True, exif=b"Exif\0\0" + b"x" * 9000),
        written(tmp_path / "c.png"),
        written(tmp_path / "d.jpg", "PNG"),
    ]
    assert [look.size for look in looking.looks(map(str, paths))] == [(20, 24)] * 4
    whole = paths[0].read_bytes()
    doubtful = {
        "short.jpg": whole[:-30],
        "more.jpg": whole + b"0",
        "bomb.png": png(60_000, 60_000),
        "strip.png": png(1, 60_000),
        "none.png": png(0, 9),
        "bits.png": png(9, 9).replace(b"\x08\0\0\0\0", b"\x05\0\0\0\0"),
        "short.png": paths[2].read_bytes()[:-1],
        "lossless.jpg": whole.replace(b"\xff\xc0", b"\xff\xc3"),
        "deep.jpg": whole.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        "start.jpg": jpeg(9, 9)[:20],
        "x.gif": gif((9, 9)),
        "text.jpg": b"<html>",
        "empty.jpg": b"",
    }
    for name, data in doubtful.items():
        (tmp_path / name).write_bytes(data)
        assert looking.looks([str(tmp_path / name)])[0].size is None, name
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("pipe.jpg", "nothing.jpg", ""):
        assert looking.looks([str(tmp_path / name)]) == [(None, None, False)]


def test_files_that_do_not_fit_in_memory_are_not_decoded(root, monkeypatch):
    tried = []

    def noted(read, numbers):
        tried.extend(numbers)
        return attempts(read, numbers)

    attempts = reading.attempts
    monkeypatch.setattr(reading, "attempts", noted)
    short = root / "0" / "0.jpg"
    short.write_bytes(short.read_bytes()[:-40])
    shutil.copy(root / "1" / "1.jpg", root / "1" / "b.jpg")
    (root / "1" / "b.jpg").write_bytes((root / "1" / "b.jpg").read_bytes() + b"more")
    data = load_data(f"folder:{root}", image_size=16)
    assert data.skipped == ("flowers/0/0.jpg: not a complete image",)
    assert len(tried) == 2
    monkeypatch.setattr(reading, "MEMORY", 10**6)
    again = load_data(f"folder:{root}", image_size=16)
    assert len(tried) == 2 + 13
    assert (again.skipped, len(again.train)) == (data.skipped, len(data.train))


def test_a_second_look_reads_nothing_but_what_has_changed(root, looked_at):
    assert look(root) == [(20, 24)] * 12
    assert len(looked_at) == 12
    assert look(root) == [(20, 24)] * 12
    assert len(looked_at) == 12
    changed = root / "0" / "2.jpg"
    status = changed.stat()
    Image.fromarray(PIXELS[:, :9]).save(changed)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    written(root / "1" / "new.jpg")
    (root / "0" / "4.jpg").unlink()
    assert sorted(look(root)) == [(20, 9), *[(20, 24)] * 11]
    assert looked_at[12:] == [str(changed), str(root / "1" / "new.jpg")]
    look(root)
    assert len(looked_at) == 14


def test_which_are_turned_is_kept(root, looked_at):
    turned = root / "0" / "2.jpg"
    turned.write_bytes(photograph(6))
    for _ in range(2):
        known = KnownFiles(root)
        known.sizes(sorted(map(str, root.rglob("*.jpg"))))
        known.keep()
        assert known.turned == {str(turned)}
    assert len(looked_at) == 12


def test_what_was_written_a_moment_ago_is_not_kept(root, looked_at, monkeypatch):
    monkeypatch.setattr(known_files, "_SETTLED", 10**12)
    assert look(root) == look(root)
    assert len(looked_at) == 24


def test_few_files_are_not_worth_it(root, monkeypatch):
    monkeypatch.setattr(known_files, "FEWEST", 13)
    look(root)
    assert not (root.parent / "home").exists()


def test_a_folder_without_a_cache_is_read(root, monkeypatch):
    for home in ("/dev/null", "/proc/nowhere", "long" * 300):
        monkeypatch.setenv("KERAS_HOME", home)
        assert look(root) == [(20, 24)] * 12


def signed(body):
    return known_files._digest(body) + b"\n" + body


def changed(file, **changes):
    found = json.loads(file.read_bytes().partition(b"\n")[2])
    return signed(json.dumps(found | changes).encode())


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: b"",
        lambda file: file.read_bytes()[:-9],
        lambda file: file.read_bytes().replace(b"24, 0]", b"25, 0]", 1),
        lambda file: signed(b"[" * 10**5),
        lambda file: signed(b"null"),
        lambda file: signed(b"\xff\xfe"),
        lambda file: changed(file, root="/elsewhere"),
        lambda file: changed(file, format=1),
        lambda file: changed(file, files=[1]),
        lambda file: changed(
            file, files={str(file.parents[3] / "flowers" / "0" / "0.jpg"): [1, 2, "3"]}
        ),
    ],
)
def test_what_is_kept_is_not_trusted(root, looked_at, harm):
    look(root)
    kept(root).write_bytes(harm(kept(root)))
    assert look(root) == [(20, 24)] * 12
    assert len(looked_at) > 12
    before = len(looked_at)
    assert look(root) == [(20, 24)] * 12
    assert len(looked_at) == before  # it has been replaced


def test_a_lie_changes_nothing_that_is_decoded(root):
    """Its state is right, the rest is not: the file's own header counts when it is decoded."""
    first = load(root)
    found = json.loads(kept(root).read_bytes().partition(b"\n")[2])["files"]
    lies = {path: [*entry[:5], 9000, 9000, 1] for path, entry in found.items()}
    kept(root).write_bytes(changed(kept(root), files=lies))
    assert load(root) == first


def test_what_is_kept_is_the_user_s_alone(root):
    KnownFiles(root).keep()
    look(root)
    assert kept(root).stat().st_mode & 0o077 == 0
