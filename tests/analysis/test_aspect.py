"""A figure is a page, not a ribbon: of every detail, from left to right as from top to bottom."""

import re

import pytest

from helpers import outline
from keras_convnets.analysis.plot import render
from keras_convnets.analysis.plot.figure import figure
from keras_convnets.analysis.plot.graph.blocks import block_graph
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.look import Look

# The longer side, at most in lengths of the shorter one.
MOST = 3.7
NAMES = ["resnet_34", "resnet_152", "vgg_16", "googlenet", "densenet_121", "inception_v3"]
# Layers of the others are drawn alike, and take a second or more.
WITH_LAYERS = {"resnet_34", "vgg_16", "googlenet"}


@pytest.fixture(scope="module", params=NAMES)
def graph(request):
    return block_graph(outline(request.param))


def drawn(graph, detail, rankdir):
    shown = graph if detail == "layer" else fold(graph)
    return render.svg(figure(shown, detail, Look(rankdir=rankdir)))


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("detail", ["stage", "block", "layer"])
def test_a_figure_is_a_page(graph, detail, rankdir):
    if detail == "layer" and graph.name not in WITH_LAYERS:
        return
    svg = drawn(graph, detail, rankdir)
    width, height = map(int, re.search(r'width="(\d+)pt" height="(\d+)pt"', svg).groups())
    assert max(width, height) <= MOST * min(width, height), f"{width} × {height}"


def test_no_box_of_a_stage_is_empty(graph):
    """Graphviz draws nothing in a box whose label it cannot read."""
    svg = drawn(graph, "stage", "TB")
    boxes = re.split(r'<g id="box\d+" class="node kind', svg)
    assert len(boxes) == 1 + len({block.stage or block.name for block in graph.blocks})
    for box in boxes[1:]:
        assert "<text" in box.split("<!--")[0], box  # up to the next thing drawn
    for block in fold(graph).blocks:
        assert block.repeats == 1 or f"× {block.repeats}" in svg
