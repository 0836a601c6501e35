"""What is read of an image file, and how large an image may be."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from encoded import bmp, gif, jpeg, png, webp
from keras_convnets.images import contents, decoding, headers

LARGE = (9_460, 9_460)  # the most pixels, in a square, and a few more
KINDS = {"jpeg": jpeg, "png": png, "bmp": bmp, "webp": webp}


@pytest.mark.parametrize("kind", KINDS)
def test_a_size_is_read_before_anything_is_decoded(kind):
    header = headers.read(KINDS[kind](1_234, 2_345))
    assert (header.rows, header.cols) == (1_234, 2_345)


@pytest.mark.parametrize(
    "made",
    [
        bmp(-12, 34),
        bmp(12, 34, header=12),
        webp(12, 34, b"VP8L"),
        webp(12, 34, b"VP8 "),
        gif((12, 34)),
        gif((5, 6), screen=(34, 12)),
    ],
)
def test_every_form_of_a_header(made):
    assert headers.read(made)[:2] == (12, 34)


@pytest.mark.parametrize("suffix", ["jpeg", "png", "bmp", "gif", "webp"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_headers_say_what_decoders_return(tmp_path, suffix, mode):
    path = tmp_path / f"x.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (31, 17, 3), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    image.convert("RGB" if suffix in ("jpeg", "webp") and mode == "P" else mode).save(path)
    header = headers.read(path.read_bytes())
    assert decoding.read_image(path).shape[:2] == (header.rows, header.cols) == (31, 17)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "cols"), [LARGE, (65_500, 65_500), (1, 101), (60_000, 1)])
def test_too_large_and_too_long_images_are_refused(kind, rows, cols):
    with pytest.raises(contents.RefusedImageError, match=f"{cols:,} pixels wide and {rows:,} high"):
        contents.checked(KINDS[kind](rows, cols))


@pytest.mark.parametrize(("rows", "cols"), [(9_459, 9_459), (1, 100), (6_000, 60), (1, 1)])
def test_large_and_long_images_are_taken(rows, cols):
    assert contents.checked(png(rows, cols)) == png(rows, cols)


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_that_is_cut_off_is_refused(kind):
    whole = KINDS[kind](300, 200)
    for length in range(len(whole)):
        try:
            contents.checked(whole[:length])
        except contents.RefusedImageError as error:
            known = (contents.NOT_WHOLE, "an empty file", "not an image: expected a JPEG, ")
            assert error.reason.startswith(known) or "pixels" in error.reason


def test_of_an_animation_only_the_first_frame_is_decoded():
    one, many = gif((20, 30)), gif((20, 30), *[(20, 30)] * 50, (5, 9))
    pixels = decoding.decode(many).numpy()
    assert pixels.shape == (20, 30, 3)
    assert np.array_equal(pixels, decoding.decode(one))
    assert np.array_equal(pixels, tf.io.decode_image(many, 3, expand_animations=False))


def test_later_frames_are_not_looked_at(monkeypatch):
    """The screen is that of the first frame, as Pillow shows it."""
    monkeypatch.setattr(contents, "MOST_PIXELS", 100)
    assert decoding.decode(gif((5, 9), (2_000, 30))).shape == (9, 9, 3)
    with pytest.raises(contents.RefusedImageError, match="9 pixels wide and 12 high; expected at"):
        contents.checked(gif((12, 9)))


def device(path):
    path.symlink_to("/dev/zero")


def bound(path):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.fspath(path))


def sparse(path):
    path.write_bytes(png(2, 2))
    os.truncate(path, contents.MOST_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "it is a pipe, socket or device; expected a file"),
        (device, "it is a pipe, socket or device; expected a file"),
        (bound, "it is a pipe, socket or device; expected a file"),
        (os.mkdir, "it is a folder; expected a file"),
        (sparse, "it has 536,870,913 bytes; expected at most 536,870,912"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_file_is_not_read(tmp_path, monkeypatch, make, reason):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make(Path("x.png"))
    with pytest.raises(ValueError, match=f"^x.png: {reason}$"):
        decoding.read_image("x.png")
    dataset = tf.data.Dataset.from_tensors("x.png").map(decoding.read)
    with pytest.raises(tf.errors.OpError):
        list(dataset)
