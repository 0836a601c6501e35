"""The picture of training images after their augmentations."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_convnets import cli
from keras_convnets.images.labelled import Images, from_array
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.training.data.data import Data
from keras_convnets.training.data.pipeline import training_batches
from keras_convnets.training.report.augmented import tiles
from keras_convnets.training.report.augmented_figure import plot_augmented

COUNT = 20
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5, 3), np.uint8)
NAMES = ("cat", "dog", "a very long name of a class", "$x$\n")


def data_of(augmentation="none", labels=None, count=COUNT, **changes):
    labels = np.arange(count) % len(NAMES) if labels is None else labels
    images = from_array(PIXELS[:count], labels, str)
    made = Preprocessing(3, 6, 5, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4), **changes)
    return Data("pets", images, images, images, NAMES, made, augmentation)


def test_they_are_the_first_of_any_batch_without_the_normalisation():
    data = data_of("crop-flip+rotation+erasing:1+mixup:1")
    images, labels = next(iter(training_batches(data, COUNT, seed=3, epoch=0)))
    found = tiles(data, 3)
    assert len(found) == 16
    expected = images[:16] * np.float32([0.2, 0.3, 0.4]) + np.float32([0.4, 0.5, 0.6])
    assert np.abs(np.stack([tile.pixels for tile in found]) - expected).max() < 1e-5
    for tile, label in zip(found, labels.numpy(), strict=False):
        first, second = np.sort(label)[::-1][:2]
        lines = tile.caption.split("\n")
        assert len(lines) == 1 + (second > 0.005)
        assert lines[0].startswith("a very long name of …") or lines[0].split()[0] in (
            "cat", "dog", "$x$\\n",
        )  # fmt: skip
        assert lines[0].endswith(f" {first:.2f}") or first > 0.99


def test_captions_say_the_class_or_the_classes():
    found = {tile.caption for tile in tiles(data_of())}
    assert found == {"cat", "dog", "a very long name of …", "$x$\\n"}
    several = np.zeros((COUNT, 4), int)
    assert {tile.caption for tile in tiles(data_of(labels=several))} == {"–"}
    several[:, 1:3] = 1
    assert {tile.caption for tile in tiles(data_of(labels=several))} == {
        "dog\na very long name of …"
    }
    assert tiles(data_of(labels=several + 1 - several))[0].caption.endswith("\nand 1 more")


@pytest.mark.parametrize(("augmentation", "count"), [("none", 5), ("mixup", 4)])
def test_fewer_images_are_fewer_tiles(augmentation, count):
    data = data_of(augmentation, count=5)
    assert len(tiles(data)) == count
    plot_augmented(data, "few.svg")


def test_an_image_that_cannot_be_read_is_named():
    def read(number):
        return tf.io.decode_png(tf.io.read_file(tf.strings.format("{}.png", number)), 3)

    images = Images(np.zeros(3, np.int32), read, None, "{}.png".format)
    made = Preprocessing(3, 6, 5)
    data = Data("pets", images, images, images, NAMES, made, "none")
    with pytest.raises(ValueError, match=r"^data: \d.png: .*Mend or remove the file"):
        plot_augmented(data, "none.png")
    assert not Path("none.png").exists()


def test_the_command_draws_what_a_run_trains_on(capsys):
    Path("out.png").write_text("before")
    assert cli.main(["augment", "out.png", "--augmentation", "mixup", "--image-size", "8"]) == 0
    assert capsys.readouterr().out == "out.png\n"
    assert Path("out.png").read_bytes()[:4] == b"\x89PNG"
    assert cli.main(["augment", "out.pdf", "--recipe", "resnet-cifar", "--image-size", "8"]) == 0
    assert Path("out.pdf").read_bytes()[:4] == b"%PDF"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("out.gif", "to_file: received 'out.gif'; expected a name that ends in .svg, .png, .pdf"),
        ("out.png --augmentation mixing", "augmentation: received 'mixing'; expected one of"),
        ("out.png --recipe fast", "recipe: received 'fast'; expected one of"),
        ("out.png --seed -1", "seed: received -1; expected"),
        ("none/out.png --image-size 8", "cannot write 'none/out.png'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(capsys, words, line):
    assert cli.main(["augment", *words.split()]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not list(Path().iterdir())
