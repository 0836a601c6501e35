"""The contract of every registered network: whatever is registered is held to it.

Nothing here makes weights. What needs them is asked of a network of each family.
"""

import csv
import functools
import importlib.util
import math
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import paper
from helpers import (
    FORMATS,
    computed,
    first_of_each_builder,
    images,
    outline,
    passing_on,
    random_state,
    settled_state,
    smallest,
)
from keras_convnets import (
    cost,
    golden,
    list_models,
    parse,
    plot_model,
    receptive_field,
    zoo,
)
from keras_convnets.analysis.features import features, levels
from keras_convnets.axes import in_papers_order
from keras_convnets.inference import outputs as classifier
from keras_convnets.weights.transfer import recognition
from keras_convnets.zoo import find

# Larger ones are built and counted, smaller ones held to all of the contract.
MANY_LAYERS = 600
# No tool recurses into networks of over a thousand layers, nor takes its time: all see these.
DEEPEST = ("cifar_resnet_1202", "cifar_preact_resnet_1001")
OUTPUTS = 4
TOO_LARGE = "one of the largest: built and counted, but not run"


def layer_names(model):
    return [layer.name for layer in model.layers]


class Network:
    """A network for those who look at it: what they share is built once, without weights."""

    def __init__(self, name):
        self.name = name

    @functools.cached_property
    def outlines(self):
        """As published, in both data formats."""
        return [outline(self.name, data_format=data_format) for data_format in FORMATS]

    @functools.cached_property
    def fields(self):
        """What the units of each of them see."""
        return [receptive_field(model) for model in self.outlines]


def slow_where_deep(name):
    """Return the name of a network as a parameter of tests."""
    of_a_thousand = name.startswith(DEEPEST)
    return pytest.param(name, marks=[pytest.mark.slow] if of_a_thousand else [])


@pytest.fixture(scope="module", params=map(slow_where_deep, list_models()))
def network(request):
    """Each network in turn: whatever asks for it runs before the next one's turn."""
    return Network(request.param)


def test_outline(network):
    first, last = network.outlines
    check_names(network.name, first, last)
    check_costs(network.name, first, last)
    check_recognition(network.name, first, last)
    assert dict(network.fields[0]) == dict(network.fields[1])
    assert not any(field.unknown for field in network.fields[1].values())
    if len(last.layers) <= MANY_LAYERS:
        check_body(network.name, last)
    if network.name in first_of_each_builder():  # of which all others of it are rows
        check_variants(network.name, last)
        check_wrong_shapes(network.name)
    if network.name in DEEPEST:
        check_depth(network.name, last, network.fields[1])


def check_names(name, first, last):
    names = layer_names(last)
    assert layer_names(first) == names
    assert len(set(names)) == len(names)
    assert all(parse(layer) for layer in names)
    assert last.name == name
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
    outputs = find(name).published.num_outputs
    assert {output.shape for output in last.outputs} == {(None, outputs)}
    penalties = {getattr(layer, "kernel_regularizer", None) is None for layer in last.layers}
    classic = find(name).builder.__name__ == "ResnetBuilder"
    assert penalties == ({True, False} if classic else {True})  # as in the source
    if len(last.outputs) == 1:
        assert {classifier.outputs_of(model).kind for model in (first, last)} == {"softmax"}


def check_costs(name, first, last):
    found = cost(last)
    assert found.rows == cost(first).rows
    assert found.uncounted == ()
    weights = found.params + found.statistics
    assert weights == first.count_params() == last.count_params()
    if name in paper.PUBLISHED:
        parameters, multiply_adds = paper.PUBLISHED[name]
        assert found.params == parameters
        assert multiply_adds in (None, found.macs)
    counted = zoo.info(find(name), found)
    assert golden.networks()[name] == counted, "run python scripts/golden_table.py"
    assert documented()[name] == (found.params, found.macs)


def check_recognition(name, first, last):
    """By the layers of the network, and by the names and shapes in files of its weights."""
    rows = list(golden_weights().rows_of(last, name))
    assert set(rows) <= recognised(), "run python scripts/golden_weights.py"
    assert (recognition.fingerprint(first), recognition.MODEL, name) in rows


@functools.cache
def golden_weights():
    path = Path(__file__).parents[1] / "scripts" / "golden_weights.py"
    spec = importlib.util.spec_from_file_location("golden_weights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def recognised():
    with recognition.FILE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return {(row["digest"], row["source"], row["network"]) for row in rows}


@functools.cache
def documented():
    """Return the parameters and multiply-adds of each network in the docs' table."""
    page = (Path(__file__).parents[1] / "docs" / "networks.md").read_text()
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines()]
    rows = [row for row in rows if len(row) == 8 and row[0].startswith("`")]
    counts = ([int(cell.replace(",", "")) for cell in row[4:6]] for row in rows)
    return {row[0].strip("`"): tuple(pair) for row, pair in zip(rows, counts, strict=True)}


def check_variants(name, model):
    """Other channels and sizes that are not known, and with a classifier too if it takes those."""
    channels, rows, cols = find(name).published.input_shape
    counts = sorted({1, 4} - {channels})
    try:
        other = outline(name, input_shape=(counts[0], None, None))
    except ValueError as error:
        assert "input_shape: received None for rows or columns" in str(error)
        assert any("flatten" in layer for layer in layer_names(model))
        other = outline(name, input_shape=(counts[0], rows, cols))
    assert other.output_shape == model.output_shape
    assert layer_names(other) == layer_names(model)


