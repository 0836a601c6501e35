"""Published accuracies: each has its source, and the chart's labels can be read."""

import csv
import itertools
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from keras_convnets import cli, golden, plot_accuracies, published_accuracies
from keras_convnets.accuracies import chart
from keras_convnets.analysis.label_places import Box, label_places
from keras_convnets.weights.published import published


def test_each_accuracy_is_that_of_the_first_weights_and_names_its_source():
    found = {row.network: row for row in published_accuracies().rows}
    assert found["resnet_v1_5_50"][1:] == (
        76.13,
        25_557_032,
        4_089_184_256,
        "torchvision",
        "torchvision",
    )
    assert found["googlenet"].source == "ONNX model zoo"
    for row in found.values():
        weights = published.find(row.weights, row.network)
        assert (weights.top1, weights.top1_source) == (row.accuracy, row.source)
        assert weights.rows == golden.networks()[row.network].input_shape[1]
    files = [published.find(row.weights, row.network).file for row in found.values()]
    assert len(files) == len(set(files))


def test_chosen_weights():
    rows = published_accuracies("res*50*", weights="torchvision_v2").rows
    assert [(row.network, row.accuracy) for row in rows] == [
        ("resnet_v1_5_50", 80.858),
        ("resnext_50_32x4d", 81.198),
    ]  # each network's own, by torchvision's second recipe


def test_the_errors_of_papers_on_cifar_10():
    errors = {
        row.network: round(100 - row.accuracy, 2)
        for row in published_accuracies("*", "cifar10").rows
    }
    # He et al. 2015, table 6; Huang et al. 2016, table 2.
    assert [errors[f"cifar_resnet_{n}"] for n in (20, 32, 44, 56, 110, 1202)] == [
        *(8.75, 7.51, 7.17, 6.97, 6.43, 7.93)
    ]
    assert errors["cifar_densenet_bc_190_40"] == 3.46
    assert len(errors) == 15


def test_as_a_table(capfd):
    assert cli.main(["accuracy", "vgg_1?", "--format", "csv", "--plot", "vgg.svg"]) == 0
    lines = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["network"] for row in rows] == ["vgg_11", "vgg_13", "vgg_16", "vgg_19"]
    assert rows[2]["accuracy"] == "71.592"
    assert Path("vgg.svg").exists()
    assert cli.main(["accuracy", "--data", "cifar10", "--format", "json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["rows"]) == 15


@pytest.mark.parametrize("options", [{}, {"data": "cifar10"}, {"weights": "torchvision_v2"}])
def test_no_two_labels_overlap(options, monkeypatch):
    found = []
    place = chart.label_places

    def placed(points, radii, sizes, area):
        labels = place(points, radii, sizes, area)
        found.append((points, radii, [label.box for label in labels], area))
        return labels

    monkeypatch.setattr(chart, "label_places", placed)
    plot_accuracies("chart.svg", **options)
    [(points, radii, boxes, area)] = found
    assert len(boxes) == len(published_accuracies(**options).rows)
    assert not any(one.meets(other) for one, other in itertools.combinations(boxes, 2))
    assert all(area.holds(box) for box in boxes)
    for (x, y), radius in zip(points, radii, strict=True):
        point = Box(x - radius, y - radius, x + radius, y + radius)
        assert not any(box.meets(point) for box in boxes)
    drawn = Path("chart.svg").read_text()
    for source in {row.source for row in published_accuracies(**options).rows}:
        assert source.split(" (")[0] in drawn


def test_labels_in_a_crowd_and_where_there_is_no_room():
    points = np.random.default_rng(0).uniform(40, 60, (12, 2)).tolist()
    labels = label_places(points, [2.0] * 12, [(30.0, 8.0)] * 12, Box(0, 0, 200, 200))
    boxes = [label.box for label in labels]
    assert not any(one.meets(other) for one, other in itertools.combinations(boxes, 2))
    assert any(label.is_led for label in labels)
    with pytest.raises(ValueError, match="no room for the labels of 12 points; expected fewer"):
        label_places(points, [2.0] * 12, [(30.0, 8.0)] * 12, Box(30, 30, 90, 70))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.svg", "yolo*"), "pattern: received 'yolo*', which matches no network"),
        (("a.svg", "*", "imagenette"), "data: received 'imagenette'"),
        (("a.svg", "*", "cifar10", "timm*"), "weights: received 'timm*' with data='cifar10'"),
        (("a.svg", "*", "imagenet", "mine"), "with weights like 'mine'"),
        (("a.gif",), "to_file: received 'a.gif'"),
        (("no/a.svg", "vgg*"), "cannot write 'no/a.svg'"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        plot_accuracies(*arguments)
    assert "\n" not in str(caught.value)
    assert os.listdir() == []
