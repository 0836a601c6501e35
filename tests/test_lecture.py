"""The figures of the tour: the docs show what the command writes, and it writes whole folders."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from helpers import refusal
from keras_convnets import cli, explain
from keras_convnets.lecture import trained
from keras_convnets.lecture.charts import field_sizes, model
from keras_convnets.lecture.figures import FIGURES
from keras_convnets.lecture.folder import write_figures

DOCS = Path(__file__).parents[1] / "docs"


def test_the_docs_show_each_figure_on_its_page_and_no_other():
    kept = {file.stem for file in (DOCS / "images/tour").glob("*.svg")}
    assert kept == {figure.name for figure in FIGURES}
    shown = {
        (page.stem, name)
        for page in (DOCS / "tour").glob("*.md")
        for name in re.findall(r"\(\.\./images/tour/(\w+)\.svg\)", page.read_text())
    }
    assert shown == {(figure.page, figure.name) for figure in FIGURES}


def test_a_folder_of_figures_for_slides(capfd):
    assert cli.main(["figures", "lecture", "--only", "lenet*"]) == 0
    found = sorted(os.listdir("lecture"))
    assert found == ["lenet_5.pdf", "lenet_5.svg"]
    assert Path("lecture/lenet_5.pdf").read_bytes().startswith(b"%PDF")
    assert "1 figure, as svg and pdf: 'lecture'" in capfd.readouterr().out
    assert "which exists; expected a new folder" in refusal(["figures", "lecture"], capfd)
    assert sorted(os.listdir("lecture")) == found


QUICK = {"receptive_fields", "vgg_costs", "five", "memory", "reduction"}


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(one, id=one.name, marks=() if one.name in QUICK else pytest.mark.slow)
        for one in FIGURES
    ],
)
def test_each_figure_is_drawn(figure):
    figure.draw(f"{figure.name}.svg")
    assert "<svg" in Path(f"{figure.name}.svg").read_text()


def test_what_the_chart_of_fields_shows():
    assert field_sizes(model("alexnet")) == [11, 51, 99, 131, 163]


@pytest.mark.slow
def test_what_the_page_of_the_stamp_says():
    images, labels = trained.digits()
    eights = images[1400:][labels[1400:] == 8]
    network = trained.stamp_reader()

    def called_eight(images):
        return np.mean(network.predict(images, verbose=0).argmax(axis=1) == 8)

    def found_on_the_stamp(*method, **options):
        maps = explain(network, trained.stamp(eights), *method, **options).maps
        places = [np.unravel_index(one.argmax(), one.shape) for one in maps]
        return np.mean([row < 8 and column < 8 for row, column in places])

    assert called_eight(trained.stamp(eights)) > 0.95
    assert called_eight(eights) < 0.3
    assert found_on_the_stamp("occlusion", patch=8, stride=4) > 0.9
    assert found_on_the_stamp("grad_cam") < 0.5


def test_nothing_is_left_of_a_folder_that_fails():
    def draw(file):
        Path(file).write_text("half")
        raise ValueError("no")

    broken = FIGURES[0]._replace(draw=draw)
    with pytest.raises(ValueError, match="no"):
        write_figures("lecture", [broken])
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("figures", "figures: received no folder; expected one of the two"),
        ("figures lecture --list", "figures: received both a folder and --list"),
        ("figures lecture --only yolo", "--only: received 'yolo', which matches no figure"),
        ("figures lecture --only yolo --only lenet_5", "--only: received 'yolo'"),
        ("figures no/lecture --only lenet_5", "cannot write 'no/lecture'"),
    ],
)
def test_refusals(arguments, words, capfd):
    assert words in refusal(arguments.split(), capfd)
    assert os.listdir() == []


def test_the_list(capfd):
    assert cli.main(["figures", "--list"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == len(FIGURES)
    assert cli.main(["figures", "--list", "--only", "depth", "--only", "lenet_5"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["lenet_5", "vgg_16", "vgg_costs"]