def check_body(name, model):
    """Other channels, another name, no classifier, sizes that are not known."""
    body = [layer for layer in layer_names(model) if not layer.startswith(("head", "aux"))]
    maps = check_features(name, body, "channels_first", "avg")
    if name in first_of_each_builder():  # what follows the body is put there by the builder
        assert maps == check_features(name, body, "channels_last", "max")
        assert maps == check_features(name, body, "channels_last", None)


def check_features(name, body, data_format, pooling):
    """Build a network without its top, for images of open sizes; return the channels it ends in."""
    channels = 1 if find(name).published.input_shape[0] == 4 else 4
    options = {"include_top": False, "data_format": data_format, "pooling": pooling, "name": "mine"}
    model = outline(name, input_shape=(channels, None, None), **options)
    assert model.name == "mine"
    assert layer_names(model)[: len(body)] == body
    assert len(model.layers) - len(body) == (pooling is not None)
    assert len(model.outputs) == 1
    maps = in_papers_order(model.get_layer(body[-1]).output.shape, data_format)
    assert maps[1:] == (None, None)
    if pooling is None:
        assert in_papers_order(model.output_shape, data_format) == maps
    else:
        assert model.output_shape == (None, maps[0])
    return maps[0]


def check_wrong_shapes(name):
    for shape in ((224, 224, 3), (3, 0, 32), (3, 1, 1), (3, 224)):
        with pytest.raises(ValueError, match="input_shape: received"):
            outline(name, input_shape=shape)


def check_depth(name, model, fields):
    assert len(model.layers) > 3 * sys.getrecursionlimit()
    assert len(cost(model).to_text("block").splitlines()) > 300
    backbone = features(model, (2,))
    assert backbone.output["C2"].shape[1:3] == (8, 8)
    field = fields[backbone.levels[-1].layer]
    assert field.stride == (4, 4)
    # From the last convolution back: 3 x 3 of each, at strides 4, 2 and 1.
    if name == "cifar_resnet_1202":
        assert field.size[0] == 1 + 2 * (4 * 399 + 2) + 2 * (2 * 399 + 1) + 2 * (400 + 1)


def test_levels(network):
    for data_format, model, fields in zip(FORMATS, network.outlines, network.fields, strict=True):
        image = in_papers_order(model.input_shape, data_format)
        found = levels(model)
        for level in found:
            made = model.get_layer(level.layer).output
            channels, *sizes = in_papers_order(made.shape, data_format)
            assert level.name == f"C{int(math.log2(level.stride))}"
            assert level.stride == 2 ** int(level.name[1:])
            assert level.channels == channels
            field = fields[level.layer]
            assert field.stride in (None, (level.stride,) * 2)
            for size, pixels, extent in zip(sizes, image[1:], field.size, strict=True):
                fewest = (pixels - extent) / level.stride  # where nothing is padded
                assert fewest <= size <= math.ceil(pixels / level.stride)
        groups = {level.layer.split("_")[0] for level in found}
        assert not {name for name in groups if name.startswith(("transition", "aux", "head"))}
        if model is network.outlines[1] or network.name in first_of_each_builder():
            check_backbone(model, found)


def check_backbone(model, found):
    backbone = features(model)
    assert list(backbone.output) == [level.name for level in backbone.levels]
    assert backbone.levels
    assert set(backbone.levels) <= set(found)
    taken = {model.get_layer(level.layer).output.name for level in backbone.levels}
    assert {maps.name for maps in backbone.output.values()} == taken


@pytest.mark.slow
def test_plotted(network, tmp_path):
    _, model = network.outlines
    limit = sys.getrecursionlimit()
    shown = len(model.layers) <= MANY_LAYERS or network.name in DEEPEST
    for detail in ("stage", "block", "layer") if shown else ("stage",):
        fold = detail == "stage" or network.name not in DEEPEST
        plot_model(model, tmp_path / "model.svg", detail=detail, fold_repeats=fold)
        assert (tmp_path / "model.svg").read_text().count("</svg>") == 1
    assert sys.getrecursionlimit() == limit


@pytest.mark.slow
def test_both_formats_compute_the_same(network):
    if len(network.outlines[1].layers) > 400:
        pytest.skip(TOO_LARGE)
    options = {"num_outputs": OUTPUTS, "classifier_activation": None}
    shape, last = smallest(network.name, **options)
    found = cost(last)
    if found.params > 30_000_000 or found.macs > 300_000_000:
        pytest.skip(TOO_LARGE)
    first = outline(network.name, shape, data_format="channels_first", **options)
    # Smaller residuals leave more to the shortcuts, which magnify no rounding. A chain of layers
    # has none, and its normalisations magnify rounding, unless kernels pass on what they get.
    # With branches alone, smaller kernels would let the signal die.
    kinds = {type(layer) for layer in last.layers}
    if keras.layers.Add in kinds:
        state = random_state(last, kernels=0.75)
    elif keras.layers.BatchNormalization in kinds and keras.layers.Concatenate not in kinds:
        state = passing_on(last, random_state(last, kernels=0.5))
    else:
        state = random_state(last, kernels=1)
    state = settled_state(last, state, images(shape, "channels_last", count=8))
    results = [
        computed(model, state, images(shape, data_format))
        for data_format, model in zip(FORMATS, (first, last), strict=True)
    ]
    for one, other in zip(*results, strict=True):
        size = np.abs(other).max()
        difference = np.abs(np.subtract(one, other)).max() / size
        print(f"{network.name}: {difference:.1e}")
        assert difference < 1e-5
        assert np.ptp(other, axis=0).max() > 1e-3 * size  # the images differ, and that is seen


def test_every_published_figure_is_of_a_registered_network():
    named = {*paper.CLASSIC_PARAMETERS, *paper.PUBLISHED, *paper.KERAS_APPLICATIONS}
    assert named <= set(list_models())
